package proxy

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/textproto"
	"slices"
	"strconv"
	"strings"

	"trigo"
)

// ConnectOptions are what a CONNECT request may say beyond its target. Nil is
// the same as the zero value.
type ConnectOptions struct {
	Auth   *Auth                // sent as Proxy-Authorization: Basic
	Header textproto.MIMEHeader // further fields
}

// Connect asks the HTTP proxy at the other end of s to connect to target,
// "host:port", and waits for its answer. When it returns nil, s is a stream to
// the target; no byte that the target sent was taken.
//
// A name is looked up by the proxy. If the proxy answers with anything but a
// 2xx, the error holds a [*RefusedError] with the status, and Is [ErrRefused].
// An answer may have up to 16 KiB.
func Connect(ctx context.Context, s trigo.Stream, target string, opts *ConnectOptions) error {
	if opts == nil {
		opts = &ConnectOptions{}
	}
	return fail("connect", through(target, s), connect(ctx, s, target, opts))
}

func connect(ctx context.Context, s trigo.Stream, to string, opts *ConnectOptions) error {
	t, err := parseTarget(to)
	if err != nil {
		return err
	}
	request, err := connectRequest(t.String(), opts)
	if err != nil {
		return err
	}
	if err := s.SendAll(ctx, request); err != nil {
		return err
	}
	m := message{begin: "HTTP/1.", end: "\r\n\r\n", shortest: len("HTTP/1.1 200\r\n\r\n"), longest: maxHead}
	for {
		head, err := m.receive(ctx, s, nil)
		if err != nil {
			return err
		}
		code, reason, header, err := parseReply(head)
		switch {
		case err != nil:
			return err
		case code == 101:
			return violation("switched protocols in answer to CONNECT")
		case code < 200: // interim
			m.longest -= len(head)
		case code < 300:
			// Whatever the fields say, no body follows on a 2xx (RFC 9110, 9.3.6).
			return nil
		default:
			return &RefusedError{Protocol: "http", Code: code, Reason: reason, Header: header}
		}
	}
}

func connectRequest(target string, opts *ConnectOptions) ([]byte, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "CONNECT %s HTTP/1.1\r\nHost: %s\r\n", target, target)
	if opts.Auth != nil {
		if strings.Contains(opts.Auth.User, ":") {
			return nil, errors.New("a user of the Basic scheme has no colon in the name")
		}
		fmt.Fprintf(&b, "Proxy-Authorization: %s\r\n", opts.Auth.basic())
	}
	for _, name := range slices.Sorted(maps.Keys(opts.Header)) {
		ours := strings.EqualFold(name, "Host") || opts.Auth != nil && strings.EqualFold(name, "Proxy-Authorization")
		if ours || !isToken(name) {
			return nil, fmt.Errorf("%q cannot be a further field", name)
		}
		for _, value := range opts.Header[name] {
			if strings.ContainsFunc(value, isControl) {
				return nil, fmt.Errorf("field %s: control characters in the value", name)
			}
			fmt.Fprintf(&b, "%s: %s\r\n", name, value)
		}
	}
	b.WriteString("\r\n")
	return []byte(b.String()), nil
}

// parseReply reads the head of an answer.
func parseReply(head []byte) (code int, reason string, header textproto.MIMEHeader, err error) {
	first, header, err := parseHead(head)
	if err != nil {
		return 0, "", nil, err
	}
	version, rest, _ := strings.Cut(first, " ")
	digits, reason, _ := strings.Cut(rest, " ")
	code, err = strconv.Atoi(digits)
	if !isVersion(version) || len(digits) != 3 || err != nil || code < 100 {
		return 0, "", nil, violation("the answer begins with %q", clip([]byte(first)))
	}
	return code, strings.ToValidUTF8(reason, "?"), header, nil
}
