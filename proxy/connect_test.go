package proxy_test

import (
	"context"
	"errors"
	"io"
	"net/textproto"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"trigo"
	"trigo/proxy"
	"trigo/trigotest"
)

func TestConnectTakesTheAnswerAndNothingBeyond(t *testing.T) {
	for name, head := range map[string]string{
		"usual":       "HTTP/1.1 200 Connection established\r\n\r\n",
		"shortest":    "HTTP/1.0 200\r\n\r\n",
		"fields":      "HTTP/1.1 204 \r\nVia: 1.1 x\r\nContent-Length: 100\r\nX:\r\n\r\n",
		"interim":     "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
		"cr in value": "HTTP/1.1 200 OK\r\nX: \t spaced \t\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			pieces(t, func(t *testing.T, a, b trigo.Stream) {
				const banner = "\r\n\r\nSSH-2.0-hello\r\n"
				answered(t, b, head+banner, false)
				check(t, proxy.Connect(t.Context(), a, "example.org:22", nil))
				if got := rest(t, b, a); got != banner {
					t.Errorf("the tunnel brings %q, want %q", got, banner)
				}
				if got, want := rest(t, a, b), "CONNECT example.org:22 HTTP/1.1\r\nHost: example.org:22\r\n\r\n"; got != want {
					t.Errorf("the request was %q, want %q", got, want)
				}
			})
		})
	}
}

func TestConnectSendsAccountAndFields(t *testing.T) {
	pieces(t, func(t *testing.T, a, b trigo.Stream) {
		answered(t, b, "HTTP/1.1 200 OK\r\n\r\n", false)
		check(t, proxy.Connect(t.Context(), a, "[2001:DB8::0:1]:443", &proxy.ConnectOptions{
			Auth:   &proxy.Auth{User: "Aladdin", Password: "open sesame"},
			Header: textproto.MIMEHeader{"User-Agent": {"t/1"}, "X-A": {"1", "2"}},
		}))
		want := "CONNECT [2001:db8::1]:443 HTTP/1.1\r\nHost: [2001:db8::1]:443\r\n" +
			"Proxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\nUser-Agent: t/1\r\nX-A: 1\r\nX-A: 2\r\n\r\n"
		if got := rest(t, a, b); got != want {
			t.Errorf("the request was %q, want %q", got, want)
		}
	})
}

func TestConnectIsRefusedWithStatusAndReason(t *testing.T) {
	pieces(t, func(t *testing.T, a, b trigo.Stream) {
		answered(t, b, "HTTP/1.1 407 Proxy Auth Required\r\nproxy-authenticate: Basic realm=\"x\"\r\nContent-Length: 4\r\n\r\nbody", true)
		err := proxy.Connect(t.Context(), a, "example.org:443", nil)
		wantFailure(t, err, "connect", proxy.ErrRefused)
		r := wantRefused(t, err, 407, "Proxy Auth Required")
		if got := r.Header.Get("Proxy-Authenticate"); got != `Basic realm="x"` {
			t.Errorf("Proxy-Authenticate: %q", got)
		}
		if want := "connect example.org:443 through " + a.(interface{ String() string }).String() +
			": refused by the proxy: 407 Proxy Auth Required"; err.Error() != want {
			t.Errorf("the error reads %q, want %q", err, want)
		}
	})
}

// What is no answer fails at once, and is not waited for: the peer of this test
// does not end.
func TestConnectRefusesGarbageAtOnce(t *testing.T) {
	for name, answer := range map[string]string{
		"another protocol":  "220 mx ESMTP\r\n",
		"one byte":          "S",
		"bare LF":           "HTTP/1.1 200 OK\n\n",
		"version 2":         "HTTP/2.0 200 OK\r\n\r\n",
		"no status":         "HTTP/1.1 OK 200 fine\r\n\r\n",
		"a long status":     "HTTP/1.1 2000 fine\r\n\r\n",
		"a negative status": "HTTP/1.1 -20 fine\r\n\r\n",
		"status below 100":  "HTTP/1.1 020 fine\r\n\r\n",
		"folded":            "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n",
		"space in name":     "HTTP/1.1 200 OK\r\nA : b\r\n\r\n",
		"no colon":          "HTTP/1.1 200 OK\r\nA\r\n\r\n",
		"bare CR":           "HTTP/1.1 200 OK\r\nA: b\rc\r\n\r\n",
		"NUL":               "HTTP/1.1 200 OK\r\nA: \x00\r\n\r\n",
		"upgrade":           "HTTP/1.1 101 Switching Protocols\r\n\r\n",
		"endless line":      "HTTP/1.1 200 " + strings.Repeat("x", 20<<10),
		"endless fields":    "HTTP/1.1 200 OK\r\n" + strings.Repeat("A: b\r\n", 4<<10),
		"endless interim":   strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", 1<<10),
	} {
		t.Run(name, func(t *testing.T) {
			pieces(t, func(t *testing.T, a, b trigo.Stream) {
				answered(t, b, answer, false)
				wantFailure(t, proxy.Connect(t.Context(), a, "example.org:443", nil), "connect", proxy.ErrProtocol)
			})
		})
	}
}

func TestConnectNeedsAWholeAnswer(t *testing.T) {
	const whole = "HTTP/1.1 200 OK\r\nA: b\r\n\r\n"
	for n := range len(whole) {
		pieces(t, func(t *testing.T, a, b trigo.Stream) {
			answered(t, b, whole[:n], true)
			wantFailure(t, proxy.Connect(t.Context(), a, "example.org:443", nil), "connect", io.ErrUnexpectedEOF)
		})
	}
}

func TestMistakesAreFoundBeforeAnythingIsSent(t *testing.T) {
	connect := func(target string, opts *proxy.ConnectOptions) func(context.Context, trigo.Stream) error {
		return func(ctx context.Context, s trigo.Stream) error { return proxy.Connect(ctx, s, target, opts) }
	}
	socks := func(target string, opts *proxy.SOCKS5Options) func(context.Context, trigo.Stream) error {
		return func(ctx context.Context, s trigo.Stream) error { return proxy.SOCKS5(ctx, s, target, opts) }
	}
	header := func(h *proxy.Header) func(context.Context, trigo.Stream) error {
		return func(ctx context.Context, s trigo.Stream) error { return proxy.SendHeader(ctx, s, h) }
	}
	for name, call := range map[string]func(context.Context, trigo.Stream) error{
		"no port":           connect("example.org", nil),
		"a named port":      connect("example.org:http", nil),
		"port out of range": connect("example.org:65536", nil),
		"no host":           connect(":80", nil),
		"a split request":   connect("a\r\nX: y:80", nil),
		"a space":           connect("a b:80", nil),
		"a zone":            connect("[fe80::1%eth0]:80", nil),
		"a name in []":      connect("[example.org]:80", nil),
		"colon in user":     connect("a:80", &proxy.ConnectOptions{Auth: &proxy.Auth{User: "a:b"}}),
		"bad field name":    connect("a:80", &proxy.ConnectOptions{Header: textproto.MIMEHeader{"A b": {"c"}}}),
		"bad field value":   connect("a:80", &proxy.ConnectOptions{Header: textproto.MIMEHeader{"A": {"b\r\nC: d"}}}),
		"a second host":     connect("a:80", &proxy.ConnectOptions{Header: textproto.MIMEHeader{"Host": {"b"}}}),
		"two accounts": connect("a:80", &proxy.ConnectOptions{
			Auth:   &proxy.Auth{User: "a"},
			Header: textproto.MIMEHeader{"Proxy-Authorization": {"Basic x"}},
		}),
		"long name":     socks(strings.Repeat("a", 256)+":80", nil),
		"no user":       socks("a:80", &proxy.SOCKS5Options{Auth: &proxy.Auth{}}),
		"long user":     socks("a:80", &proxy.SOCKS5Options{Auth: &proxy.Auth{User: strings.Repeat("a", 256)}}),
		"long password": socks("a:80", &proxy.SOCKS5Options{Auth: &proxy.Auth{User: "a", Password: strings.Repeat("a", 256)}}),
		"version":       header(&proxy.Header{Version: 3}),
		"LOCAL in 1":    header(&proxy.Header{Version: 1, Local: true}),
		"TLVs in 1":     header(&proxy.Header{Version: 1, TLVs: []proxy.TLV{{}}}),
		"long TLV":      header(&proxy.Header{Version: 2, TLVs: []proxy.TLV{{Value: make([]byte, 65536)}}}),
		"long TLVs":     header(&proxy.Header{Version: 2, TLVs: []proxy.TLV{{Value: make([]byte, 65535)}}}),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, b := trigotest.NewMemoryPair()
				defer b.Close(t.Context())
				defer a.Close(t.Context())
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				err := call(ctx, a)
				if err == nil || errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("got %v", err)
				}
				if got := rest(t, a, b); got != "" {
					t.Errorf("it had sent %q", got)
				}
			})
		})
	}
}

func TestNamesBeyondASCIIGoOutAsTheDNSHasThem(t *testing.T) {
	pieces(t, func(t *testing.T, a, b trigo.Stream) {
		answered(t, b, "HTTP/1.1 200 OK\r\n\r\n", false)
		check(t, proxy.Connect(t.Context(), a, "Bücher.example:80", nil))
		if got := rest(t, a, b); !strings.HasPrefix(got, "CONNECT xn--bcher-kva.example:80 ") {
			t.Errorf("the request was %q", got)
		}
	})
}

// Before, during, and out of time.
func TestCancelledHandshakes(t *testing.T) {
	for name, call := range map[string]func(context.Context, trigo.Stream) error{
		"connect": func(ctx context.Context, s trigo.Stream) error { return proxy.Connect(ctx, s, "a:1", nil) },
		"accept connect": func(ctx context.Context, s trigo.Stream) error {
			_, err := proxy.AcceptConnect(ctx, s)
			return err
		},
		"socks5": func(ctx context.Context, s trigo.Stream) error { return proxy.SOCKS5(ctx, s, "a:1", nil) },
		"accept proxy header": func(ctx context.Context, s trigo.Stream) error {
			_, err := proxy.AcceptHeader(ctx, s)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, b := trigotest.NewMemoryPair()
				defer b.Close(t.Context())
				defer a.Close(t.Context())

				cause := errors.New("enough")
				dead, cancel := context.WithCancelCause(t.Context())
				cancel(cause)
				wantFailure(t, call(dead, a), name, context.Canceled, cause)

				during, cancel := context.WithCancelCause(t.Context())
				time.AfterFunc(time.Second, func() { cancel(cause) })
				wantFailure(t, call(during, a), name, context.Canceled, cause)

				late, stop := context.WithTimeout(t.Context(), time.Second)
				defer stop()
				wantFailure(t, call(late, a), name, context.DeadlineExceeded)
			})
		})
	}
}
