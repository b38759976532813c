//go:build linux || darwin || freebsd

package netstream

import (
	"context"
	"errors"
	"io"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"trigo"
	"trigo/socket"
	"trigo/trigotest"
	"trigo/trigotest/vnet"
)

// socketStreams makes streams of a pair of sockets.
func socketStreams(ctx context.Context) (a, b *Stream, err error) {
	s1, s2, err := socket.Pair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		return nil, nil, err
	}
	if a, err = FromSocket(s1); err != nil {
		return nil, nil, err
	}
	b, err = FromSocket(s2)
	return a, b, err
}

// listeningSocket returns a TCP socket that listens.
func listeningSocket(ctx context.Context) (*socket.Socket, error) {
	s, err := socket.New(ctx, syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		return nil, err
	}
	if err := s.Bind(ctx, socket.HostAddr{Host: "127.0.0.1"}); err != nil {
		return nil, err
	}
	return s, s.Listen(0)
}

// tcpSocketStreams makes streams of TCP sockets, one end of a dialled one and one of an
// accepted one.
func tcpSocketStreams(ctx context.Context) (a, b *Stream, err error) {
	s, err := listeningSocket(ctx)
	if err != nil {
		return nil, nil, err
	}
	l, err := ListenerFromSocket(s)
	if err != nil {
		return nil, nil, err
	}
	return dialled(ctx, l, func() (*Stream, error) {
		ctx := socket.WithSocketFactory(ctx, plainSockets)
		return DialTCP(ctx, l.Addr().String(), nil)
	})
}

func plainSockets(ctx context.Context, family, typ, proto int) (*socket.Socket, error) {
	return socket.New(socket.WithSocketFactory(ctx, nil), family, typ, proto)
}

func TestStreamsOnSocketsConform(t *testing.T) {
	trigotest.CheckHalfCloseableStream(t, socketStreams, clogged(socketStreams), &trigotest.CheckOptions{AbortIsEOF: true})
}

func TestStreamsOnTCPSocketsConform(t *testing.T) {
	trigotest.CheckHalfCloseableStream(t, tcpSocketStreams, clogged(tcpSocketStreams), nil)
}

func limited(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// Trio: test_SocketStream_basics
func TestFromSocketTakesStreamsOnly(t *testing.T) {
	ctx := limited(t)
	udp, err := socket.New(ctx, syscall.AF_INET, syscall.SOCK_DGRAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer udp.Close(ctx)
	l, err := listeningSocket(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close(ctx)
	closed, other, err := socket.Pair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close(ctx)
	closed.Close(ctx)
	for _, c := range []struct {
		s    *socket.Socket
		want error
	}{{udp, errors.ErrUnsupported}, {l, errors.ErrUnsupported}, {closed, trigo.ErrClosed}} {
		if _, err := FromSocket(c.s); !errors.Is(err, c.want) {
			t.Errorf("FromSocket(%v): %v, want %v", c.s, err, c.want)
		}
	}
	for _, s := range []*socket.Socket{udp, other} {
		if _, err := ListenerFromSocket(s); !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("ListenerFromSocket(%v): %v", s, err)
		}
	}
}

// Both ways of making a stream: of a socket, and by package net.
func TestStreamAndSocketShareADescriptor(t *testing.T) {
	for name, maker := range map[string]trigotest.StreamMaker[*Stream]{"socket": socketStreams, "net": tcpStreams} {
		t.Run(name, func(t *testing.T) {
			ctx := limited(t)
			a, b, err := maker(ctx)
			if err != nil {
				t.Fatal(err)
			}
			defer trigo.CloseForcefully(b)
			low, err := a.Socket()
			if err != nil {
				t.Fatal(err)
			}
			if again, err := a.Socket(); again != low || err != nil {
				t.Error("another socket the second time", err)
			}
			if _, err := low.Send(ctx, []byte("low"), 0); err != nil {
				t.Error(err)
			}
			buf := make([]byte, 8)
			if n, err := b.ReceiveSome(ctx, buf); string(buf[:n]) != "low" || err != nil {
				t.Errorf("%q, %v", buf[:n], err)
			}
			if err := a.SendEOF(ctx); err != nil || !low.DidShutdownWrite() {
				t.Errorf("the socket does not know of the end of file (%v)", err)
			}
			if _, err := b.ReceiveSome(ctx, buf); err != io.EOF {
				t.Error(err)
			}
			low.Close(ctx)
			if err := a.SendAll(ctx, buf); !errors.Is(err, trigo.ErrClosed) {
				t.Errorf("stream after Close of its socket: %v", err)
			}
		})
	}
}

// Trio: test_socket_stream_works_when_peer_has_already_closed
// By then shutdown(2) is an error.
func TestSocketOfAStreamThatHasEndedKnowsOfTheEndItSent(t *testing.T) {
	ctx := limited(t)
	a, b := streamPair(t)
	if err := a.SendEOF(ctx); err != nil {
		t.Fatal(err)
	}
	for _, s := range []*Stream{b, a} {
		if _, err := receiveAll(ctx, s); err != nil {
			t.Fatal(err)
		}
		b.Close(ctx)
	}
	low, err := a.Socket()
	if err != nil {
		t.Fatal(err)
	}
	if !low.DidShutdownWrite() {
		t.Error("the socket does not know of the end that the stream sent")
	}
	again, err := FromSocket(low)
	if err != nil {
		t.Fatal(err)
	}
	if err := again.SendAll(ctx, []byte("x")); !errors.Is(err, trigo.ErrClosed) {
		t.Errorf("SendAll after the end: %v, want ErrClosed", err)
	}
}

func TestFromSocketWhenThePeerHasClosed(t *testing.T) {
	ctx := limited(t)
	a, b, err := socket.Pair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Send(ctx, []byte("x"), 0); err != nil {
		t.Fatal(err)
	}
	a.Close(ctx)
	s, err := FromSocket(b)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close(ctx)
	buf := make([]byte, 8)
	if n, err := s.ReceiveSome(ctx, buf); n != 1 || err != nil {
		t.Error(n, err)
	}
	if _, err := s.ReceiveSome(ctx, buf); err != io.EOF {
		t.Error(err)
	}
}

func TestListenerAndSocketShareADescriptor(t *testing.T) {
	ctx := limited(t)
	s, err := listeningSocket(ctx)
	if err != nil {
		t.Fatal(err)
	}
	fromSocket, err := ListenerFromSocket(s)
	if err != nil {
		t.Fatal(err)
	}
	fromNet, err := ListenTCP(ctx, "127.0.0.1:0", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range []*Listener{fromSocket, fromNet[0]} {
		low, err := l.Socket()
		if err != nil {
			t.Fatal(err)
		}
		if name, err := low.Getsockname(); err != nil || name.String() != l.Addr().String() {
			t.Errorf("socket named %v (%v), listener %v", name, err, l.Addr())
		}
		client, err := DialTCP(ctx, l.Addr().String(), nil)
		if err != nil {
			t.Fatal(err)
		}
		conn, _, err := low.Accept(ctx)
		if err != nil {
			t.Fatal(err)
		}
		conn.Close(ctx)
		client.Close(ctx)
		low.Close(ctx)
		if _, err := l.Accept(ctx); !errors.Is(err, trigo.ErrClosed) {
			t.Errorf("Accept after Close of the socket: %v", err)
		}
		if err := l.Close(ctx); err != nil {
			t.Error(err)
		}
	}
}

func TestSocketOfAClosedListenerIsClosed(t *testing.T) {
	ctx := limited(t)
	listeners, err := ListenTCP(ctx, "127.0.0.1:0", nil)
	if err != nil {
		t.Fatal(err)
	}
	l := listeners[0]
	low, err := l.Socket()
	if err != nil {
		t.Fatal(err)
	}
	if low.Closed() {
		t.Error("closed before the listener is")
	}
	l.Close(ctx)
	if !low.Closed() {
		t.Error("not closed, though the listener is")
	}
	if _, err := ListenerFromSocket(low); !errors.Is(err, trigo.ErrClosed) {
		t.Errorf("a listener on it: %v", err)
	}
}

func TestDialAndListenUseTheSocketFactory(t *testing.T) {
	made := 0
	ctx := socket.WithSocketFactory(limited(t), func(ctx context.Context, family, typ, proto int) (*socket.Socket, error) {
		made++
		return plainSockets(ctx, family, typ, proto)
	})
	ls, err := ListenTCP(ctx, "127.0.0.1:0", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer ls[0].Close(ctx)
	c, err := DialTCP(ctx, ls[0].Addr().String(), &DialOptions{LocalAddress: netip.MustParseAddr("127.0.0.1")})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(ctx)
	s, err := ls[0].Accept(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close(ctx)
	if s.RemoteAddr().String() != c.LocalAddr().String() || made != 2 {
		t.Errorf("accepted %v, dialled from %v, %d sockets made", s.RemoteAddr(), c.LocalAddr(), made)
	}
	u, err := ListenUDP(ctx, "127.0.0.1:0")
	if err != nil || made != 3 {
		t.Fatal(err, made)
	}
	u.Close(ctx)
	ls[0].Close(ctx)
	if _, err := DialTCP(ctx, ls[0].Addr().String(), nil); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("%v, want refused", err)
	}
	if c.DialReport() == nil {
		t.Error("no report of the dial")
	}
}

func TestSocketFactoryOfAVirtualNetwork(t *testing.T) {
	host := vnet.New(1).Host("a", "192.0.2.1")
	ctx := socket.WithSocketFactory(limited(t), func(ctx context.Context, family, typ, proto int) (*socket.Socket, error) {
		return socket.New(host.Context(socket.WithSocketFactory(ctx, nil)), family, typ, proto)
	})
	ls, err := ListenTCP(ctx, "192.0.2.1:80", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer ls[0].Close(ctx)
	c, err := DialTCP(ctx, "192.0.2.1:80", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(ctx)
	s, err := ls[0].Accept(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close(ctx)
	if err := c.SendAll(ctx, []byte("hello")); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 10)
	if n, err := s.ReceiveSome(ctx, buf); string(buf[:n]) != "hello" {
		t.Errorf("received %q, %v", buf[:n], err)
	}
	if c.DialReport() == nil {
		t.Error("no report of the dial")
	}
}
