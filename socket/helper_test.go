//go:build linux || darwin || freebsd

package socket

import (
	"context"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"trigo"
	"trigo/nursery"
)

const (
	inet   = syscall.AF_INET
	inet6  = syscall.AF_INET6
	unixAF = syscall.AF_UNIX
	stream = syscall.SOCK_STREAM
	dgram  = syscall.SOCK_DGRAM
)

// patience bounds every wait for something that must happen.
const patience = 10 * time.Second

func bounded(tb testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	tb.Cleanup(cancel)
	return ctx
}

func deadCtx() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

func must[T any](tb testing.TB) func(v T, err error) T {
	return func(v T, err error) T {
		tb.Helper()
		if err != nil {
			tb.Fatal(err)
		}
		return v
	}
}

func ok(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

func wantIs(tb testing.TB, what string, err, target error) {
	tb.Helper()
	if !errors.Is(err, target) {
		tb.Errorf("%s: %v, want an error that Is %v", what, err, target)
	}
}

// wantCancelled checks the error of a call that ctx ended.
func wantCancelled(tb testing.TB, ctx context.Context, what string, err error) {
	tb.Helper()
	if !nursery.IsCancellation(ctx, err) {
		tb.Errorf("%s: %v, want a cancellation", what, err)
	}
}

func wantBadAddr(tb testing.TB, what string, err error) {
	tb.Helper()
	var bad *AddrError
	if !errors.As(err, &bad) {
		tb.Errorf("%s: %v, want an AddrError", what, err)
	}
}

// open returns a socket that is closed at the end of the test.
func open(tb testing.TB, family, typ, proto int) *Socket {
	tb.Helper()
	s, err := New(context.Background(), family, typ, proto)
	if err != nil {
		tb.Fatal(err)
	}
	closeLater(tb, s)
	return s
}

func closeLater(tb testing.TB, sockets ...*Socket) {
	tb.Cleanup(func() {
		for _, s := range sockets {
			s.Close(context.Background())
		}
	})
}

func pair(tb testing.TB, typ int) (a, b *Socket) {
	tb.Helper()
	a, b, err := Pair(unixAF, typ, 0)
	if err != nil {
		tb.Fatal(err)
	}
	closeLater(tb, a, b)
	return a, b
}

func loopback(family int, port uint16) IPAddr {
	if family == inet6 {
		return IP(netip.AddrPortFrom(netip.IPv6Loopback(), port))
	}
	return IP(netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), port))
}

// bound returns a socket bound to a free port of the loopback, and its address.
func bound(tb testing.TB, family, typ int) (*Socket, IPAddr) {
	tb.Helper()
	s := open(tb, family, typ, 0)
	if err := s.Bind(context.Background(), loopback(family, 0)); err != nil {
		if family == inet6 && errors.Is(err, syscall.EADDRNOTAVAIL) {
			tb.Skip("no IPv6 on this machine")
		}
		tb.Fatal(err)
	}
	return s, must[Addr](tb)(s.Getsockname()).(IPAddr)
}

func listening(tb testing.TB, family int) (*Socket, IPAddr) {
	tb.Helper()
	s, addr := bound(tb, family, stream)
	ok(tb, s.Listen(0))
	return s, addr
}

// connected returns both ends of a TCP connection.
func connected(tb testing.TB) (client, server *Socket) {
	tb.Helper()
	ctx := bounded(tb)
	l, addr := listening(tb, inet)
	client = open(tb, inet, stream, 0)
	ok(tb, client.Connect(ctx, addr))
	server, _, err := l.Accept(ctx)
	ok(tb, err)
	closeLater(tb, server)
	return client, server
}

// async runs f in a goroutine and returns a function that waits for its result.
func async(tb testing.TB, f func() error) (wait func() error) {
	done := make(chan error, 1)
	go func() { done <- f() }()
	return func() error {
		tb.Helper()
		select {
		case err := <-done:
			return err
		case <-time.After(patience):
			buf := make([]byte, 1<<16)
			tb.Fatalf("still blocked; goroutines:\n%s", buf[:runtime.Stack(buf, true)])
			return nil
		}
	}
}

// untilParked waits until n goroutines are parked on a descriptor.
func untilParked(tb testing.TB, n int) {
	tb.Helper()
	buf := make([]byte, 4<<20)
	for deadline := time.Now().Add(patience); ; runtime.Gosched() {
		if strings.Count(string(buf[:runtime.Stack(buf, true)]), "[IO wait") >= n {
			return
		}
		if time.Now().After(deadline) {
			tb.Fatal("nobody waits")
		}
	}
}

// socketPath returns a path short enough for a socket.
func socketPath(tb testing.TB) string {
	tb.Helper()
	dir, err := os.MkdirTemp("", "s")
	ok(tb, err)
	tb.Cleanup(func() { os.RemoveAll(dir) })
	return filepath.Join(dir, "s")
}

// clog fills the sending half of s.
func clog(tb testing.TB, s *Socket) {
	tb.Helper()
	p := make([]byte, 64<<10)
	for {
		if _, err := s.Send(context.Background(), p, msgDontWait); err != nil {
			wantIs(tb, "send on a full socket", err, trigo.ErrWouldBlock)
			return
		}
	}
}
