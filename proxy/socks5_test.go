package proxy_test

import (
	"context"
	"errors"
	"io"
	"net/netip"
	"testing"
	"testing/synctest"

	"trigo"
	"trigo/proxy"
	"trigo/trigotest"
)

func TestSOCKS5TakesTheAnswerAndNothingBeyond(t *testing.T) {
	lookup := func(addr string) func(context.Context, string) (netip.Addr, error) {
		return func(_ context.Context, host string) (netip.Addr, error) {
			if host != "name.example" {
				t.Errorf("looked up %q", host)
			}
			return netip.MustParseAddr(addr), nil
		}
	}
	account := &proxy.Auth{User: "us", Password: "pw"}
	const bound4 = "\x00\x01\x7f\x00\x00\x01\x00\x50"
	for name, c := range map[string]struct {
		target string
		opts   *proxy.SOCKS5Options
		answer string
		sent   string
	}{
		"name": {"name.example:80", nil,
			"\x05\x00" + "\x05\x00" + bound4,
			"\x05\x01\x00" + "\x05\x01\x00\x03\x0cname.example\x00\x50"},
		"IPv4": {"1.2.3.4:258", nil,
			"\x05\x00" + "\x05\x00" + bound4,
			"\x05\x01\x00" + "\x05\x01\x00\x01\x01\x02\x03\x04\x01\x02"},
		"IPv6, bound to IPv6": {"[::5]:1", nil,
			"\x05\x00" + "\x05\x00\x00\x04" + "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01" + "\x00\x50",
			"\x05\x01\x00" + "\x05\x01\x00\x04" + "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x05" + "\x00\x01"},
		"bound to a name": {"1.2.3.4:1", nil,
			"\x05\x00" + "\x05\x00\x00\x03\x02ab\x00\x50",
			"\x05\x01\x00" + "\x05\x01\x00\x01\x01\x02\x03\x04\x00\x01"},
		"looked up here": {"name.example:80", &proxy.SOCKS5Options{Lookup: lookup("9.8.7.6")},
			"\x05\x00" + "\x05\x00" + bound4,
			"\x05\x01\x00" + "\x05\x01\x00\x01\x09\x08\x07\x06\x00\x50"},
		"looked up as mapped": {"name.example:80", &proxy.SOCKS5Options{Lookup: lookup("::ffff:9.8.7.6")},
			"\x05\x00" + "\x05\x00" + bound4,
			"\x05\x01\x00" + "\x05\x01\x00\x01\x09\x08\x07\x06\x00\x50"},
		"account": {"1.2.3.4:1", &proxy.SOCKS5Options{Auth: account},
			"\x05\x02" + "\x01\x00" + "\x05\x00" + bound4,
			"\x05\x02\x00\x02" + "\x01\x02us\x02pw" + "\x05\x01\x00\x01\x01\x02\x03\x04\x00\x01"},
		"account not wanted": {"1.2.3.4:1", &proxy.SOCKS5Options{Auth: account},
			"\x05\x00" + "\x05\x00" + bound4,
			"\x05\x02\x00\x02" + "\x05\x01\x00\x01\x01\x02\x03\x04\x00\x01"},
	} {
		t.Run(name, func(t *testing.T) {
			pieces(t, func(t *testing.T, a, b trigo.Stream) {
				const banner = "\x05\x00 hello"
				answered(t, b, c.answer+banner, false)
				check(t, proxy.SOCKS5(t.Context(), a, c.target, c.opts))
				if got := rest(t, b, a); got != banner {
					t.Errorf("the tunnel brings %q, want %q", got, banner)
				}
				if got := rest(t, a, b); got != c.sent {
					t.Errorf("sent %q, want %q", got, c.sent)
				}
			})
		})
	}
}

// The peer of this test does not end: nothing is waited for once it is clear
// how it ends.
func TestSOCKS5FailsAtOnce(t *testing.T) {
	account := &proxy.SOCKS5Options{Auth: &proxy.Auth{User: "u"}}
	refused := func(code int, reason string) error {
		return &proxy.RefusedError{Protocol: "socks5", Code: code, Reason: reason}
	}
	for name, c := range map[string]struct {
		opts   *proxy.SOCKS5Options
		answer string
		want   error
	}{
		"another protocol":     {nil, "H", proxy.ErrProtocol},
		"version 4":            {nil, "\x00\x5a", proxy.ErrProtocol},
		"account wanted":       {nil, "\x05\xff", refused(proxy.NoMethod, "it wants authentication")},
		"GSSAPI wanted":        {account, "\x05\xff", refused(proxy.NoMethod, "it accepts neither this account's method nor none")},
		"method not offered":   {nil, "\x05\x02", proxy.ErrProtocol},
		"wrong password":       {account, "\x05\x02\x01\x01", refused(proxy.BadAccount, "user or password not accepted")},
		"account of version 5": {account, "\x05\x02\x05", proxy.ErrProtocol},
		"forbidden":            {nil, "\x05\x00\x05\x02", refused(2, "not allowed by its rules")},
		"connection refused":   {nil, "\x05\x00\x05\x05", refused(5, "connection refused")},
		"unknown reply":        {nil, "\x05\x00\x05\x63", refused(99, "reply 99")},
		"reply of version 4":   {nil, "\x05\x00\x04", proxy.ErrProtocol},
		"reserved byte":        {nil, "\x05\x00\x05\x00\x01\x01", proxy.ErrProtocol},
		"type of address":      {nil, "\x05\x00\x05\x00\x00\x02", proxy.ErrProtocol},
	} {
		t.Run(name, func(t *testing.T) {
			pieces(t, func(t *testing.T, a, b trigo.Stream) {
				answered(t, b, c.answer, false)
				err := proxy.SOCKS5(t.Context(), a, "a:1", c.opts)
				if want, ok := c.want.(*proxy.RefusedError); ok {
					wantFailure(t, err, "socks5", proxy.ErrRefused)
					wantRefused(t, err, want.Code, want.Reason)
				} else {
					wantFailure(t, err, "socks5", c.want)
				}
			})
		})
	}
}

func TestSOCKS5NeedsAWholeAnswer(t *testing.T) {
	const whole = "\x05\x02\x01\x00\x05\x00\x00\x03\x02ab\x00\x50"
	for n := range len(whole) {
		pieces(t, func(t *testing.T, a, b trigo.Stream) {
			answered(t, b, whole[:n], true)
			err := proxy.SOCKS5(t.Context(), a, "a:1", &proxy.SOCKS5Options{Auth: &proxy.Auth{User: "u"}})
			wantFailure(t, err, "socks5", io.ErrUnexpectedEOF)
		})
	}
}

func TestSOCKS5SaysWhyALookupFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := trigotest.NewMemoryPair()
		defer a.Close(t.Context())
		defer b.Close(t.Context())
		unknown := errors.New("no such name")
		err := proxy.SOCKS5(t.Context(), a, "a:1", &proxy.SOCKS5Options{
			Lookup: func(context.Context, string) (netip.Addr, error) { return netip.Addr{}, unknown },
		})
		wantFailure(t, err, "socks5", unknown)
		if got := rest(t, a, b); got != "" {
			t.Errorf("it had sent %q", got)
		}
	})
}

func TestSweepSOCKS5(t *testing.T) {
	trigotest.SweepCancel(t, func(ctx context.Context, s *trigotest.Sweep) error {
		x, y := trigotest.NewLockstepPair()
		a := s.Wrap(x)
		s.Close(y)
		s.Peer(func(ctx context.Context) error {
			_, _, err := acceptSOCKS5(ctx, y, 0)
			return err
		})
		if err := proxy.SOCKS5(ctx, a, "a:1", &proxy.SOCKS5Options{Auth: &proxy.Auth{User: "u", Password: "p"}}); err != nil {
			return err
		}
		s.Usable(a, y)
		return nil
	}, &trigotest.SweepOptions{Bubble: true})
}

// acceptSOCKS5 is the server's side: enough of it for a client that behaves. It
// wants an account, and answers with code.
func acceptSOCKS5(ctx context.Context, s trigo.Stream, code byte) (target string, account *proxy.Auth, err error) {
	r := trigo.NewBufferedReceiver(s)
	element := func() string { // a byte for the length, and so many bytes
		var p []byte
		if err == nil {
			p, err = r.ReceiveExactly(ctx, 1)
		}
		if err == nil {
			p, err = r.ReceiveExactly(ctx, int(p[0]))
		}
		return string(p)
	}
	fixed := func(n int) []byte {
		var p []byte
		if err == nil {
			p, err = r.ReceiveExactly(ctx, n)
		}
		return append(p, make([]byte, n)...)
	}
	send := func(text string) {
		if err == nil {
			err = s.SendAll(ctx, []byte(text))
		}
	}
	fixed(1)
	element()
	send("\x05\x02")
	fixed(1)
	account = &proxy.Auth{User: element(), Password: element()}
	send("\x01\x00")
	var host string
	switch fixed(4)[3] {
	case 1:
		host = netip.AddrFrom4([4]byte(fixed(4))).String()
	case 4:
		host = "[" + netip.AddrFrom16([16]byte(fixed(16))).String() + "]"
	default:
		host = element()
	}
	port := fixed(2)
	target = netip.AddrPortFrom(netip.IPv4Unspecified(), uint16(port[0])<<8|uint16(port[1])).String()
	target = host + target[len("0.0.0.0"):]
	send("\x05" + string(code) + "\x00\x01\x00\x00\x00\x00\x00\x00")
	return target, account, err
}
