package endpoint

import (
	"io/fs"
	"net"
	"os"
	"strconv"
	"strings"
)

// expandScheme makes of NAME://... an address of layers. The whole address must be
// of that form.
func expandScheme(text string) (string, *Error) {
	name, rest, found := strings.Cut(text, "://")
	if !found || strings.ContainsAny(name, "+,:/%") {
		return text, nil
	}
	bad := func(want string) (string, *Error) {
		return "", mistake("", "", "want "+want, "%s:// is not followed by that", name)
	}
	switch name {
	case "tcp", "tls", "udp":
		authority, options, _ := cutAny(rest, ",+")
		authority = strings.TrimSuffix(authority, "/")
		if strings.ContainsAny(authority, "/@?#") {
			return bad(name + "://HOST:PORT")
		}
		return name + ":" + authority + options, nil
	case "unix", "file":
		if !strings.HasPrefix(rest, "/") {
			return bad(name + ":///PATH")
		}
		return name + ":" + rest, nil
	case "http-proxy", "socks5":
		return expandProxy(name, rest)
	}
	return "", mistake("", "", "the schemes are tcp tls unix udp file http-proxy socks5", "unknown scheme %q", name)
}

// expandProxy takes [USER:PASSWORD@]PROXY:PORT/HOST:PORT.
func expandProxy(name, rest string) (string, *Error) {
	rest, options, _ := cutAny(rest, ",+")
	proxy, target, found := strings.Cut(rest, "/")
	if !found || target == "" || strings.ContainsAny(target, "/?#") {
		return "", mistake("", "", "want "+name+"://PROXY:PORT/HOST:PORT", "%s:// does not say where to", name)
	}
	auth := ""
	if i := strings.LastIndexByte(proxy, '@'); i >= 0 {
		auth, proxy = ",auth="+strings.Replace(proxy[:i], "@", "%40", 1), proxy[i+1:]
	}
	layer := name
	if name == "http-proxy" {
		layer = "connect"
	}
	return layer + ":" + target + auth + "+tcp:" + proxy + options, nil
}

// cutAny cuts s before the first of the bytes in chars.
func cutAny(s, chars string) (before, after string, found bool) {
	i := strings.IndexAny(s, chars)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i:], true
}

// expandSugar makes a layer with a name of the short forms of a transport: "-",
// HOST:PORT and PATH.
func expandSugar(text string) (string, *Error) {
	first, options, _ := cutAny(text, ",")
	switch {
	case first == "-":
		return "stdio" + options, nil
	case strings.HasPrefix(first, "/"), strings.HasPrefix(first, "./"), strings.HasPrefix(first, "../"):
		return expandPath(first, options)
	case isHostPort(first):
		return "tcp:" + text, nil
	}
	return text, nil
}

// expandPath asks the file system what a path is. What is not there is a socket,
// unless its options are those of a file.
func expandPath(path, options string) (string, *Error) {
	decoded, err := unescape(path)
	if err != nil {
		return "", mistake("", "", hintEscape, "%w", err)
	}
	name := "unix"
	info, err := os.Stat(decoded)
	switch {
	case err != nil && isFileOption(options):
		name = "file"
	case err != nil, info.Mode().Type() == fs.ModeSocket:
	case info.IsDir():
		return "", mistake("", "", "name a file or a socket in it", "it is a directory")
	case info.Mode().Type() == fs.ModeNamedPipe:
		name = "fifo"
	default:
		name = "file"
	}
	return name + ":" + path + options, nil
}

func isFileOption(options string) bool {
	file := findKind("file")
	for item := range strings.SplitSeq(options, ",") {
		key, _, _ := strings.Cut(item, "=")
		if o, _ := file.option(key); o != nil {
			return true
		}
	}
	return false
}

// isHostPort reports whether text is HOST:PORT without a layer name.
func isHostPort(text string) bool {
	host, port, err := net.SplitHostPort(text)
	if err != nil || findKind(host) != nil {
		return false
	}
	if _, err := parseHost(host); err != nil {
		return false
	}
	_, err = strconv.Atoi(port)
	return err == nil
}
