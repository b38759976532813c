package proxy_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"trigo"
	"trigo/proxy"
	"trigo/trigotest"
)

func TestAcceptConnectTakesTheRequestAndNothingBeyond(t *testing.T) {
	pieces(t, func(t *testing.T, a, b trigo.Stream) {
		const early = "\x16\x03\x01 hello"
		answered(t, a, "CONNECT Example.org:0443 HTTP/1.1\r\nHost: x\r\nX-A: 1\r\nproxy-authorization: basic  QWxhZGRpbjpvcGVuOnNlc2FtZQ==\r\n\r\n"+early, false)
		r, err := proxy.AcceptConnect(t.Context(), b)
		check(t, err)
		if r.Target != "Example.org:443" || r.Auth == nil || *r.Auth != (proxy.Auth{User: "Aladdin", Password: "open:sesame"}) || r.Header.Get("X-A") != "1" {
			t.Errorf("got %+v, %+v", r, r.Auth)
		}
		check(t, r.Accept(t.Context()))
		if got := rest(t, a, b); got != early {
			t.Errorf("the tunnel brings %q, want %q", got, early)
		}
		if got := rest(t, b, a); got != "HTTP/1.1 200 Connection established\r\n\r\n" {
			t.Errorf("the answer was %q", got)
		}
	})
}

func TestRefuseIsWhatConnectIsToldOf(t *testing.T) {
	for code, reason := range map[int]string{403: "Forbidden", 407: "Proxy Authentication Required", 499: "Refused"} {
		synctest.Test(t, func(t *testing.T) {
			a, b := trigotest.NewMemoryPair()
			defer a.Close(t.Context())
			done := make(chan error, 1)
			go func() {
				r, err := proxy.AcceptConnect(t.Context(), b)
				if err == nil {
					err = r.Refuse(t.Context(), code)
				}
				if err == nil {
					err = trigo.LingeringClose(t.Context(), b)
				}
				done <- err
			}()
			r := wantRefused(t, proxy.Connect(t.Context(), a, "a:1", nil), code, reason)
			if asks := r.Header.Get("Proxy-Authenticate") != ""; asks != (code == 407) {
				t.Errorf("%d: asks for an account: %v", code, asks)
			}
			check(t, a.Close(t.Context()))
			check(t, <-done)
		})
	}
}

func TestACancelledAnswerTellsHowMuchOfItWentOut(t *testing.T) {
	for op, answer := range map[string]func(ctx context.Context, r *proxy.ConnectRequest) error{
		"accept": func(ctx context.Context, r *proxy.ConnectRequest) error { return r.Accept(ctx) },
		"refuse": func(ctx context.Context, r *proxy.ConnectRequest) error { return r.Refuse(ctx, 403) },
	} {
		synctest.Test(t, func(t *testing.T) {
			a, b := trigotest.NewLockstepPair()
			defer a.Close(t.Context())
			defer b.Close(t.Context())
			asked := make(chan error, 1)
			go func() { asked <- a.SendAll(t.Context(), []byte("CONNECT a:1 HTTP/1.1\r\n\r\n")) }()
			r, err := proxy.AcceptConnect(t.Context(), b)
			check(t, err)
			check(t, <-asked)
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() { done <- answer(ctx, r) }()
			n, err := a.ReceiveSome(t.Context(), make([]byte, 5))
			check(t, err)
			cancel()
			err = <-done
			wantFailure(t, err, op, context.Canceled)
			var o *trigo.OpError
			if errors.As(err, &o); o.N != int64(n) {
				t.Errorf("%s: %d bytes went out, and the error says %d", op, n, o.N)
			}
		})
	}
}

func TestOnlyErrorsRefuse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := trigotest.NewMemoryPair()
		defer a.Close(t.Context())
		defer b.Close(t.Context())
		answered(t, a, "CONNECT a:1 HTTP/1.1\r\n\r\n", false)
		r, err := proxy.AcceptConnect(t.Context(), b)
		check(t, err)
		if err := r.Refuse(t.Context(), 200); err == nil {
			t.Error("refused with 200")
		}
		if got := rest(t, b, a); got != "" {
			t.Errorf("it had sent %q", got)
		}
	})
}

func TestAcceptConnectRefusesGarbageAtOnce(t *testing.T) {
	for name, request := range map[string]string{
		"another method":  "GET / HTTP/1.1\r\n",
		"TLS":             "\x16",
		"lower case":      "connect",
		"no port":         "CONNECT example HTTP/1.1\r\nHost: x\r\n\r\n",
		"a URL":           "CONNECT http://example/ HTTP/1.1\r\n\r\n",
		"two spaces":      "CONNECT  a:1 HTTP/1.1\r\n\r\n",
		"version 2":       "CONNECT a:1234 HTTP/2.0\r\n\r\n",
		"a body":          "CONNECT a:1 HTTP/1.1\r\nContent-Length: 3\r\n\r\n",
		"two lengths":     "CONNECT a:1 HTTP/1.1\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n",
		"a chunked body":  "CONNECT a:1 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
		"folded, no host": "CONNECT a:1 HTTP/1.1\r\n\tb\r\n\r\n",
		"bare LF":         "CONNECT a:1 HTTP/1.1\nHost: x\n\n",
	} {
		t.Run(name, func(t *testing.T) {
			pieces(t, func(t *testing.T, a, b trigo.Stream) {
				answered(t, a, request, false)
				_, err := proxy.AcceptConnect(t.Context(), b)
				wantFailure(t, err, "accept connect", proxy.ErrProtocol)
			})
		})
	}
}

// A handshake that is cancelled anywhere returns only that, and leaves nothing
// behind; one that succeeds all the same has made a tunnel.
func TestSweepConnect(t *testing.T) {
	trigotest.SweepCancel(t, func(ctx context.Context, s *trigotest.Sweep) error {
		x, y := trigotest.NewLockstepPair()
		a := s.Wrap(x)
		s.Close(y)
		s.Peer(func(ctx context.Context) error {
			r, err := proxy.AcceptConnect(ctx, y)
			if err != nil {
				return err
			}
			return r.Accept(ctx)
		})
		if err := proxy.Connect(ctx, a, "a:1", nil); err != nil {
			return err
		}
		s.Usable(a, y)
		return nil
	}, &trigotest.SweepOptions{Bubble: true})
}

func TestSweepAcceptConnect(t *testing.T) {
	trigotest.SweepCancel(t, func(ctx context.Context, s *trigotest.Sweep) error {
		x, y := trigotest.NewLockstepPair()
		b := s.Wrap(y)
		s.Close(x)
		s.Peer(func(ctx context.Context) error { return proxy.Connect(ctx, x, "a:1", nil) })
		r, err := proxy.AcceptConnect(ctx, b)
		if err != nil {
			return err
		}
		return r.Accept(ctx)
	}, &trigotest.SweepOptions{Bubble: true})
}
