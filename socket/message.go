package socket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"syscall"
	"unsafe"
)

// Message is what [Socket.SendMsg] sends and [Socket.RecvMsg] receives: bytes, an
// address and control data.
//
// Control data carries what is not bytes: descriptors and credentials over Unix
// sockets, the interface and time of a datagram. Package golang.org/x/sys/unix
// makes it (UnixRights, UnixCredentials, PktInfo4) and reads it
// (ParseSocketControlMessage). Descriptors received are close-on-exec on Linux;
// they are the caller's to close, also when nobody expected any.
type Message struct {
	Buffers [][]byte // what to send, or where to receive, one after the other
	Control []byte   // what to send, or room for what is received

	// The peer: AddrPort where the family is IP, Addr elsewhere. To send to the
	// address that the socket is connected to, neither. If both are given, Addr
	// counts. Receiving sets them.
	AddrPort netip.AddrPort
	Addr     Addr

	// Results.
	N        int // bytes sent, or received into Buffers
	ControlN int // bytes received into Control
	Flags    int // of a message received: MSG_TRUNC, MSG_CTRUNC, MSG_EOR, ...
}

// Truncated reports whether a message that was received was longer than its
// buffers. The rest of it is lost.
func (m *Message) Truncated() bool { return m.Flags&msgTrunc != 0 }

// room returns how many bytes fit into the buffers.
func (m *Message) room() (n int) {
	for _, b := range m.Buffers {
		n += len(b)
	}
	return n
}

// RecvMsg waits for a message or, from a stream, for bytes, and receives it into
// m. flags are those of recvmsg(2), or 0; with MSG_TRUNC N can be more than
// there is room for. At the end of a stream it returns bare io.EOF. A
// cancelled RecvMsg took nothing.
func (s *Socket) RecvMsg(ctx context.Context, m *Message, flags int) error {
	if _, err := s.d.receiveMessages(ctx, s, unsafe.Slice(m, 1), flags); err != nil {
		return s.fail("receive", err)
	}
	if m.N == 0 && m.ControlN == 0 && s.hasEnd() && m.room() > 0 {
		return io.EOF
	}
	return nil
}

// SendMsg waits until the system takes m: some of the bytes, for a stream, or else
// all of them as one message. m.N tells how many. Control data goes with the
// first byte; on a stream there must be one. flags are those of sendmsg(2), or 0.
// A cancelled SendMsg sent nothing.
func (s *Socket) SendMsg(ctx context.Context, m *Message, flags int) error {
	if _, err := s.d.sendMessages(ctx, s, unsafe.Slice(m, 1), flags); err != nil {
		return s.sendError(m.to(), err)
	}
	return nil
}

// to returns the address that the message is for, or nil.
func (m *Message) to() Addr {
	if m.Addr == nil && m.AddrPort.IsValid() {
		return IP(m.AddrPort)
	}
	return m.Addr
}

// RecvBatch waits for at least one message on a datagram socket and receives as
// many as are there, up to len(ms), in one system call where that exists (Linux).
// It returns how many; the results are in ms. A cancelled RecvBatch took
// nothing. flags are those of [Socket.RecvMsg].
//
// It saves the system calls, and no more: what the kernel does for each datagram
// it does here too. Where the sender is of Linux too, far more is gained by
// trains, with UDP_SEGMENT in the control data of [Socket.SendMsg] and UDP_GRO
// in that of RecvMsg.
func (s *Socket) RecvBatch(ctx context.Context, ms []Message, flags int) (n int, err error) {
	if len(ms) == 0 {
		return 0, s.fail("receive", io.ErrShortBuffer)
	}
	if n, err = s.d.receiveMessages(ctx, s, ms, flags); err != nil {
		return 0, s.fail("receive", err)
	}
	return n, nil
}

// SendBatch sends all of ms, with as few system calls as it can, and waits while the
// system takes no more. It returns how many were sent, also with an error: then the
// message of that number is the one that failed, or was still to be sent when ctx
// ended. On a stream, which could take a part of a message, the error Is
// [errors.ErrUnsupported].
func (s *Socket) SendBatch(ctx context.Context, ms []Message, flags int) (n int, err error) {
	if s.typ == syscall.SOCK_STREAM {
		return 0, s.fail("send", fmt.Errorf("a stream has no messages: %w", errors.ErrUnsupported))
	}
	if n, err = s.d.sendMessages(ctx, s, ms, flags); err != nil {
		return n, s.fail("send", err)
	}
	return n, nil
}

func (k *kernel) receiveMessages(ctx context.Context, s *Socket, ms []Message, flags int) (int, error) {
	t := s.takeInbound()
	t.flags, t.n = flags, 0
	t.addrs = slices.Grow(t.addrs[:0], len(ms))[:len(ms)]
	t.vec.fill(ms, t.addrs, true)
	err := k.fd.ReadOp(ctx, t.several)
	n := t.n
	if err == nil {
		for i := range n {
			m := &ms[i]
			m.N, m.ControlN, m.Flags = t.vec.result(i, &t.addrs[i])
			m.AddrPort, _ = t.addrs[i].addrPort()
			m.Addr = nil
			if !m.AddrPort.IsValid() {
				m.Addr = t.addrs[i].addr()
			}
		}
	}
	t.restSeveral(&s.inbound)
	return n, err
}

func (t *transfer) recvVectors(sysfd int) error {
	for {
		n, errno := t.vec.recv(sysfd, t.flags|msgDontWait|msgCloexec)
		if errno != syscall.EINTR {
			t.n = n
			return t.outcome(errno)
		}
	}
}

func (k *kernel) sendMessages(ctx context.Context, s *Socket, ms []Message, flags int) (n int, err error) {
	if len(ms) == 0 {
		return 0, k.fd.HoldWrite(ctx, func() error { return nil })
	}
	t := s.takeOutbound()
	t.flags, t.n = flags, 0
	t.addrs = slices.Grow(t.addrs[:0], len(ms))[:len(ms)]
	var bad error
	for i := range ms {
		m := &ms[i]
		t.addrs[i].n = 0
		switch {
		case m.Addr != nil:
			bad = s.encode(ctx, m.Addr, false, &t.addrs[i])
		case !m.AddrPort.IsValid():
		case isIP(s.family):
			bad = t.addrs[i].putIP(s.family, m.AddrPort, 0)
		default:
			bad = IP(m.AddrPort).encode(s.family, &t.addrs[i])
		}
		if bad != nil { // those before it are sent
			ms, t.addrs = ms[:i], t.addrs[:i]
			break
		}
	}
	t.vec.fill(ms, t.addrs, false)
	err = k.fd.WriteOp(ctx, t.several)
	if err == nil {
		err = bad
	}
	n = t.n
	for i := range n {
		ms[i].N = t.vec.sent(i)
	}
	t.restSeveral(&s.outbound)
	return n, err
}

// sendVectors goes on where the attempt before it stopped.
func (t *transfer) sendVectors(sysfd int) error {
	for t.n < len(t.addrs) {
		n, errno := t.vec.send(sysfd, t.n, t.flags|msgDontWait|msgNoSignal)
		switch errno {
		case 0:
			t.n += n
		case syscall.EINTR:
		default:
			return t.outcome(errno)
		}
	}
	return nil
}
