//go:build linux || darwin || freebsd

package socket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"trigo"
	"trigo/trigotest"
)

func TestDescriptorsPassOverUnixSockets(t *testing.T) {
	trigotest.LeakCheck(t)
	a, b := pair(t, dgram)
	r, w, err := os.Pipe()
	ok(t, err)
	defer r.Close()
	raw, err := w.SyscallConn()
	ok(t, err)
	var control []byte
	raw.Control(func(fd uintptr) {
		control = unix.UnixRights(int(fd))
		err = a.SendMsg(bounded(t), &Message{Buffers: [][]byte{[]byte("x")}, Control: control}, 0)
	})
	ok(t, err)
	ok(t, w.Close())
	m := Message{Buffers: [][]byte{make([]byte, 8)}, Control: make([]byte, unix.CmsgSpace(4))}
	ok(t, b.RecvMsg(bounded(t), &m, 0))
	if m.N != 1 || m.Flags != 0 {
		t.Errorf("%+v", m)
	}
	found, err := unix.ParseSocketControlMessage(m.Control[:m.ControlN])
	ok(t, err)
	fds, err := unix.ParseUnixRights(&found[0])
	ok(t, err)
	if flags, err := unix.FcntlInt(uintptr(fds[0]), unix.F_GETFD, 0); msgCloexec != 0 && flags&unix.FD_CLOEXEC == 0 {
		t.Errorf("not close-on-exec (%v)", err)
	}
	passed := os.NewFile(uintptr(fds[0]), "passed")
	_, err = passed.Write([]byte("through"))
	ok(t, err)
	ok(t, passed.Close())
	if got, err := io.ReadAll(r); string(got) != "through" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}

func TestControlDataWithoutRoomIsTold(t *testing.T) {
	a, b := pair(t, dgram)
	control := unix.UnixRights(0)
	ok(t, a.SendMsg(bounded(t), &Message{Buffers: [][]byte{[]byte("x")}, Control: control}, 0))
	m := Message{Buffers: [][]byte{make([]byte, 8)}}
	ok(t, b.RecvMsg(bounded(t), &m, 0))
	if m.Flags&unix.MSG_CTRUNC == 0 {
		t.Errorf("%+v", m)
	}
}

func TestRecvMsgAtTheEndOfAStream(t *testing.T) {
	a, b := pair(t, stream)
	ok(t, a.Close(context.Background()))
	m := Message{Buffers: [][]byte{make([]byte, 8)}}
	if err := b.RecvMsg(bounded(t), &m, 0); err != io.EOF {
		t.Errorf("%v, want bare io.EOF", err)
	}
}

// Trio: test_unix_domain_socket
func TestUnixAddresses(t *testing.T) {
	path := socketPath(t)
	addrs := []UnixAddr{{Name: path}}
	if hasAbstract {
		addrs = append(addrs, UnixAddr{Name: fmt.Sprintf("trigo\x00test %d", os.Getpid()), Abstract: true})
	}
	for _, addr := range addrs {
		l := open(t, unixAF, stream, 0)
		ok(t, l.Bind(bounded(t), addr))
		ok(t, l.Listen(0))
		if got, err := l.Getsockname(); got != Addr(addr) || err != nil {
			t.Errorf("named %v (%v), want %v", got, err, addr)
		}
		c := open(t, unixAF, stream, 0)
		ok(t, c.Connect(bounded(t), addr))
		s, _, err := l.Accept(bounded(t))
		ok(t, err)
		closeLater(t, s)
		if got, err := c.Getpeername(); got != Addr(addr) || err != nil {
			t.Errorf("peer %v (%v), want %v", got, err, addr)
		}
		_, err = c.Send(bounded(t), []byte("x"), 0)
		ok(t, err)
		if n, err := s.Recv(bounded(t), make([]byte, 1), 0); n != 1 || err != nil {
			t.Error(n, err)
		}
	}
	c := open(t, unixAF, stream, 0)
	wantIs(t, "no file", c.Connect(bounded(t), UnixAddr{Name: path + "none"}), syscall.ENOENT)
}

func TestUnixgramKnowsItsSender(t *testing.T) {
	a, b := open(t, unixAF, dgram, 0), open(t, unixAF, dgram, 0)
	from, to := UnixAddr{Name: socketPath(t)}, UnixAddr{Name: socketPath(t)}
	ok(t, b.Bind(bounded(t), to))
	buf := make([]byte, 8)
	for _, bind := range []bool{false, true} {
		var want Addr
		if bind {
			ok(t, a.Bind(bounded(t), from))
			want = from
		}
		_, err := a.SendTo(bounded(t), []byte("abc"), 0, to)
		ok(t, err)
		n, got, err := b.RecvFrom(bounded(t), buf, 0)
		if n != 3 || err != nil || got != want {
			t.Errorf("%d bytes from %v, want %v (%v)", n, got, want, err)
		}
	}
}

func TestBatches(t *testing.T) {
	ctx := bounded(t)
	a, aAddr := bound(t, inet, dgram)
	b, bAddr := bound(t, inet, dgram)
	const many = 64
	out, in := make([]Message, many), make([]Message, many)
	for i := range many {
		out[i] = Message{Buffers: [][]byte{[]byte(strings.Repeat("x", i))}, AddrPort: bAddr.AddrPort}
		in[i] = Message{Buffers: [][]byte{make([]byte, 4), make([]byte, 20)}}
	}
	for range 3 {
		if n, err := a.SendBatch(ctx, out, 0); n != many || err != nil {
			t.Fatal(n, err)
		}
		for got := 0; got < many; {
			n, err := b.RecvBatch(ctx, in[got:], 0)
			ok(t, err)
			got += n
		}
		for i, m := range in {
			if m.N != min(i, 24) || m.Truncated() != (i > 24) || m.AddrPort != aAddr.AddrPort || m.Addr != nil {
				t.Errorf("message %d: %+v", i, m)
			}
			if out[i].N != i {
				t.Errorf("message %d: %d bytes sent", i, out[i].N)
			}
		}
	}
	_, err := b.RecvBatch(ctx, in, msgDontWait)
	wantIs(t, "nothing there", err, trigo.ErrWouldBlock)
	_, err = b.RecvBatch(ctx, nil, 0)
	wantIs(t, "no messages", err, io.ErrShortBuffer)
}

func TestBatchStopsAtTheMessageThatFails(t *testing.T) {
	a, _ := bound(t, inet, dgram)
	b, bAddr := bound(t, inet, dgram)
	small := Message{Buffers: [][]byte{[]byte("x")}, AddrPort: bAddr.AddrPort}
	long := Message{Buffers: [][]byte{make([]byte, 1<<17)}, AddrPort: bAddr.AddrPort}
	n, err := a.SendBatch(bounded(t), []Message{small, small, long, small}, 0)
	wantIs(t, "SendBatch", err, syscall.EMSGSIZE)
	if n != 2 {
		t.Errorf("%d sent, want 2", n)
	}
	n, err = a.SendBatch(bounded(t), []Message{small, {Addr: UnixAddr{Name: "x"}}, small}, 0)
	wantBadAddr(t, "SendBatch", err)
	if n != 1 {
		t.Errorf("%d sent, want 1", n)
	}
	buf := make([]byte, 10)
	for range 3 {
		_, err = b.Recv(bounded(t), buf, 0)
		ok(t, err)
	}
	_, err = b.Recv(bounded(t), buf, msgDontWait)
	wantIs(t, "after what was sent", err, trigo.ErrWouldBlock)
	n, err = a.SendBatch(bounded(t), []Message{{Addr: UnixAddr{Name: "x"}}, small}, 0)
	wantBadAddr(t, "SendBatch", err)
	if n != 0 {
		t.Errorf("%d sent, want 0", n)
	}
}

// It could take a part of a message and go on with the next.
func TestAStreamTakesNoBatch(t *testing.T) {
	a, b := pair(t, stream)
	long := make([]byte, 1<<20)
	n, err := a.SendBatch(bounded(t), []Message{{Buffers: [][]byte{long}}, {Buffers: [][]byte{long}}}, 0)
	wantIs(t, "SendBatch", err, errors.ErrUnsupported)
	if n != 0 {
		t.Errorf("%d sent, want 0", n)
	}
	_, err = b.Recv(bounded(t), long, msgDontWait)
	wantIs(t, "nothing was sent", err, trigo.ErrWouldBlock)
}

func TestBatchesAreCancelled(t *testing.T) {
	a, b := pair(t, dgram)
	ctx, cancel := context.WithCancel(context.Background())
	recv := async(t, func() error {
		_, err := b.RecvBatch(ctx, make([]Message, 4), 0)
		return err
	})
	many := make([]Message, 10000)
	for i := range many {
		many[i].Buffers = [][]byte{make([]byte, 1000)}
	}
	clog(t, b)
	var sent int
	send := async(t, func() (err error) {
		sent, err = b.SendBatch(ctx, many, 0)
		return err
	})
	untilParked(t, 2)
	cancel()
	wantCancelled(t, ctx, "RecvBatch", recv())
	wantCancelled(t, ctx, "SendBatch", send())
	got := 0
	buf := make([]byte, 64<<10)
	for {
		n, err := a.Recv(bounded(t), buf, msgDontWait)
		if err != nil {
			break
		}
		if n == 1000 {
			got++
		}
	}
	if got != sent {
		t.Errorf("%d received, and %d said to be sent", got, sent)
	}
}
