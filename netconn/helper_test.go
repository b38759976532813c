package netconn

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"testing"
	"time"

	"trigo"
	"trigo/netstream"
	"trigo/nursery"
	"trigo/tlsstream"
	"trigo/tlsstream/devcert"
	"trigo/trigotest"
)

const testName = "trigo-test-1.example.org"

var identity = sync.OnceValue(func() (id struct {
	ca   *devcert.Authority
	leaf tls.Certificate
}) {
	var err error
	if id.ca, err = devcert.NewAuthority(); err != nil {
		panic(err)
	}
	if id.leaf, err = id.ca.Leaf(nil, testName); err != nil {
		panic(err)
	}
	return id
})

func serverConfig() *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{identity().leaf}, NextProtos: []string{"h2", "http/1.1"}}
}

func clientConfig() *tls.Config {
	return &tls.Config{RootCAs: identity().ca.Pool(), ServerName: testName, NextProtos: []string{"h2", "http/1.1"}}
}

// A maker makes two connected streams.
type maker = func(ctx context.Context) (a, b trigo.Stream, err error)

func tcpPair(ctx context.Context) (a, b trigo.Stream, err error) {
	ls, err := netstream.ListenTCP(ctx, "127.0.0.1:0", nil)
	if err != nil {
		return nil, nil, err
	}
	defer trigo.CloseForcefully(ls[0])
	return connect(ctx, ls[0], func(ctx context.Context) (*netstream.Stream, error) {
		return netstream.DialTCP(ctx, ls[0].Addr().String(), nil)
	})
}

func unixPair(ctx context.Context) (a, b trigo.Stream, err error) {
	dir, err := os.MkdirTemp("", "t")
	if err != nil {
		return nil, nil, err
	}
	defer os.RemoveAll(dir)
	l, err := netstream.ListenUnix(ctx, dir+"/s", nil)
	if err != nil {
		return nil, nil, err
	}
	defer trigo.CloseForcefully(l)
	return connect(ctx, l, func(ctx context.Context) (*netstream.Stream, error) {
		return netstream.DialUnix(ctx, dir+"/s")
	})
}

func connect(ctx context.Context, l *netstream.Listener, dial func(context.Context) (*netstream.Stream, error)) (a, b trigo.Stream, err error) {
	x, err := dial(ctx)
	if err != nil {
		return nil, nil, err
	}
	y, err := l.Accept(ctx)
	if err != nil {
		return nil, nil, err
	}
	return x, y, nil
}

func memoryPair(context.Context) (a, b trigo.Stream, err error) {
	a, b = trigotest.NewMemoryPair()
	return a, b, nil
}

func lockstepPair(context.Context) (a, b trigo.Stream, err error) {
	a, b = trigotest.NewLockstepPair()
	return a, b, nil
}

// overTLS puts TLS on what a maker makes, and does the handshake.
func overTLS(maker maker) maker {
	return func(ctx context.Context) (a, b trigo.Stream, err error) {
		x, y, err := maker(ctx)
		if err != nil {
			return nil, nil, err
		}
		client, server := tlsstream.Client(x, clientConfig(), nil), tlsstream.Server(y, serverConfig(), nil)
		return client, server, nursery.Run(ctx, func(ctx context.Context, n *nursery.Nursery) error {
			n.Go(server.Handshake)
			return client.Handshake(ctx)
		})
	}
}

var makers = map[string]maker{
	"TCP":          tcpPair,
	"Unix":         unixPair,
	"TLS":          overTLS(tcpPair),
	"TLS in TLS":   overTLS(overTLS(tcpPair)),
	"TLS, no room": overTLS(lockstepPair),
	"lockstep":     lockstepPair,
}

// pair returns two connections over what a maker makes.
func pair(t testing.TB, maker maker) (a, b net.Conn) {
	t.Helper()
	x, y, err := maker(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	a, b = Conn(x, nil), Conn(y, nil)
	t.Cleanup(func() { a.Close(); b.Close() })
	return a, b
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// wantTimeout wants an error as package net makes it when a deadline passes.
func wantTimeout(t *testing.T, err error) {
	t.Helper()
	ne, ok := err.(net.Error)
	if !ok || !ne.Timeout() || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("got %v, want a timeout", err)
		return
	}
	if temporary, ok := err.(interface{ Temporary() bool }); !ok || !temporary.Temporary() {
		t.Errorf("%v is not temporary: crypto/tls would take it for the end", err)
	}
}

// took wants that something took just so long, in a bubble.
func took(t *testing.T, start time.Time, want time.Duration) {
	t.Helper()
	if got := time.Since(start); got != want {
		t.Errorf("it took %v, want %v", got, want)
	}
}

// result is what a call returned.
type result struct {
	n   int
	err error
}

func (r result) String() string { return fmt.Sprintf("%d, %v", r.n, r.err) }

func start(f func() (int, error)) <-chan result {
	done := make(chan result, 1)
	go func() {
		n, err := f()
		done <- result{n, err}
	}()
	return done
}
