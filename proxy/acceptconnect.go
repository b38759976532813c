package proxy

import (
	"context"
	"fmt"
	"net/textproto"
	"strings"

	"trigo"
)

// A ConnectRequest is what a client of an HTTP proxy asks for. Answer it, once,
// with Accept or with Refuse.
type ConnectRequest struct {
	Target string               // "host:port", well-formed
	Auth   *Auth                // the account; nil if none was given in the Basic scheme
	Header textproto.MIMEHeader // all fields

	s trigo.Stream
}

// AcceptConnect receives a CONNECT request from the client at the other end of
// s. It takes the request and not a byte beyond, so what the client sends
// without waiting for the answer is received from s afterwards.
//
// A request may have up to 16 KiB. Any other request than CONNECT is
// [ErrProtocol].
func AcceptConnect(ctx context.Context, s trigo.Stream) (*ConnectRequest, error) {
	m := message{begin: "CONNECT ", end: "\r\n\r\n", shortest: len("CONNECT a:1 HTTP/1.1\r\n\r\n"), longest: maxHead}
	head, err := m.receive(ctx, s, nil)
	var r *ConnectRequest
	if err == nil {
		r, err = parseConnectRequest(head)
	}
	if err != nil {
		return nil, fail("accept connect", describe(s), err)
	}
	r.s = s
	return r, nil
}

func parseConnectRequest(head []byte) (*ConnectRequest, error) {
	first, header, err := parseHead(head)
	if err != nil {
		return nil, err
	}
	parts := strings.Split(first, " ")
	if len(parts) != 3 || parts[0] != "CONNECT" || !isVersion(parts[2]) {
		return nil, violation("the request begins with %q", clip([]byte(first)))
	}
	t, err := parseTarget(parts[1])
	if err != nil {
		return nil, violation("%v", err)
	}
	// A body would be taken for the beginning of what is to go through.
	length := header.Values("Content-Length")
	if header.Get("Transfer-Encoding") != "" || len(length) > 0 && (len(length) > 1 || length[0] != "0") {
		return nil, violation("CONNECT with a body")
	}
	r := &ConnectRequest{Target: t.String(), Header: header}
	if v := header.Values("Proxy-Authorization"); len(v) == 1 {
		r.Auth = parseBasic(v[0])
	}
	return r, nil
}

// Accept tells the client that it is connected. From then on the stream of the
// request is what goes through.
//
// It waits while the transport is full. Its errors are those of SendAll of the
// stream. After one, a cancel among them, OpError.N says how much of the answer went
// out. If that is a part of it, only closing is left.
func (r *ConnectRequest) Accept(ctx context.Context) error {
	return r.answer(ctx, "accept", "HTTP/1.1 200 Connection established\r\n\r\n")
}

// Refuse tells the client that it is not connected, and why: with a status
// from 400 to 599. 407 asks for an account. Then end the stream with
// [trigo.LingeringClose], so that the client gets to read it. It waits and fails as
// Accept does; another code is an error, and then nothing was sent.
func (r *ConnectRequest) Refuse(ctx context.Context, code int) error {
	if code < 400 || code > 599 {
		return fail("refuse", r.layer(), fmt.Errorf("%d is no status of an error", code))
	}
	reason := reasons[code]
	if reason == "" {
		reason = "Refused"
	}
	text := fmt.Sprintf("HTTP/1.1 %d %s\r\nContent-Length: 0\r\nConnection: close\r\n", code, reason)
	if code == 407 {
		text += "Proxy-Authenticate: Basic realm=\"proxy\"\r\n"
	}
	return r.answer(ctx, "refuse", text+"\r\n")
}

// reasons are the words for what a proxy has reason to say.
var reasons = map[int]string{
	400: "Bad Request",
	403: "Forbidden",
	407: "Proxy Authentication Required",
	429: "Too Many Requests",
	500: "Internal Server Error",
	502: "Bad Gateway",
	503: "Service Unavailable",
	504: "Gateway Timeout",
}

func (r *ConnectRequest) answer(ctx context.Context, op, text string) error {
	return fail(op, r.layer(), r.s.SendAll(ctx, []byte(text)))
}

func (r *ConnectRequest) layer() string { return "connect to " + r.Target + " for " + describe(r.s) }
