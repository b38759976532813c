package tlsstream

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"testing"
	"time"

	"trigo"
	"trigo/netstream"
	"trigo/nursery"
	"trigo/trigotest"
)

func echoHandler(ctx context.Context, s *Stream) error {
	for chunk, err := range trigo.Chunks(ctx, s) {
		if err != nil {
			return err
		}
		if err := s.SendAll(ctx, chunk); err != nil {
			return err
		}
	}
	return s.Close(ctx)
}

// serving runs ServeTCP while body runs, and returns its error.
func serving(t *testing.T, config *tls.Config, opts ServeTCPOptions, body func(l *Listener)) error {
	t.Helper()
	return nursery.Run(t.Context(), func(ctx context.Context, n *nursery.Nursery) error {
		ls, err := nursery.Start(ctx, n, func(ctx context.Context, started func([]*Listener)) error {
			opts.Ready = started
			return ServeTCP(ctx, "127.0.0.1:0", config, echoHandler, &opts)
		})
		if err != nil {
			return err
		}
		body(ls[0])
		n.Cancel(nil)
		return nil
	})
}

func address(t *testing.T, l *Listener) string {
	t.Helper()
	socket, ok := trigo.As[*netstream.Listener](l)
	if !ok {
		t.Fatal("no socket below the listener")
	}
	return socket.Addr().String()
}

type answers map[string][]netip.Addr

func (a answers) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	if found, ok := a[host]; ok {
		return found, nil
	}
	return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
}

func TestDialAndServeTCP(t *testing.T) {
	trigotest.LeakCheck(t)
	international, err := identity().ca.Leaf(nil, "xn--bcher-kva.example", "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	sconfig := serverConfig()
	sconfig.Certificates = append([]tls.Certificate{international}, sconfig.Certificates...) // the first is for those who ask for no name
	trusting := &tls.Config{RootCAs: identity().ca.Pool(), Time: now}
	ctx := netstream.WithResolver(t.Context(), answers{
		"xn--bcher-kva.example": {netip.MustParseAddr("127.0.0.1")},
		testName:                {netip.MustParseAddr("127.0.0.1")},
		"other.example":         {netip.MustParseAddr("127.0.0.1")},
	})
	err = serving(t, sconfig, ServeTCPOptions{}, func(l *Listener) {
		_, port, _ := net.SplitHostPort(address(t, l))
		for _, host := range []string{testName, "b\u00fccher.example", "127.0.0.1"} {
			s, err := DialTCP(ctx, net.JoinHostPort(host, port), trusting, nil)
			if err != nil {
				t.Fatal(err)
			}
			sendString(t, s, "hello")
			receiveString(t, s, "hello")
			mustClose(t, s)
		}
		for host, config := range map[string]*tls.Config{testName: nil, "other.example": trusting} {
			s, err := DialTCP(ctx, net.JoinHostPort(host, port), config, nil)
			if err != nil {
				t.Fatal(err)
			}
			err = s.Handshake(t.Context())
			wantIs(t, host, err, trigo.ErrBroken)
			wantText(t, err, "handshake tls "+host+" over tcp 127.0.0.1:"+port)
			s.Abort()
		}
		if _, err := DialTCP(ctx, "b\u00fccher", trusting, nil); err == nil {
			t.Error("dialled what is no address")
		}
		s, err := DialTCP(ctx, net.JoinHostPort(testName, port), trusting, &DialOptions{TLS: Options{HTTPSCompatible: true}})
		if err != nil || !s.https {
			t.Errorf("the option was not passed on: %v", err)
		}
		s.Abort()
	})
	if err != nil {
		t.Error(err)
	}
	if trusting.ServerName != "" {
		t.Error("the configuration of the caller was changed")
	}
}

// A client that stalls keeps nobody waiting, and one that talks nonsense ends
// nothing but itself.
func TestServeOutlivesBadHandshakes(t *testing.T) {
	trigotest.LeakCheck(t)
	failures := make(chan error, 10)
	opts := ServeTCPOptions{HandshakeTimeout: 200 * time.Millisecond, HandshakeError: func(err error) { failures <- err }}
	err := serving(t, serverConfig(), opts, func(l *Listener) {
		dial := func() net.Conn {
			c, err := net.Dial("tcp", address(t, l))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { c.Close() })
			return c
		}
		dial() // stalls
		dial().Write([]byte("GET / HTTP/1.0\r\n\r\n"))
		dial().Close()
		s, err := DialTCP(t.Context(), address(t, l), clientConfig13(), nil)
		if err != nil {
			t.Fatal(err)
		}
		sendString(t, s, "x")
		receiveString(t, s, "x")
		mustClose(t, s)
		timeouts := 0
		for range 3 {
			if err := <-failures; errors.Is(err, context.DeadlineExceeded) {
				timeouts++
			} else {
				wantIs(t, "failure", err, trigo.ErrBroken)
			}
		}
		if timeouts != 1 {
			t.Errorf("%d handshakes ran out of time, want that of the client that stalls", timeouts)
		}
	})
	if err != nil {
		t.Error(err)
	}
}

func TestListener(t *testing.T) {
	trigotest.LeakCheck(t)
	ls, err := ListenTCP(t.Context(), "127.0.0.1:0", serverConfig(), &ListenOptions{TLS: Options{HTTPSCompatible: true}})
	if err != nil {
		t.Fatal(err)
	}
	l := ls[0]
	c, err := net.Dial("tcp", address(t, l))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	s, err := l.Accept(t.Context()) // though the client says nothing
	if err != nil || !s.https {
		t.Fatalf("%v; the option was passed on: %v", err, s.https)
	}
	if _, err := s.ConnectionState(); !errors.Is(err, trigo.ErrNeedHandshake) {
		t.Error(err)
	}
	s.Abort()
	mustClose(t, l)
	_, err = l.Accept(t.Context())
	wantIs(t, "accept", err, trigo.ErrClosed)
	if want := "tls over tcp " + address(t, l); l.String() != want {
		t.Errorf("got %q, want %q", l, want)
	}
}
