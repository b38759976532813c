package file

import "strings"

// Posix is the flavour of the paths of Linux, macOS and the BSDs.
type Posix struct{}

func (Posix) separator() byte           { return '/' }
func (Posix) isSeparator(c byte) bool   { return c == '/' }
func (Posix) impliedRoot(string) string { return "" }
func (Posix) isReserved(string) bool    { return false }
func (Posix) key(path string) string    { return path }
func (Posix) caseSensitive() bool       { return true }

// split has a root of two slashes for a path that begins with two, and not
// three: POSIX leaves the meaning of that to the system.
func (Posix) split(path string) (drive, root, rest string) {
	switch {
	case !strings.HasPrefix(path, "/"):
		return "", "", path
	case strings.HasPrefix(path, "//") && !strings.HasPrefix(path, "///"):
		return "", path[:2], path[2:]
	default:
		return "", path[:1], path[1:]
	}
}

func (Posix) isNormal(path string) bool {
	if strings.HasPrefix(path, "/") && path != "/." {
		path = path[1:]
	}
	if path == "." {
		return true
	}
	for path != "" {
		name, rest, more := strings.Cut(path, "/")
		if name == "" || name == "." || more && rest == "" {
			return false
		}
		if !more {
			return true
		}
		path = rest
	}
	return false
}

func (Posix) join(path, next string) string {
	switch {
	case strings.HasPrefix(next, "/"):
		return next
	case path == "" || strings.HasSuffix(path, "/"):
		return path + next
	default:
		return path + "/" + next
	}
}

func (Posix) isAbsolute(path string) bool { return strings.HasPrefix(path, "/") }

func (Posix) uri(_, posix string) (prefix, path string) { return "file://", posix }

func (Posix) fromURI(uri string) string { return withoutAuthority(uri) }

// withoutAuthority takes the authority away if it says that the file is here.
func withoutAuthority(uri string) string {
	if rest, ok := strings.CutPrefix(uri, "//localhost/"); ok {
		return "/" + rest
	}
	if strings.HasPrefix(uri, "///") {
		return uri[2:]
	}
	return uri
}
