//go:build !windows

package vnet_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"trigo"
	"trigo/netstream"
	"trigo/socket"
	"trigo/trigotest"
	"trigo/trigotest/vnet"
)

const (
	inet, inet6   = syscall.AF_INET, syscall.AF_INET6
	stream, dgram = syscall.SOCK_STREAM, syscall.SOCK_DGRAM
)

func TestWhatAVirtualSocketCannot(t *testing.T) {
	inWorld(t, vnet.Link{}, func(t *testing.T, w *world) {
		for _, kind := range [][2]int{{inet, syscall.SOCK_RAW}, {syscall.AF_UNIX, stream}, {syscall.AF_UNIX, dgram}, {inet6, syscall.SOCK_SEQPACKET}} {
			_, err := socket.New(w.atClient, kind[0], kind[1], 0)
			wantErr(t, fmt.Sprint("open ", kind), err, errors.ErrUnsupported)
		}
		s, err := socket.New(w.atClient, inet, dgram, 0)
		wantErr(t, "open", err, nil)
		defer s.Close(t.Context())
		wantErr(t, "an option", s.SetsockoptInt(syscall.SOL_SOCKET, syscall.SO_RCVBUF, 1), errors.ErrUnsupported)
		_, err = s.GetsockoptBytes(syscall.SOL_SOCKET, syscall.SO_LINGER, 8)
		wantErr(t, "an option", err, errors.ErrUnsupported)
		_, err = s.Dup()
		wantErr(t, "dup", err, errors.ErrUnsupported)
		_, err = s.Detach()
		wantErr(t, "detach", err, errors.ErrUnsupported)
		wantErr(t, "control", s.RawConn().Control(func(uintptr) {}), errors.ErrUnsupported)
		_, err = s.Recv(t.Context(), make([]byte, 1), syscall.MSG_OOB)
		wantErr(t, "urgent data", err, errors.ErrUnsupported)
		to := netip.MustParseAddrPort("10.0.0.2:1")
		wantErr(t, "control data", s.SendMsg(t.Context(), &socket.Message{AddrPort: to, Control: []byte("x")}, 0), errors.ErrUnsupported)
		if s.FD() != nil {
			t.Error("there is a descriptor")
		}
	})
}

func TestLookupsAskTheVirtualNetwork(t *testing.T) {
	inWorld(t, vnet.Link{}, func(t *testing.T, w *world) {
		w.Name("example.test", "10.0.0.2", "fd00::2")
		found, err := socket.Getaddrinfo(w.atClient, "example.test", "80", &socket.Hints{Type: stream})
		wantErr(t, "lookup", err, nil)
		var got []string
		for _, f := range found {
			got = append(got, f.Addr.String())
		}
		if want := []string{"10.0.0.2:80", "[fd00::2]:80"}; !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
		w.client.Name("other.test", "10.0.0.2")
		w.server.Name("example.test") // unknown to it
		for _, c := range []struct {
			ctx        context.Context
			addr, want string
		}{
			{w.atClient, "10.0.0.2:80", "example.test"},
			{w.atClient, "10.0.0.9:80", "10.0.0.9"},
			{w.atServer, "10.0.0.2:80", "10.0.0.2"},
		} {
			name, _, err := socket.Getnameinfo(c.ctx, netip.MustParseAddrPort(c.addr), 0)
			if name != c.want || err != nil {
				t.Errorf("the name of %s is %q, %v; want %q", c.addr, name, err, c.want)
			}
		}
		s, err := socket.New(w.atClient, inet, dgram, 0)
		wantErr(t, "open", err, nil)
		defer s.Close(t.Context())
		wantErr(t, "connect by name", s.Connect(w.atClient, socket.HostAddr{Host: "example.test", Port: "53"}), nil)
	})
}

func TestASocketWaitsInVirtualTime(t *testing.T) {
	inWorld(t, vnet.Link{Latency: time.Second}, func(t *testing.T, w *world) {
		l, err := socket.New(w.atServer, inet, stream, 0)
		wantErr(t, "open", err, nil)
		defer l.Close(t.Context())
		wantErr(t, "bind", l.Bind(w.atServer, socket.IP(netip.MustParseAddrPort(serverAddress))), nil)
		wantErr(t, "listen", l.Listen(1), nil)
		began := time.Now()
		a, err := socket.New(w.atClient, inet, stream, 0)
		wantErr(t, "open", err, nil)
		defer a.Close(t.Context())
		wantErr(t, "connect", a.Connect(t.Context(), socket.IP(netip.MustParseAddrPort(serverAddress))), nil)
		took(t, "the connect", began, 2*time.Second)
		b, _, err := l.Accept(t.Context())
		wantErr(t, "accept", err, nil)
		defer b.Close(t.Context())

		// A send takes what there is room for, and the next one waits.
		n, err := a.Send(t.Context(), make([]byte, 1<<20), 0)
		if n != 64<<10 || err != nil {
			t.Errorf("sent %d, %v", n, err)
		}
		_, err = a.Send(t.Context(), []byte("x"), syscall.MSG_DONTWAIT)
		wantErr(t, "send without waiting", err, trigo.ErrWouldBlock)
		short, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		n, err = a.Send(short, []byte("x"), 0)
		if n != 0 || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("sent %d, %v", n, err)
		}

		// A Close wakes everybody; a second caller is told.
		done := make(chan error)
		go func() { _, err := a.Recv(t.Context(), make([]byte, 1), 0); done <- err }()
		synctest.Wait()
		_, err = a.Recv(t.Context(), make([]byte, 1), 0)
		wantErr(t, "a second receiver", err, trigo.ErrBusy)
		a.Close(t.Context())
		wantErr(t, "the receiver", <-done, trigo.ErrClosed)

		// Also one that connects.
		c, err := socket.New(w.atClient, inet, stream, 0)
		wantErr(t, "open", err, nil)
		go func() { done <- c.Connect(t.Context(), socket.IP(netip.MustParseAddrPort(serverAddress))) }()
		synctest.Wait()
		wantErr(t, "a second connect", c.Connect(t.Context(), socket.IP(netip.MustParseAddrPort(serverAddress))), trigo.ErrBusy)
		c.Close(t.Context())
		wantErr(t, "connect", <-done, trigo.ErrClosed)
	})
}

func TestStreamsOverVirtualSockets(t *testing.T) {
	trigotest.CheckHalfCloseableStream(t, socketPair, func(ctx context.Context) (a, b *netstream.Stream, err error) {
		if a, b, err = socketPair(ctx); err != nil {
			return nil, nil, err
		}
		return a, b, errors.Join(trigotest.Clog(ctx, a), trigotest.Clog(ctx, b))
	}, bubble)
}

// socketPair is a pair of streams that were sockets before.
func socketPair(ctx context.Context) (a, b *netstream.Stream, err error) {
	w := newWorld(ctx, 1, vnet.Link{Latency: time.Millisecond})
	low, err := socket.New(w.atServer, inet, stream, 0)
	if err != nil {
		return nil, nil, err
	}
	at := socket.IP(netip.MustParseAddrPort(serverAddress))
	if err := errors.Join(low.Bind(w.atServer, at), low.Listen(1)); err != nil {
		return nil, nil, err
	}
	l, err := netstream.ListenerFromSocket(low)
	if err != nil {
		return nil, nil, err
	}
	defer l.Close(ctx)
	client, err := socket.New(w.atClient, inet, stream, 0)
	if err == nil {
		err = client.Connect(w.atClient, at)
	}
	if err != nil {
		return nil, nil, err
	}
	if a, err = netstream.FromSocket(client); err != nil {
		return nil, nil, err
	}
	b, err = l.Accept(ctx)
	return a, b, err
}

func TestAStreamAndItsSocketAreTheSame(t *testing.T) {
	inWorld(t, vnet.Link{Latency: time.Millisecond}, func(t *testing.T, w *world) {
		l := w.listen(t)
		low, err := l.Socket()
		wantErr(t, "the socket of the listener", err, nil)
		a, err := netstream.DialTCP(w.atClient, serverAddress, nil)
		wantErr(t, "dial", err, nil)
		b, _, err := low.Accept(t.Context())
		wantErr(t, "accept", err, nil)
		s, err := a.Socket()
		again, _ := a.Socket()
		if err != nil || s != again {
			t.Fatalf("%v and %v, %v", s, again, err)
		}
		_, err = s.Send(t.Context(), []byte("one,"), 0)
		wantErr(t, "send on the socket", err, nil)
		wantErr(t, "send on the stream", a.SendAll(t.Context(), []byte("two")), nil)
		elapse(t, time.Second)
		p := make([]byte, 100)
		n, err := b.Recv(t.Context(), p, 0)
		if string(p[:n]) != "one,two" || err != nil {
			t.Errorf("received %q, %v", p[:n], err)
		}
		wantErr(t, "SendEOF", a.SendEOF(t.Context()), nil)
		_, err = s.Send(t.Context(), []byte("x"), 0)
		if !s.DidShutdownWrite() || !errors.Is(err, syscall.EPIPE) {
			t.Errorf("after SendEOF: %v, %v", s.DidShutdownWrite(), err)
		}
		for _, r := range []trigo.Resource{s, b, low} {
			wantErr(t, "close", r.Close(t.Context()), nil)
		}
		wantErr(t, "send on the closed stream", a.SendAll(t.Context(), []byte("x")), trigo.ErrClosed)
		_, err = l.Accept(t.Context())
		wantErr(t, "accept on the closed listener", err, trigo.ErrClosed)
		_, err = netstream.FromSocket(low)
		wantErr(t, "a stream of a closed socket", err, trigo.ErrClosed)
		fresh, err := socket.New(w.atClient, inet, stream, 0)
		wantErr(t, "open", err, nil)
		defer fresh.Close(t.Context())
		_, err = netstream.FromSocket(fresh)
		wantErr(t, "a stream of a socket that is not connected", err, errors.ErrUnsupported)
		_, err = netstream.ListenerFromSocket(fresh)
		wantErr(t, "a listener of a socket that does not listen", err, errors.ErrUnsupported)
	})
}
