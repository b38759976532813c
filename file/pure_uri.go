package file

import (
	"fmt"
	"strings"
)

// AsURI returns p as a URI: "file:///etc/hosts". It fails if p is not absolute.
func (p Pure[F]) AsURI() (string, error) {
	if !p.IsAbsolute() {
		return "", pathError("as URI", string(p), &invalid{"a relative path has no URI"})
	}
	var f F
	prefix, path := f.uri(p.Drive(), p.AsPosix())
	return prefix + escapeURI(path), nil
}

// FromURI returns the path in a URI as [Pure.AsURI] writes it. Older forms are
// understood too: "file:/etc/hosts", "file://localhost/etc/hosts", and on Windows
// "file:///C|/dir". It fails if uri has another scheme or the path is not
// absolute. Other than in CPython 3.13, a first name of one letter is no drive on
// POSIX: "file:///a" is "/a".
func FromURI[F Flavour](uri string) (Pure[F], error) {
	fail := func(reason string) (Pure[F], error) {
		return "", pathError("from URI", uri, &invalid{fmt.Sprintf("uri %q %s", uri, reason)})
	}
	rest, ok := strings.CutPrefix(uri, "file:")
	if !ok {
		return fail("does not begin with file:")
	}
	var f F
	path := Pure[F](unescapeURI(f.fromURI(rest))).Normal()
	if !path.IsAbsolute() {
		return fail("is not an absolute path")
	}
	return path, nil
}

// escapeURI escapes everything but what never needs it in a path.
func escapeURI(path string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(path) {
		c := path[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("/_.-~", c) >= 0:
			b.WriteByte(c)
		default:
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
		}
	}
	return b.String()
}

// unescapeURI takes the escapes away. A percent sign that begins none is kept.
func unescapeURI(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			high, low := unhex(s[i+1]), unhex(s[i+2])
			if high >= 0 && low >= 0 {
				b.WriteByte(byte(high<<4 | low))
				i += 2
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

func unhex(c byte) int { return strings.IndexByte("0123456789abcdef", c|0x20*(c>>6&1)) }
