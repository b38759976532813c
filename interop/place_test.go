package interop

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"trigo"
	"trigo/netconn"
	"trigo/netstream"
	"trigo/tlsstream"
	"trigo/trigotest"
)

// A place is where a server listens and how a client gets there.
type place struct {
	listener trigo.Listener[trigo.Stream]
	dial     func(ctx context.Context, address string) (trigo.Stream, error)
}

// listen returns the place's listener for a server that knows package net only.
func (p place) listen() net.Listener { return netconn.Listener(p.listener, nil) }

// connect is dial for a client that wants a connection.
func (p place) connect(ctx context.Context) (net.Conn, error) {
	return netconn.AddressDialer(p.dial, nil)(ctx, "")
}

// everywhere runs a test over every kind of stream. Each place is the test's own.
func everywhere(t *testing.T, test func(t *testing.T, p place)) {
	for _, kind := range []struct {
		name string
		open func(t *testing.T) place
	}{
		{"TCP", tcpPlace},
		{"Unix", func(t *testing.T) place { p, _ := unixPlace(t); return p }},
		{"TLS", func(t *testing.T) place { return overTLS(tcpPlace(t)) }},
		{"TLS in TLS", func(t *testing.T) place { return overTLS(overTLS(tcpPlace(t))) }},
		{"child", childPlace},
		{"memory", memoryPlace},
	} {
		t.Run(kind.name, func(t *testing.T) {
			trigotest.LeakCheck(t)
			test(t, kind.open(t))
		})
	}
}

// put is a listener whose streams are put under something.
type put[S trigo.Stream] struct {
	trigo.Listener[S]
	under func(S) trigo.Stream
}

func (l put[S]) Accept(ctx context.Context) (trigo.Stream, error) {
	s, err := l.Listener.Accept(ctx)
	if err != nil {
		return nil, err
	}
	return l.under(s), nil
}

func (l put[S]) Underlying() any { return l.Listener }

func asIs(s *netstream.Stream) trigo.Stream { return s }

func tcpPlace(t *testing.T) place {
	ls, err := netstream.ListenTCP(t.Context(), "127.0.0.1:0", nil)
	check(t, err)
	t.Cleanup(func() { trigo.CloseForcefully(ls[0]) })
	return place{put[*netstream.Stream]{ls[0], asIs}, dialTCP(ls[0].Addr().String())}
}

func unixPlace(t *testing.T) (p place, path string) {
	path = filepath.Join(shortDir(t), "s")
	l, err := netstream.ListenUnix(t.Context(), path, nil)
	check(t, err)
	t.Cleanup(func() { trigo.CloseForcefully(l) })
	return place{put[*netstream.Stream]{l, asIs}, dialUnix(path)}, path
}

// shortDir is a directory of the test whose name leaves room for that of a
// socket: t.TempDir contains the name of the test.
func shortDir(t testing.TB) string {
	dir, err := os.MkdirTemp("", "t")
	check(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// The dialers go to one address, whatever they are asked for.

type dialer = func(ctx context.Context, _ string) (trigo.Stream, error)

func dialTCP(address string) dialer {
	return func(ctx context.Context, _ string) (trigo.Stream, error) {
		s, err := netstream.DialTCP(ctx, address, nil)
		if err != nil {
			return nil, err
		}
		return s, nil
	}
}

func dialUnix(path string) dialer {
	return func(ctx context.Context, _ string) (trigo.Stream, error) {
		s, err := netstream.DialUnix(ctx, path)
		if err != nil {
			return nil, err
		}
		return s, nil
	}
}

func dialTLS(dial dialer) dialer {
	return func(ctx context.Context, _ string) (trigo.Stream, error) {
		s, err := dial(ctx, "")
		if err != nil {
			return nil, err
		}
		c := tlsstream.Client(s, clientConfig(), nil)
		if err := c.Handshake(ctx); err != nil {
			trigo.CloseForcefully(c)
			return nil, err
		}
		return c, nil
	}
}

func overTLS(p place) place {
	tlsOf := func(s trigo.Stream) trigo.Stream { return tlsstream.Server(s, serverConfig(), nil) }
	return place{put[trigo.Stream]{p.listener, tlsOf}, dialTLS(p.dial)}
}

// childPlace is a Unix socket that is reached by way of the stdio of a child.
func childPlace(t *testing.T) place {
	p, path := unixPlace(t)
	p.dial = func(ctx context.Context, _ string) (trigo.Stream, error) {
		child, err := openSelf(t, ctx, "connect stdio", path)
		if err != nil {
			return nil, err
		}
		return child.Stdio(), nil
	}
	return p
}

// memory connects within the process.
type memory struct {
	arrivals chan trigo.Stream
	closed   chan struct{}
	once     sync.Once
}

func memoryPlace(t *testing.T) place {
	m := &memory{arrivals: make(chan trigo.Stream), closed: make(chan struct{})}
	return place{m, m.dial}
}

func (m *memory) Accept(ctx context.Context) (trigo.Stream, error) {
	select {
	case s := <-m.arrivals:
		return s, nil
	case <-m.closed:
		return nil, trigo.ErrClosed
	case <-ctx.Done():
		return nil, trigo.CancelError(ctx)
	}
}

func (m *memory) Close(context.Context) error {
	m.once.Do(func() { close(m.closed) })
	return nil
}

func (m *memory) dial(ctx context.Context, _ string) (trigo.Stream, error) {
	a, b := trigotest.NewMemoryPair()
	select {
	case m.arrivals <- b:
		return a, nil
	case <-m.closed:
		return nil, fmt.Errorf("nobody listens: %w", trigo.ErrBroken)
	case <-ctx.Done():
		return nil, trigo.CancelError(ctx)
	}
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
