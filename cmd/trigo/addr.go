package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
)

// An address says where a stream comes from: "tcp:localhost:80", "unix:/run/s",
// "-". It is a value; [address.open] and [address.listen] make use of it.
//
//	ADDR  = NAME [ ":" ARG ]
//	ARG   = any byte except , and + ; %HH is the byte HH
//	sugar = "-" | HOST:PORT | /PATH | ./PATH
type address struct {
	name string // of the layer
	host string // for tcp; "" of a listener: every address of this machine
	port uint16
	path string // for unix
}

// layer is one kind of address.
type layer struct {
	name, alias string
	form        string // of the whole address
	listens     bool
	parse       func(a *address, arg string) error
}

var layers = []layer{
	{name: "stdio", form: "stdio", parse: noArgument},
	{name: "tcp", form: "tcp:HOST:PORT", parse: (*address).parseTCP},
	{name: "tcp-listen", alias: "tcp-l", form: "tcp-listen:[HOST:]PORT", listens: true, parse: (*address).parseTCPListen},
	{name: "unix", form: "unix:PATH", parse: (*address).parseUnix},
	{name: "unix-listen", alias: "unix-l", form: "unix-listen:PATH", listens: true, parse: (*address).parseUnix},
	{name: "echo", form: "echo", parse: noArgument},
	{name: "discard", form: "discard", parse: noArgument},
}

func findLayer(name string) (layer, bool) {
	for _, l := range layers {
		if name == l.name || name == l.alias && name != "" {
			return l, true
		}
	}
	return layer{}, false
}

// parseAddress parses an address. The file system is asked only about a bare
// path, which may be several things.
func parseAddress(text string) (address, error) {
	fail := func(hint, format string, args ...any) (address, error) {
		return address{}, usage(hint, "address %q: "+format, append([]any{text}, args...)...)
	}
	if i := strings.IndexByte(text, '+'); i >= 0 {
		return fail("write %2B for a + in a path", "layers joined with + are not supported")
	}
	if i := strings.IndexByte(text, ','); i >= 0 {
		return fail("write %2C for a comma in a path", "options are not supported")
	}
	canonical := text
	switch {
	case text == "":
		return fail("", "it is empty")
	case text == "-":
		canonical = "stdio"
	case strings.HasPrefix(text, "/"), strings.HasPrefix(text, "./"), strings.HasPrefix(text, "../"):
		canonical = "unix:" + text
	}
	name, arg, hasArg := strings.Cut(canonical, ":")
	l, known := findLayer(name)
	if !known && isHostPort(text) {
		l, known = findLayer("tcp")
		arg, hasArg = text, true
	}
	if !known {
		if near := nearest(name); near != "" {
			return fail("did you mean "+near+"?", "unknown layer %q", name)
		}
		return fail("the layers are "+strings.Join(layerNames(), " "), "unknown layer %q", name)
	}
	a := address{name: l.name}
	arg, err := unescape(arg)
	if err == nil && hasArg && arg == "" {
		err = errors.New("nothing after the colon")
	}
	if err == nil {
		err = l.parse(&a, arg)
	}
	if err != nil {
		return fail("want "+l.form, "%v", err)
	}
	return a, nil
}

// isHostPort reports whether text is HOST:PORT without a layer name.
func isHostPort(text string) bool {
	host, port, err := net.SplitHostPort(text)
	if err != nil || host == "" {
		return false
	}
	_, err = strconv.Atoi(port)
	return err == nil
}

func noArgument(a *address, arg string) error {
	if arg != "" {
		return errors.New("it takes no argument")
	}
	return nil
}

func (a *address) parseTCP(arg string) error {
	if err := a.parseHostPort(arg); err != nil {
		return err
	}
	switch {
	case a.host == "":
		return errors.New("missing host")
	case a.port == 0:
		return errors.New("port 0 is for listening only")
	}
	return nil
}

func (a *address) parseTCPListen(arg string) error {
	if !strings.Contains(arg, ":") {
		arg = ":" + arg
	}
	return a.parseHostPort(arg)
}

// parseHostPort also takes an IPv6 address without brackets: to some shells
// they are special.
func (a *address) parseHostPort(arg string) error {
	colon := strings.LastIndexByte(arg, ':')
	if colon < 0 || colon == len(arg)-1 || strings.HasSuffix(arg, "]") {
		return errors.New("missing port")
	}
	host, port := arg[:colon], arg[colon+1:]
	if inside, ok := strings.CutPrefix(host, "["); ok && strings.HasSuffix(inside, "]") {
		host = strings.TrimSuffix(inside, "]")
		if !strings.Contains(host, ":") {
			return fmt.Errorf("%q in brackets is not an IPv6 address", host)
		}
	}
	if strings.Contains(host, ":") {
		if _, err := netip.ParseAddr(host); err != nil {
			return fmt.Errorf("%q is neither a name nor an IPv6 address", host)
		}
	}
	if i := strings.IndexFunc(host, func(r rune) bool { return r <= ' ' || strings.ContainsRune("/@[]\x7f", r) }); i >= 0 {
		return fmt.Errorf("host %q contains %q", host, host[i])
	}
	n, err := strconv.ParseUint(port, 10, 16)
	switch {
	case errors.Is(err, strconv.ErrRange):
		return fmt.Errorf("port %s is out of range, the highest is 65535", port)
	case err != nil:
		return fmt.Errorf("port %q is not a number", port)
	}
	a.host, a.port = host, uint16(n)
	return nil
}

func (a *address) parseUnix(arg string) error {
	if arg == "" {
		return errors.New("missing path")
	}
	if strings.ContainsRune(arg, 0) {
		return errors.New("a path cannot contain a zero byte")
	}
	a.path = arg
	return nil
}

// check refuses what can be seen to be wrong without opening anything.
func (a address) check() error {
	if a.path == "" || strings.HasPrefix(a.path, "@") {
		return nil
	}
	info, err := os.Stat(a.path)
	if err != nil || info.Mode().Type() == fs.ModeSocket {
		return nil // what is not there is for the kernel to say
	}
	kind := "not a socket"
	switch {
	case info.IsDir():
		kind = "a directory, not a socket"
	case info.Mode().IsRegular():
		kind = "a regular file, not a socket"
	}
	return usage("", "address %q: it is %s", a, kind)
}

// listens reports whether the address makes streams by waiting for others.
func (a address) listens() bool {
	l, _ := findLayer(a.name)
	return l.listens
}

// String returns the canonical form. Parsing it gives a again.
func (a address) String() string {
	switch {
	case a.path != "":
		return a.name + ":" + escape(a.path)
	case a.host != "":
		return a.name + ":" + escape(a.hostPort())
	case a.listens():
		return fmt.Sprintf("%s:%d", a.name, a.port)
	}
	return a.name
}

func (a address) hostPort() string { return net.JoinHostPort(a.host, strconv.Itoa(int(a.port))) }

// escape writes the bytes that have a meaning in an address as %HH.
func escape(s string) string {
	return strings.NewReplacer("%", "%25", ",", "%2C", "+", "%2B").Replace(s)
}

func unescape(s string) (string, error) {
	var b strings.Builder
	for {
		before, after, found := strings.Cut(s, "%")
		b.WriteString(before)
		if !found {
			return b.String(), nil
		}
		if len(after) < 2 {
			return "", fmt.Errorf("%%%s is no escape; write %%25 for a %%", after)
		}
		c, err := strconv.ParseUint(after[:2], 16, 8)
		if err != nil {
			return "", fmt.Errorf("%%%s is no escape; write %%25 for a %%", after[:2])
		}
		b.WriteByte(byte(c))
		s = after[2:]
	}
}
