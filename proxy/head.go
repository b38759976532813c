package proxy

import (
	"bytes"
	"encoding/base64"
	"net/textproto"
	"strings"
)

// maxHead bounds the head of an HTTP message, interim answers included.
const maxHead = 16 << 10

// parseHead cuts the head of an HTTP message, with the empty line at its end,
// into its first line and its fields. It is as strict as RFC 9112 allows a
// recipient to be: no folded lines, no space before a colon, no control
// characters.
func parseHead(head []byte) (first string, fields textproto.MIMEHeader, err error) {
	head = bytes.TrimSuffix(head, []byte("\r\n\r\n"))
	fields = textproto.MIMEHeader{}
	for i, line := range strings.Split(string(head), "\r\n") {
		if bad := strings.IndexFunc(line, isControl); bad >= 0 {
			return "", nil, violation("%q in a line of the head", line[bad])
		}
		if i == 0 {
			first = line
			continue
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok || !isToken(name) {
			return "", nil, violation("the head has the line %q", clip([]byte(line)))
		}
		fields.Add(name, strings.Trim(value, " \t"))
	}
	return first, fields, nil
}

func isControl(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }

// isToken reports whether s can be the name of a field (RFC 9110, 5.6.2).
func isToken(s string) bool {
	for i := range len(s) {
		c := s[i]
		letter := 'a' <= c|0x20 && c|0x20 <= 'z'
		if !letter && (c < '0' || c > '9') && strings.IndexByte("!#$%&'*+-.^_`|~", c) < 0 {
			return false
		}
	}
	return s != ""
}

// isVersion reports whether s is a version of HTTP that has CONNECT.
func isVersion(s string) bool { return s == "HTTP/1.0" || s == "HTTP/1.1" }

// Auth is an account at a proxy.
type Auth struct {
	User, Password string
}

// basic returns the account as the value of a field.
func (a *Auth) basic() string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(a.User+":"+a.Password))
}

// parseBasic is the inverse of basic. It returns nil if the value is something
// else.
func parseBasic(value string) *Auth {
	scheme, code, _ := strings.Cut(value, " ")
	if !strings.EqualFold(scheme, "Basic") {
		return nil
	}
	both, err := base64.StdEncoding.DecodeString(strings.TrimLeft(code, " "))
	if err != nil {
		return nil
	}
	user, password, ok := strings.Cut(string(both), ":")
	if !ok {
		return nil
	}
	return &Auth{User: user, Password: password}
}
