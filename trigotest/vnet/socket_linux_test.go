package vnet_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"trigo"
	"trigo/socket"
	"trigo/trigotest/vnet"
)

// script is a program on the loopback that writes down what it sees.
type script struct {
	t     *testing.T
	ctx   context.Context
	lines []string
	ends  []*socket.Socket
}

func (s *script) note(format string, args ...any) {
	s.lines = append(s.lines, fmt.Sprintf(format, args...))
}

// outcome names the kind of an error, which is all that two networks have in
// common.
func (s *script) outcome(what string, err error) {
	for _, kind := range []error{
		io.EOF, trigo.ErrClosed, trigo.ErrBusy, trigo.ErrWouldBlock, context.Canceled, io.ErrShortBuffer,
		syscall.EINVAL, syscall.ENOTCONN, syscall.EISCONN, syscall.ECONNREFUSED, syscall.ECONNRESET, syscall.EPIPE,
		syscall.EADDRINUSE, syscall.EDESTADDRREQ, syscall.EOPNOTSUPP, syscall.EMSGSIZE,
	} {
		if errors.Is(err, kind) {
			s.note("%s: %v", what, kind)
			return
		}
	}
	s.note("%s: %v", what, err)
}

func (s *script) open(family, typ int) *socket.Socket {
	s.t.Helper()
	sock, err := socket.New(s.ctx, family, typ, 0)
	if err != nil {
		s.t.Fatal(err)
	}
	s.ends = append(s.ends, sock)
	return sock
}

// bound opens a socket on a free port of the loopback.
func (s *script) bound(typ int) (*socket.Socket, socket.Addr) {
	s.t.Helper()
	sock := s.open(inet, typ)
	if err := sock.Bind(s.ctx, socket.HostAddr{Host: "127.0.0.1"}); err != nil {
		s.t.Fatal(err)
	}
	return sock, s.name(sock)
}

func (s *script) name(sock *socket.Socket) socket.Addr {
	s.t.Helper()
	a, err := sock.Getsockname()
	if err != nil {
		s.t.Fatal(err)
	}
	return a
}

// atHost is the port of a at another address.
func atHost(host string, a socket.Addr) socket.Addr {
	return socket.IP(netip.AddrPortFrom(netip.MustParseAddr(host), a.(socket.IPAddr).Port()))
}

func (s *script) pair() (a, b *socket.Socket) {
	s.t.Helper()
	l, at := s.bound(stream)
	a = s.open(inet, stream)
	b, from, err := nilIfFailed(l.Listen(1), func() (*socket.Socket, socket.Addr, error) {
		if err := a.Connect(s.ctx, at); err != nil {
			return nil, nil, err
		}
		return l.Accept(s.ctx)
	})
	if err != nil {
		s.t.Fatal(err)
	}
	s.ends = append(s.ends, b)
	peer, _ := a.Getpeername()
	s.note("the names fit: %v", peer == at && from == s.name(a) && s.name(b) == at)
	return a, b
}

func nilIfFailed(err error, f func() (*socket.Socket, socket.Addr, error)) (*socket.Socket, socket.Addr, error) {
	if err != nil {
		return nil, nil, err
	}
	return f()
}

func (s *script) send(what string, a *socket.Socket, text string) {
	n, err := a.Send(s.ctx, []byte(text), 0)
	s.outcome(fmt.Sprintf("%s sends %d bytes", what, n), err)
}

func (s *script) receive(what string, a *socket.Socket, room, flags int) {
	p := make([]byte, room)
	n, err := a.Recv(s.ctx, p, flags)
	s.outcome(fmt.Sprintf("%s receives %q (%d)", what, p[:min(n, room)], n), err)
}

func canceled() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

// The scripts. Each must see the same on both networks.
var scripts = map[string]func(*script){
	"a stream": func(s *script) {
		a, b := s.pair()
		s.send("a", a, "hello, world")
		s.outcome("wait", b.WaitReadable(s.ctx))
		s.note("readable: %v %v", a.IsReadable(), b.IsReadable())
		s.receive("b", b, 5, syscall.MSG_PEEK)
		s.receive("b", b, 5, 0)
		s.receive("b", b, 100, 0)
		s.receive("b", b, 100, syscall.MSG_DONTWAIT)
		s.receive("b", b, 0, 0)
		s.outcome("wait", a.WaitWritable(s.ctx))
		s.outcome("shut down", a.Shutdown(syscall.SHUT_WR))
		s.note("shut: %v", a.DidShutdownWrite())
		s.send("a", a, "more")
		s.receive("b", b, 1, 0)
		s.receive("b", b, 1, 0)
		s.send("b", b, "still")
		s.receive("a", a, 100, 0)
		s.outcome("close", a.Close(s.ctx))
		s.outcome("close", a.Close(s.ctx))
		s.send("a", a, "x")
		s.receive("a", a, 1, 0)
		_, err := a.Getsockname()
		s.outcome("name", err)
		s.note("closed: %v, readable: %v", a.Closed(), a.IsReadable())
	},
	"a stream shuts down its receiving side": func(s *script) {
		a, b := s.pair()
		s.outcome("shut down", b.Shutdown(syscall.SHUT_RD))
		s.receive("b", b, 1, 0)
		s.send("b", b, "x")
		s.receive("a", a, 1, 0)
	},
	"messages": func(s *script) {
		a, b := s.pair()
		out := &socket.Message{Buffers: [][]byte{[]byte("one"), nil, []byte("two")}}
		s.outcome("send", a.SendMsg(s.ctx, out, 0))
		p, q := make([]byte, 2), make([]byte, 10)
		in := &socket.Message{Buffers: [][]byte{p, q}}
		s.outcome("receive", b.RecvMsg(s.ctx, in, 0))
		s.note("%d %d %q %q %v", out.N, in.N, p, q, in.Truncated())
	},
	"a socket that is nothing yet": func(s *script) {
		a := s.open(inet, stream)
		s.note("named %v", s.name(a))
		_, err := a.Getpeername()
		s.outcome("peer", err)
		_, _, err = a.Accept(s.ctx)
		s.outcome("accept", err)
		s.receive("a", a, 1, 0)
		s.outcome("shut down", a.Shutdown(syscall.SHUT_WR))
		s.outcome("a dead ctx", a.Bind(canceled(), socket.HostAddr{}))
		s.outcome("bind", a.Bind(s.ctx, socket.HostAddr{Host: "127.0.0.1"}))
		s.outcome("bind again", a.Bind(s.ctx, socket.HostAddr{Host: "127.0.0.1"}))
		b := s.open(inet, stream)
		s.outcome("bind another", b.Bind(s.ctx, s.name(a)))
		s.outcome("connect to a socket that does not listen", b.Connect(s.ctx, s.name(a)))
		b = s.open(inet, stream)
		s.outcome("listen", a.Listen(0))
		s.outcome("connect", b.Connect(s.ctx, s.name(a)))
		b.Connect(s.ctx, s.name(a)) // Linux lets this one pass
		s.outcome("connect again", b.Connect(s.ctx, s.name(a)))
		s.outcome("connect the listener", a.Connect(s.ctx, s.name(a)))
		s.outcome("wait", a.WaitReadable(s.ctx))
		s.note("readable: %v", a.IsReadable())
		c, _, err := a.Accept(s.ctx)
		s.outcome("accept", err)
		s.ends = append(s.ends, c)
		s.note("readable: %v", a.IsReadable())
		_, _, err = a.Accept(canceled())
		s.outcome("accept with a dead ctx", err)
	},
	"an address that another includes": func(s *script) {
		for _, typ := range []int{stream, dgram} {
			_, own := s.bound(typ)
			s.outcome("bind the wildcard to a port in use", s.open(inet, typ).Bind(s.ctx, atHost("0.0.0.0", own)))
			s.outcome("both families", s.open(inet6, typ).Bind(s.ctx, atHost("::", own)))
			wild := s.open(inet, typ)
			s.outcome("bind the wildcard", wild.Bind(s.ctx, socket.HostAddr{Host: "0.0.0.0"}))
			s.outcome("bind one address", s.open(inet, typ).Bind(s.ctx, atHost("127.0.0.1", s.name(wild))))
			s.outcome("the other family", s.open(inet6, typ).Bind(s.ctx, atHost("::1", s.name(wild))))
		}
	},
	"the way to the wildcard leads to the host itself": func(s *script) {
		l, at := s.bound(stream)
		s.outcome("listen", l.Listen(1))
		a := s.open(inet, stream)
		s.outcome("connect", a.Connect(s.ctx, atHost("0.0.0.0", at)))
		peer, err := a.Getpeername()
		s.outcome(fmt.Sprint("the peer is the listener: ", peer == at), err)
		d, to := s.bound(dgram)
		_, err = s.open(inet, dgram).SendTo(s.ctx, []byte("x"), 0, atHost("0.0.0.0", to))
		s.outcome("send", err)
		s.receive("d", d, 1, 0)
		c := s.open(inet, dgram)
		s.outcome("connect", c.Connect(s.ctx, atHost("0.0.0.0", to)))
		peer, err = c.Getpeername()
		s.outcome(fmt.Sprint("the peer is the socket: ", peer == to), err)
		s.send("c", c, "y")
		s.receive("d", d, 1, 0)
	},
	"a connection from a port of one's own": func(s *script) {
		l, at := s.bound(stream)
		s.outcome("listen", l.Listen(1))
		a, own := s.bound(stream)
		s.outcome("connect", a.Connect(s.ctx, at))
		s.note("still its own: %v", s.name(a) == own)
		b, from, err := l.Accept(s.ctx)
		s.outcome("accept", err)
		s.ends = append(s.ends, b)
		s.note("from its own: %v", from == own)
	},
	"an abandoned connect closes the socket": func(s *script) {
		_, at := s.bound(stream)
		a := s.open(inet, stream)
		s.outcome("connect", a.Connect(canceled(), at))
		s.note("closed: %v", a.Closed())
	},
	"datagrams": func(s *script) {
		a, from := s.bound(dgram)
		b, to := s.bound(dgram)
		s.send("a", a, "to nobody")
		for _, text := range []string{"one", "", "three"} {
			n, err := a.SendTo(s.ctx, []byte(text), 0, to)
			s.outcome(fmt.Sprint("send ", n), err)
		}
		p := make([]byte, 2)
		n, who, err := b.RecvFrom(s.ctx, p, 0)
		s.outcome(fmt.Sprintf("receive %q from a: %v", p[:n], who == from), err)
		s.receive("b", b, 2, 0)
		n, _, truncated, err := b.RecvDatagram(s.ctx, p)
		s.outcome(fmt.Sprintf("receive %q, truncated %v", p[:n], truncated), err)
		s.receive("b", b, 2, syscall.MSG_DONTWAIT)
		s.note("readable: %v", b.IsReadable())
		_, err = a.SendTo(s.ctx, make([]byte, 70_000), 0, to)
		s.outcome("send too much", err)
		_, err = a.SendTo(canceled(), []byte("x"), 0, to)
		s.outcome("send under a dead ctx", err)
	},
	"a connected datagram socket": func(s *script) {
		a, from := s.bound(dgram)
		b, to := s.bound(dgram)
		c, _ := s.bound(dgram)
		s.outcome("connect", a.Connect(s.ctx, to))
		peer, err := a.Getpeername()
		s.outcome(fmt.Sprint("peer ", peer == to), err)
		_, err = c.SendTo(s.ctx, []byte("of a stranger"), 0, from)
		s.outcome("send", err)
		s.send("a", a, "question")
		s.receive("b", b, 100, 0)
		_, err = b.SendTo(s.ctx, []byte("answer"), 0, from)
		s.outcome("send", err)
		s.receive("a", a, 100, 0)
		s.outcome("listen", a.Listen(1))
		s.outcome("shut down", a.Shutdown(syscall.SHUT_WR))
		s.send("a", a, "x")
	},
	"a batch": func(s *script) {
		a, _ := s.bound(dgram)
		b, to := s.bound(dgram)
		out, in := make([]socket.Message, 3), make([]socket.Message, 5)
		for i := range out {
			out[i] = socket.Message{Addr: to, Buffers: [][]byte{{byte(i)}}}
		}
		for i := range in {
			in[i].Buffers = [][]byte{make([]byte, 10)}
		}
		n, err := a.SendBatch(s.ctx, out, 0)
		s.outcome(fmt.Sprint("send ", n), err)
		n, err = b.RecvBatch(s.ctx, in, 0)
		s.outcome(fmt.Sprint("receive ", n), err)
		for _, m := range in[:n] {
			s.note("%d %v", m.N, m.Buffers[0][:m.N])
		}
	},
	"both families on one socket": func(s *script) {
		l := s.open(inet6, stream)
		s.outcome("bind", l.Bind(s.ctx, socket.HostAddr{}))
		s.outcome("listen", l.Listen(2))
		port := s.name(l).(socket.IPAddr).Port()
		for _, ip := range []string{"127.0.0.1", "::1"} {
			to := socket.IP(netip.AddrPortFrom(netip.MustParseAddr(ip), port))
			a := s.open(to.Family(), stream)
			s.outcome("connect", a.Connect(s.ctx, to))
			b, from, err := l.Accept(s.ctx)
			s.outcome("accept", err)
			s.ends = append(s.ends, b)
			s.note("from %v, to %v", from.(socket.IPAddr).Addr(), s.name(b).(socket.IPAddr).Addr())
		}
		only := s.open(inet6, stream)
		s.outcome("option", only.SetsockoptInt(syscall.IPPROTO_IPV6, syscall.IPV6_V6ONLY, 1))
		n, err := only.GetsockoptInt(syscall.IPPROTO_IPV6, syscall.IPV6_V6ONLY)
		s.outcome(fmt.Sprint("option ", n), err)
		s.outcome("bind", only.Bind(s.ctx, socket.HostAddr{}))
		b := s.open(inet, stream)
		s.outcome("connect", b.Connect(s.ctx, socket.IP(netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), s.name(only).(socket.IPAddr).Port()))))
	},
}

func (s *script) run(t *testing.T, ctx context.Context, f func(*script)) []string {
	s.t, s.ctx = t, ctx
	defer func() {
		for _, end := range s.ends {
			if end != nil {
				end.Close(ctx)
			}
		}
	}()
	f(s)
	return s.lines
}

func TestASocketSeesTheSameAsOnTheKernel(t *testing.T) {
	for name, f := range scripts {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			want := new(script).run(t, ctx, f)
			var got []string
			synctest.Test(t, func(t *testing.T) {
				h := vnet.New(1).Host("host", "10.0.0.1", "fd00::1")
				got = new(script).run(t, h.Context(t.Context()), f)
			})
			if !slices.Equal(got, want) {
				t.Errorf("%s\nthe kernel:\n%s\nthe virtual network:\n%s", firstDifference(want, got), strings.Join(want, "\n"), strings.Join(got, "\n"))
			}
		})
	}
}
