//go:build linux || darwin || freebsd

package socket

import (
	"context"
	"errors"
	"net"
	"os"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"trigo"
	"trigo/trigotest"
)

// Trio: test_SocketType_basics
func TestSocketsAreNonBlockingAndCloseOnExecFromBirth(t *testing.T) {
	a, b := pair(t, stream)
	l, addr := listening(t, inet)
	client := open(t, inet, stream, 0)
	ok(t, client.Connect(bounded(t), addr))
	accepted, _, err := l.Accept(bounded(t))
	ok(t, err)
	copied, err := a.Dup()
	ok(t, err)
	closeLater(t, accepted, copied)
	for name, s := range map[string]*Socket{"pair": b, "new": client, "accepted": accepted, "copy": copied} {
		ok(t, s.control(func(sysfd int) error {
			if flags, err := unix.FcntlInt(uintptr(sysfd), unix.F_GETFD, 0); err != nil || flags&unix.FD_CLOEXEC == 0 {
				t.Errorf("%s: not close-on-exec (%v)", name, err)
			}
			if flags, err := unix.FcntlInt(uintptr(sysfd), unix.F_GETFL, 0); err != nil || flags&unix.O_NONBLOCK == 0 {
				t.Errorf("%s: not non-blocking (%v)", name, err)
			}
			return nil
		}))
	}
}

// Trio: test_socket, test_socket_v6
func TestNewSocketKnowsWhatItIs(t *testing.T) {
	s := open(t, inet, dgram, syscall.IPPROTO_UDP)
	if s.Family() != inet || s.Type() != dgram || s.Protocol() != syscall.IPPROTO_UDP {
		t.Errorf("family %d type %d protocol %d", s.Family(), s.Type(), s.Protocol())
	}
	if got := s.String(); got != "udp socket" {
		t.Errorf("named %q", got)
	}
	s6 := open(t, inet6, stream, 0)
	if s6.Family() != inet6 || s6.String() != "tcp v6 socket" {
		t.Errorf("family %d, named %q", s6.Family(), s6)
	}
	_, err := New(context.Background(), 9999, stream, 0)
	wantIs(t, "unknown family", err, syscall.EAFNOSUPPORT)
	_, err = New(deadCtx(), inet, stream, 0)
	wantCancelled(t, deadCtx(), "dead ctx", err)
}

// Trio: test_socketpair_simple
func TestPairIsConnected(t *testing.T) {
	for _, typ := range []int{stream, dgram} {
		a, b := pair(t, typ)
		n, err := a.Send(bounded(t), []byte("x"), 0)
		if n != 1 || err != nil {
			t.Fatal(n, err)
		}
		buf := make([]byte, 8)
		if n, err := b.Recv(bounded(t), buf, 0); err != nil || string(buf[:n]) != "x" {
			t.Fatal(n, err)
		}
	}
	_, _, err := Pair(inet, stream, 0)
	wantIs(t, "pair of TCP", err, unix.EOPNOTSUPP)
}

// Trio: test_from_fd, test_sniff_sockopts
func TestFromFDAsksTheKernelWhatItIs(t *testing.T) {
	for _, want := range [][2]int{{inet, stream}, {inet, dgram}, {inet6, dgram}, {unixAF, stream}, {unixAF, dgram}} {
		fd, err := unix.Socket(want[0], want[1], 0) // blocking, and not close-on-exec
		ok(t, err)
		s, err := FromFD(fd)
		ok(t, err)
		closeLater(t, s)
		if s.Family() != want[0] || s.Type() != want[1] {
			t.Errorf("family %d type %d, want %v", s.Family(), s.Type(), want)
		}
		if _, err := s.Recv(deadCtx(), make([]byte, 1), 0); err == nil {
			t.Error("a dead ctx received")
		}
	}
	r, w, err := os.Pipe()
	ok(t, err)
	defer r.Close()
	defer w.Close()
	raw, err := r.SyscallConn()
	ok(t, err)
	raw.Control(func(fd uintptr) {
		_, err = FromFD(int(fd))
	})
	wantIs(t, "a pipe", err, syscall.ENOTSOCK)
	_, err = FromFD(1 << 20)
	wantIs(t, "no descriptor", err, syscall.EBADF)
}

// Trio: test_from_stdlib_socket
func TestFromConnAdoptsConnectionsOfPackageNet(t *testing.T) {
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	ok(t, err)
	s, err := FromPacketConn(c)
	ok(t, err)
	closeLater(t, s)
	if s.Family() != inet || s.Type() != dgram {
		t.Errorf("family %d type %d", s.Family(), s.Type())
	}
	name, err := s.Getsockname()
	if err != nil || name.String() != c.LocalAddr().String() {
		t.Errorf("name %v (%v), want %v", name, err, c.LocalAddr())
	}
	ok(t, s.Close(context.Background()))
	if _, err := c.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
		t.Errorf("the connection outlives its socket: %v", err)
	}
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	_, err = FromConn(a)
	wantIs(t, "net.Pipe", err, errors.ErrUnsupported)
	_, err = FromConn(struct{ net.Conn }{c})
	wantIs(t, "a wrapper", err, errors.ErrUnsupported)
}

func TestFromListenerAccepts(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ok(t, err)
	s, err := FromListener(l)
	ok(t, err)
	closeLater(t, s)
	name, err := s.Getsockname()
	ok(t, err)
	client := open(t, inet, stream, 0)
	ok(t, client.Connect(bounded(t), name))
	conn, from, err := s.Accept(bounded(t))
	ok(t, err)
	closeLater(t, conn)
	if want, _ := client.Getsockname(); from != want {
		t.Errorf("accepted from %v, want %v", from, want)
	}
	wantIs(t, "WaitReadable", s.WaitReadable(bounded(t)), errors.ErrUnsupported)
	wait := async(t, func() error { _, _, err := s.Accept(context.Background()); return err })
	untilParked(t, 1)
	ok(t, s.Close(context.Background()))
	wantIs(t, "Accept during Close", wait(), trigo.ErrClosed)
}

// Trio: test_fromshare
func TestSharingIsUnsupportedHere(t *testing.T) {
	a, _ := pair(t, stream)
	_, err := a.Share(1)
	wantIs(t, "Share", err, errors.ErrUnsupported)
	_, err = FromShare(nil)
	wantIs(t, "FromShare", err, errors.ErrUnsupported)
}

// Trio: test_SocketType_dup
func TestDupIsAnotherDescriptorOfTheSameSocket(t *testing.T) {
	a, b := pair(t, stream)
	twin, err := a.Dup()
	ok(t, err)
	closeLater(t, twin)
	if twin.Family() != a.Family() || twin.Type() != a.Type() {
		t.Error("of another kind")
	}
	ok(t, a.Close(context.Background()))
	if _, err := twin.Send(bounded(t), []byte("x"), 0); err != nil {
		t.Error(err)
	}
	buf := make([]byte, 1)
	if n, err := b.Recv(bounded(t), buf, 0); n != 1 || err != nil {
		t.Error(n, err)
	}
	_, err = a.Dup()
	wantIs(t, "Dup of a closed socket", err, trigo.ErrClosed)
}

func TestDetachedDescriptorLivesOn(t *testing.T) {
	trigotest.LeakCheck(t)
	a, b := pair(t, stream)
	wait := async(t, func() error { _, err := a.Recv(context.Background(), make([]byte, 1), 0); return err })
	untilParked(t, 1)
	fd, err := a.Detach()
	ok(t, err)
	wantIs(t, "Recv during Detach", wait(), trigo.ErrClosed)
	if !a.Closed() {
		t.Error("still open")
	}
	_, err = a.Detach()
	wantIs(t, "second Detach", err, trigo.ErrClosed)
	again, err := FromFD(fd)
	ok(t, err)
	closeLater(t, again)
	_, err = again.Send(bounded(t), []byte("x"), 0)
	ok(t, err)
	if n, err := b.Recv(bounded(t), make([]byte, 1), 0); n != 1 || err != nil {
		t.Error(n, err)
	}
}

// There is no socket but from the functions that make one: a call on another
// neither waits nor pretends.
//
// Trio: test_SocketType_is_abstract
func TestZeroSocketIsNone(t *testing.T) {
	ctx := bounded(t)
	for name, call := range map[string]func(s *Socket){
		"Recv":        func(s *Socket) { s.Recv(ctx, make([]byte, 1), 0) },
		"Send":        func(s *Socket) { s.Send(ctx, make([]byte, 1), 0) },
		"Accept":      func(s *Socket) { s.Accept(ctx) },
		"Getsockname": func(s *Socket) { s.Getsockname() },
		"Close":       func(s *Socket) { s.Close(ctx) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s did not panic", name)
				}
			}()
			call(new(Socket))
		}()
	}
}

// Every call on a closed socket says so; closing again is silence.
func TestClosedSocketSaysSo(t *testing.T) {
	s := open(t, inet, dgram, 0)
	ok(t, s.Close(context.Background()))
	ok(t, s.Close(deadCtx()))
	ctx := context.Background()
	p := make([]byte, 1)
	to := loopback(inet, 9)
	calls := map[string]func() error{
		"Bind":          func() error { return s.Bind(ctx, to) },
		"Listen":        func() error { return s.Listen(0) },
		"Accept":        func() error { _, _, err := s.Accept(ctx); return err },
		"Connect":       func() error { return s.Connect(ctx, to) },
		"Connect name":  func() error { return s.Connect(ctx, HostAddr{Host: "unknown.invalid", Port: "1"}) },
		"Send":          func() error { _, err := s.Send(ctx, p, 0); return err },
		"SendTo":        func() error { _, err := s.SendTo(ctx, p, 0, to); return err },
		"SendToAddr":    func() error { _, err := s.SendToAddrPort(ctx, p, 0, to.AddrPort); return err },
		"SendMsg":       func() error { return s.SendMsg(ctx, &Message{Buffers: [][]byte{p}}, 0) },
		"SendBatch":     func() error { _, err := s.SendBatch(ctx, nil, 0); return err },
		"Recv":          func() error { _, err := s.Recv(ctx, p, 0); return err },
		"RecvFrom":      func() error { _, _, err := s.RecvFrom(ctx, p, 0); return err },
		"RecvMsg":       func() error { return s.RecvMsg(ctx, &Message{}, 0) },
		"RecvBatch":     func() error { _, err := s.RecvBatch(ctx, make([]Message, 2), 0); return err },
		"Shutdown":      func() error { return s.Shutdown(syscall.SHUT_WR) },
		"Getsockopt":    func() error { _, err := s.GetsockoptInt(syscall.SOL_SOCKET, syscall.SO_TYPE); return err },
		"Setsockopt":    func() error { return s.SetsockoptInt(syscall.SOL_SOCKET, syscall.SO_RCVBUF, 1) },
		"Getsockname":   func() error { _, err := s.Getsockname(); return err },
		"Getpeername":   func() error { _, err := s.Getpeername(); return err },
		"WaitReadable":  func() error { return s.WaitReadable(ctx) },
		"WaitWritable":  func() error { return s.WaitWritable(ctx) },
		"FromFD of Dup": func() error { _, err := s.Dup(); return err },
	}
	for name, call := range calls {
		wantIs(t, name, call(), trigo.ErrClosed)
	}
	if s.IsReadable() {
		t.Error("a closed socket is readable")
	}
}

// Trio: test_custom_socket_factory
func TestSocketFactoryOfTheContext(t *testing.T) {
	var asked [3]int
	made := open(t, inet, dgram, 0)
	ctx := WithSocketFactory(context.Background(), func(ctx context.Context, family, typ, proto int) (*Socket, error) {
		asked = [3]int{family, typ, proto}
		return made, nil
	})
	s, err := New(ctx, 1, 2, 3)
	if s != made || err != nil || asked != [3]int{1, 2, 3} {
		t.Errorf("got %v (%v), asked for %v", s, err, asked)
	}
	if !HasSocketFactory(ctx) || HasSocketFactory(context.Background()) {
		t.Error("HasSocketFactory")
	}
	s, err = New(WithSocketFactory(ctx, nil), inet, stream, 0)
	ok(t, err)
	closeLater(t, s)
	if s == made {
		t.Error("the factory was asked in spite of nil")
	}
	a, b := pair(t, stream) // has no ctx, and so no factory
	_, _ = a, b
}
