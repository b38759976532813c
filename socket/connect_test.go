//go:build linux || darwin || freebsd

package socket

import (
	"context"
	"errors"
	"io"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"trigo"
	"trigo/nursery"
	"trigo/trigotest"
)

// Trio: test_SocketType_simple_server
func TestServerAndClientAgreeOnAddresses(t *testing.T) {
	for _, family := range []int{inet, inet6} {
		l, addr := listening(t, family)
		client := open(t, family, stream, 0)
		wait := async(t, func() error { return client.Connect(bounded(t), addr) })
		server, from, err := l.Accept(bounded(t))
		ok(t, err)
		closeLater(t, server)
		ok(t, wait())
		local, err := client.Getsockname()
		ok(t, err)
		peer, err := server.Getpeername()
		ok(t, err)
		if from != local || peer != local {
			t.Errorf("accepted from %v, peer %v, want %v", from, peer, local)
		}
		if peer, err := client.Getpeername(); err != nil || peer != Addr(addr) {
			t.Errorf("connected to %v (%v), want %v", peer, err, addr)
		}
		if server.Family() != family || server.Type() != stream {
			t.Errorf("accepted family %d type %d", server.Family(), server.Type())
		}
		_, err = server.Send(bounded(t), []byte("x"), 0)
		ok(t, err)
		buf := make([]byte, 1)
		if n, err := client.Recv(bounded(t), buf, 0); n != 1 || err != nil || buf[0] != 'x' {
			t.Error(n, err)
		}
	}
}

// Trio: test_SocketType_connect_paths
func TestConnectRefused(t *testing.T) {
	s, addr := bound(t, inet, stream) // bound, and not listening
	_ = s
	client := open(t, inet, stream, 0)
	err := client.Connect(bounded(t), addr)
	wantIs(t, "Connect", err, syscall.ECONNREFUSED)
	if !strings.Contains(err.Error(), addr.String()) { // Trio: test_address_in_socket_error
		t.Errorf("%q does not name %v", err, addr)
	}
	if client.Closed() {
		t.Error("a refused connect closed the socket")
	}
}

func TestConnectWithDeadCtxClosesTheSocket(t *testing.T) {
	_, addr := listening(t, inet)
	for _, to := range []Addr{addr, HostAddr{Host: "127.0.0.1", Port: "80"}} {
		s := open(t, inet, stream, 0)
		ctx := deadCtx()
		wantCancelled(t, ctx, "Connect", s.Connect(ctx, to))
		if !s.Closed() {
			t.Error("still open")
		}
	}
}

// full returns a TCP address that does not answer: its backlog is full.
func full(t *testing.T) IPAddr {
	t.Helper()
	l, addr := bound(t, inet, stream)
	ok(t, l.Listen(1))
	for range 8 {
		ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
		err := open(t, inet, stream, 0).Connect(ctx, addr)
		cancel()
		if nursery.IsCancellation(ctx, err) {
			return addr
		}
		ok(t, err)
	}
	t.Skip("this system never lets a backlog be full")
	return addr
}

func TestCancelDuringConnectClosesTheSocket(t *testing.T) {
	trigotest.LeakCheck(t)
	addr := full(t)
	s := open(t, inet, stream, 0)
	ctx, cancel := context.WithCancel(context.Background())
	wait := async(t, func() error { return s.Connect(ctx, addr) })
	untilParked(t, 1)
	cancel()
	wantCancelled(t, ctx, "Connect", wait())
	if !s.Closed() {
		t.Error("still open")
	}
}

// stuckResolver waits for the end of the ctx.
type stuckResolver struct{ asked chan string }

func (r stuckResolver) LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error) {
	r.asked <- host
	<-ctx.Done()
	return nil, ctx.Err()
}

// Trio: test_resolve_address_exception_in_connect_closes_socket
func TestCancelDuringLookupClosesTheSocket(t *testing.T) {
	s := open(t, inet, stream, 0)
	r := stuckResolver{make(chan string, 1)}
	ctx, cancel := context.WithCancel(WithResolver(context.Background(), r))
	wait := async(t, func() error { return s.Connect(ctx, HostAddr{Host: "somewhere.test", Port: "80"}) })
	<-r.asked
	cancel()
	wantCancelled(t, ctx, "Connect", wait())
	if !s.Closed() {
		t.Error("still open")
	}
}

func TestCloseDuringConnectWakesIt(t *testing.T) {
	addr := full(t)
	s := open(t, inet, stream, 0)
	wait := async(t, func() error { return s.Connect(context.Background(), addr) })
	untilParked(t, 1)
	ok(t, s.Close(context.Background()))
	wantIs(t, "Connect", wait(), trigo.ErrClosed)
}

func TestAcceptIsCancelledAndLosesNothing(t *testing.T) {
	l, addr := listening(t, inet)
	ctx, cancel := context.WithCancel(context.Background())
	wait := async(t, func() error { _, _, err := l.Accept(ctx); return err })
	untilParked(t, 1)
	_, _, err := l.Accept(context.Background())
	wantIs(t, "second Accept", err, trigo.ErrBusy)
	cancel()
	wantCancelled(t, ctx, "Accept", wait())
	client := open(t, inet, stream, 0)
	ok(t, client.Connect(bounded(t), addr))
	s, _, err := l.Accept(bounded(t))
	ok(t, err)
	closeLater(t, s)
	dead := deadCtx()
	_, _, err = l.Accept(dead)
	wantCancelled(t, dead, "Accept with a dead ctx", err)
}

// Errors that need no waiting come from the first try.
func TestAcceptWithoutListenFailsAtOnce(t *testing.T) {
	s, _ := bound(t, inet, stream)
	_, _, err := s.Accept(bounded(t))
	wantIs(t, "Accept", err, syscall.EINVAL)
}

// Trio: test_SocketType_shutdown
func TestShutdown(t *testing.T) {
	for _, c := range []struct {
		how  int
		want bool
	}{{syscall.SHUT_RD, false}, {syscall.SHUT_WR, true}, {syscall.SHUT_RDWR, true}} {
		a, b := pair(t, stream)
		if a.DidShutdownWrite() {
			t.Error("shut down from birth")
		}
		ok(t, a.Shutdown(c.how))
		if a.DidShutdownWrite() != c.want {
			t.Errorf("how %d: DidShutdownWrite %v", c.how, a.DidShutdownWrite())
		}
		if !c.want {
			continue
		}
		if _, err := b.Recv(bounded(t), make([]byte, 1), 0); err != io.EOF {
			t.Errorf("the peer got %v, want bare io.EOF", err)
		}
		_, err := a.Send(bounded(t), []byte("x"), 0)
		wantIs(t, "Send after shutdown", err, syscall.EPIPE)
	}
	s := open(t, inet, stream, 0) // not connected: it fails
	wantIs(t, "Shutdown", s.Shutdown(syscall.SHUT_WR), syscall.ENOTCONN)
	if s.DidShutdownWrite() {
		t.Error("a failed shutdown counts")
	}
}

func TestHalfCloseWorks(t *testing.T) {
	a, b := connected(t)
	ok(t, a.Shutdown(syscall.SHUT_WR))
	if _, err := b.Recv(bounded(t), make([]byte, 1), 0); err != io.EOF {
		t.Fatal(err)
	}
	_, err := b.Send(bounded(t), []byte("y"), 0)
	ok(t, err)
	if n, err := a.Recv(bounded(t), make([]byte, 1), 0); n != 1 || err != nil {
		t.Error(n, err)
	}
}

// Trio: test_SocketType_is_readable
func TestIsReadable(t *testing.T) {
	a, b := pair(t, stream)
	if a.IsReadable() {
		t.Error("readable without anything to read")
	}
	_, err := b.Send(bounded(t), []byte("x"), 0)
	ok(t, err)
	ok(t, a.WaitReadable(bounded(t)))
	if !a.IsReadable() {
		t.Error("not readable")
	}
	_, err = a.Recv(bounded(t), make([]byte, 1), 0)
	ok(t, err)
	if a.IsReadable() {
		t.Error("readable after all was read")
	}
	ok(t, b.Close(context.Background()))
	if !a.IsReadable() {
		t.Error("not readable at the end")
	}
}

func TestBindUnixTwiceIsInUse(t *testing.T) {
	path := socketPath(t)
	ok(t, open(t, unixAF, dgram, 0).Bind(bounded(t), UnixAddr{Name: path}))
	err := open(t, unixAF, dgram, 0).Bind(bounded(t), UnixAddr{Name: path})
	wantIs(t, "Bind", err, syscall.EADDRINUSE)
	dead := deadCtx()
	wantCancelled(t, dead, "Bind", open(t, unixAF, dgram, 0).Bind(dead, UnixAddr{Name: path + "2"}))
}

func TestUDPIsConnectedAgainAndNotAtAll(t *testing.T) {
	ctx := bounded(t)
	one, oneAddr := bound(t, inet, dgram)
	two, twoAddr := bound(t, inet, dgram)
	s := open(t, inet, dgram, 0)
	for _, peer := range []struct {
		s    *Socket
		addr IPAddr
	}{{one, oneAddr}, {two, twoAddr}} {
		ok(t, s.Connect(ctx, peer.addr))
		_, err := s.Send(ctx, []byte("x"), 0)
		ok(t, err)
		if n, err := peer.s.Recv(ctx, make([]byte, 2), 0); n != 1 || err != nil {
			t.Error(n, err)
		}
	}
	err := s.Connect(ctx, RawAddr{AddrFamily: syscall.AF_UNSPEC, Data: strings.Repeat("\x00", 14)})
	if err != nil && !errors.Is(err, syscall.EAFNOSUPPORT) {
		t.Fatal(err)
	}
	_, err = s.Getpeername()
	wantIs(t, "Getpeername", err, syscall.ENOTCONN)
}
