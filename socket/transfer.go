package socket

import (
	"context"
	"io"
	"net/netip"
	"sync/atomic"
	"syscall"

	"trigo"
)

// A transfer is one call that moves messages: its arguments and results, at a
// place that stays where it is while the kernel works with them. Each half of a
// socket keeps one for the next call, with the closures that pollio needs made
// once, so that a call allocates nothing.
//
// It is taken with an atomic swap and not by the holder of the half, because
// that is decided only later, in pollio: whoever finds none makes one, and
// learns there that the half is busy.
type transfer struct {
	single, several func(sysfd int) error // what pollio is to try: one message, or ms

	flags int
	n     int // bytes moved, or messages

	p     []byte
	addr  sockaddr
	named bool // addr is given, or wanted

	addrs []sockaddr // of several messages
	vec   vectors    // the rest of what the kernel wants to know about them
}

func (s *Socket) takeInbound() *transfer {
	if t := s.inbound.Swap(nil); t != nil {
		return t
	}
	t := new(transfer)
	t.single, t.several = t.recvFrom(), t.recvVectors
	return t
}

func (s *Socket) takeOutbound() *transfer {
	if t := s.outbound.Swap(nil); t != nil {
		return t
	}
	t := new(transfer)
	t.single, t.several = t.sendTo(), t.sendVectors
	return t
}

func (t *transfer) rest(slot *atomic.Pointer[transfer]) {
	t.p = nil
	slot.Store(t)
}

// restSeveral is rest after the vectors were in use.
func (t *transfer) restSeveral(slot *atomic.Pointer[transfer]) {
	t.vec.forget()
	slot.Store(t)
}

const errAgain = syscall.EAGAIN

// outcome returns the error for pollio.
func (t *transfer) outcome(errno syscall.Errno) error {
	switch {
	case errno == 0:
		return nil
	case errno != syscall.EAGAIN:
		return errno
	case t.flags&msgDontWait != 0:
		return trigo.ErrWouldBlock
	}
	return errAgain // to wait
}

// Recv waits for bytes or for a message, and receives up to len(p) bytes of it.
// flags are those of recv(2): MSG_PEEK, MSG_OOB, MSG_ERRQUEUE and so on, or 0.
//
// From a stream it returns bare [io.EOF] when the peer has ended it, and
// [io.ErrShortBuffer] if p is empty. From a datagram socket n may be 0 without an
// error. The rest of a longer message is lost: with MSG_TRUNC among the flags n
// is the length of the whole message on Linux, even when that is more than
// len(p); [Socket.RecvMsg] tells everywhere. A cancelled Recv took nothing.
func (s *Socket) Recv(ctx context.Context, p []byte, flags int) (n int, err error) {
	if err := s.roomFor(p); err != nil {
		return 0, err
	}
	t := s.takeInbound()
	t.p, t.flags, t.named = p, flags, false
	err = s.d.receive(ctx, t)
	n = t.n
	t.rest(&s.inbound)
	return s.received(n, err)
}

// RecvFrom is [Socket.Recv], and returns the address of the sender as well; nil if
// it has none.
func (s *Socket) RecvFrom(ctx context.Context, p []byte, flags int) (n int, from Addr, err error) {
	if err := s.roomFor(p); err != nil {
		return 0, nil, err
	}
	t := s.takeInbound()
	t.p, t.flags, t.named = p, flags, true
	if err = s.d.receive(ctx, t); err == nil {
		from = t.addr.addr()
	}
	n = t.n
	t.rest(&s.inbound)
	n, err = s.received(n, err)
	return n, from, err
}

// RecvFromAddrPort is [Socket.RecvFrom] for IP sockets, and allocates nothing. On a
// socket of another family the address is the zero value.
func (s *Socket) RecvFromAddrPort(ctx context.Context, p []byte, flags int) (n int, from netip.AddrPort, err error) {
	if err := s.roomFor(p); err != nil {
		return 0, from, err
	}
	t := s.takeInbound()
	t.p, t.flags, t.named = p, flags, true
	if err = s.d.receive(ctx, t); err == nil {
		from, _ = t.addr.addrPort()
	}
	n = t.n
	t.rest(&s.inbound)
	n, err = s.received(n, err)
	return n, from, err
}

// RecvDatagram waits for one datagram on an IP socket, receives it, and tells
// whether it was longer than p; the rest of it is lost. A cancelled call took
// nothing. It allocates nothing.
func (s *Socket) RecvDatagram(ctx context.Context, p []byte) (n int, from netip.AddrPort, truncated bool, err error) {
	if truncTells {
		n, from, err = s.RecvFromAddrPort(ctx, p, msgTrunc)
		return min(n, len(p)), from, n > len(p), err
	}
	m := Message{Buffers: [][]byte{p}}
	err = s.RecvMsg(ctx, &m, 0)
	return m.N, m.AddrPort, m.Truncated(), err
}

// hasEnd reports whether receiving nothing means the end.
func (s *Socket) hasEnd() bool {
	return s.typ == syscall.SOCK_STREAM || s.typ == syscall.SOCK_SEQPACKET
}

func (s *Socket) roomFor(p []byte) error {
	if len(p) == 0 && s.hasEnd() {
		return s.fail("receive", io.ErrShortBuffer)
	}
	return nil
}

func (s *Socket) received(n int, err error) (int, error) {
	switch {
	case err != nil:
		return 0, s.fail("receive", err)
	case n == 0 && s.hasEnd():
		return 0, io.EOF
	}
	return n, nil
}

// Send waits until the system takes some of p, for a stream, or all of it as one
// message. It returns how many bytes that was; [netstream.Stream] has a
// SendAll. flags are those of send(2), or 0. A cancelled Send sent nothing.
// Sending to a peer that is gone is an error (EPIPE) and never a signal.
//
// [netstream.Stream]: https://pkg.go.dev/trigo/netstream#Stream
func (s *Socket) Send(ctx context.Context, p []byte, flags int) (n int, err error) {
	t := s.takeOutbound()
	t.p, t.flags, t.named = p, flags, false
	err = s.d.send(ctx, t)
	n = t.n
	t.rest(&s.outbound)
	if err != nil {
		return 0, s.fail("send", err)
	}
	return n, nil
}

// SendTo is [Socket.Send] to an address. Only the lookup of a [HostAddr] waits for
// anything but the socket.
func (s *Socket) SendTo(ctx context.Context, p []byte, flags int, to Addr) (n int, err error) {
	t := s.takeOutbound()
	t.p, t.flags, t.named = p, flags, true
	if err = s.encode(ctx, to, false, &t.addr); err == nil {
		err = s.d.send(ctx, t)
	}
	n = t.n
	t.rest(&s.outbound)
	if err != nil {
		return 0, s.sendError(to, err)
	}
	return n, nil
}

// SendToAddrPort is [Socket.SendTo] for IP sockets, and allocates nothing.
func (s *Socket) SendToAddrPort(ctx context.Context, p []byte, flags int, to netip.AddrPort) (n int, err error) {
	t := s.takeOutbound()
	t.p, t.flags, t.named = p, flags, true
	if isIP(s.family) {
		err = t.addr.putIP(s.family, to, 0)
	} else {
		err = IP(to).encode(s.family, &t.addr)
	}
	if err == nil {
		err = s.d.send(ctx, t)
	}
	n = t.n
	t.rest(&s.outbound)
	if err != nil {
		return 0, s.sendError(IP(to), err)
	}
	return n, nil
}

func (s *Socket) sendError(to Addr, err error) error {
	if to == nil {
		return s.fail("send", err)
	}
	return s.failTo("send", to, err)
}
