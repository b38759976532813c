package socket

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync/atomic"
	"syscall"

	"trigo"
	"trigo/internal/netseam"
)

// A virtual is the descriptor of a TCP or UDP socket on a network that is not the
// kernel's. It turns families, encoded addresses, flags and options into what a
// [netseam.Socket] knows.
type virtual struct {
	s       netseam.Socket
	family  int
	typ     int
	options [len(virtualOptions)]atomic.Uint32
}

// openVirtual opens a socket on host.
func openVirtual(host netseam.Host, family, typ, proto int) (*Socket, error) {
	typ = bareType(typ)
	switch {
	case !isIP(family):
	case typ == syscall.SOCK_STREAM && (proto == 0 || proto == syscall.IPPROTO_TCP):
		return overVirtual(host.TCPSocket(), family, typ, proto), nil
	case typ == syscall.SOCK_DGRAM && (proto == 0 || proto == syscall.IPPROTO_UDP):
		return overVirtual(host.UDPSocket(), family, typ, proto), nil
	}
	return nil, notVirtual("other sockets than those of TCP and UDP")
}

func overVirtual(s netseam.Socket, family, typ, proto int) *Socket {
	return &Socket{d: &virtual{s: s, family: family, typ: typ}, family: family, typ: typ, proto: proto}
}

func notVirtual(what string) error {
	return fmt.Errorf("a virtual network has no %s: %w", what, errors.ErrUnsupported)
}

// OverVirtual returns the socket of a connection or a listener on a network that is
// not the kernel's. It is for packages of this module.
func OverVirtual(s netseam.Socket) *Socket {
	family := afInet6
	if s.LocalAddr().Addr().Is4() {
		family = afInet
	}
	return overVirtual(s, family, syscall.SOCK_STREAM, 0)
}

// Virtual returns what the socket is on a network that is not the kernel's; nil on
// that. It is for packages of this module.
func (s *Socket) Virtual() netseam.Socket {
	if v, ok := s.d.(*virtual); ok {
		return v.s
	}
	return nil
}

func (v *virtual) bind(to *sockaddr) error {
	a, err := ipOf(to)
	if err != nil {
		return err
	}
	return v.s.Bind(a, v.isDual())
}

// ipOf returns an address as a virtual network has it.
func ipOf(sa *sockaddr) (netip.AddrPort, error) {
	a, _ := sa.addrPort()
	if !a.IsValid() {
		return a, syscall.EAFNOSUPPORT
	}
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port()), nil
}

// bindSomewhere is what the kernel does for a socket that needs an address and
// has none. Under a dead ctx it leaves the refusal to what comes next.
func (v *virtual) bindSomewhere(ctx context.Context) error {
	if v.s.LocalAddr().IsValid() || ctx.Err() != nil {
		return nil
	}
	err := v.s.Bind(netip.AddrPortFrom(v.anywhere(), 0), v.isDual())
	if err == syscall.EINVAL { // another was quicker
		return nil
	}
	return err
}

func (v *virtual) anywhere() netip.Addr {
	if v.family == afInet {
		return netip.IPv4Unspecified()
	}
	return netip.IPv6Unspecified()
}

func (v *virtual) listen(backlog int) error {
	if err := v.bindSomewhere(context.Background()); err != nil {
		return err
	}
	return v.s.Listen(backlog)
}

func (v *virtual) accept(ctx context.Context, of *Socket) (*Socket, Addr, error) {
	s, err := v.s.Accept(ctx)
	if err != nil {
		return nil, nil, err
	}
	conn := overVirtual(s, of.family, of.typ, of.proto)
	from, _ := conn.Getpeername()
	return conn, from, nil
}

func (v *virtual) connect(ctx context.Context, to *sockaddr) error {
	a, err := ipOf(to)
	if err == nil && v.typ == syscall.SOCK_DGRAM {
		err = v.bindSomewhere(ctx)
	}
	if err != nil {
		return err
	}
	return v.s.Connect(ctx, a)
}

func (v *virtual) shutdown(how int) error {
	const receiving, sending, both = 0, 1, 2 // SHUT_RD and so on, where they have these names
	if how < receiving || how > both {
		return syscall.EINVAL
	}
	return v.s.Shutdown(how != sending, how != receiving)
}

func (v *virtual) didShutdownWrite() bool { return v.s.DidShutdownWrite() }

func (v *virtual) name(peer bool) (*sockaddr, error) {
	a := v.s.LocalAddr()
	if peer {
		a = v.s.RemoteAddr()
	}
	switch {
	case v.s.Closed():
		return nil, trigo.ErrClosed
	case !a.IsValid() && peer:
		return nil, syscall.ENOTCONN
	case !a.IsValid():
		a = netip.AddrPortFrom(v.anywhere(), 0)
	}
	sa := new(sockaddr)
	return sa, sa.putIP(v.family, a, 0)
}

func (v *virtual) receive(ctx context.Context, t *transfer) error {
	n, from, err := v.take(ctx, t.p, t.flags)
	if err != nil {
		return err
	}
	if t.n = min(n, len(t.p)); t.flags&msgTrunc != 0 && truncTells {
		t.n = n
	}
	if t.named && from.IsValid() {
		return t.addr.putIP(v.family, from, 0)
	}
	t.addr.n = 0
	return nil
}

// take receives, and returns the length of the whole datagram.
func (v *virtual) take(ctx context.Context, p []byte, flags int) (int, netip.AddrPort, error) {
	how, err := howOf(flags &^ msgTrunc)
	if err == nil && v.typ == syscall.SOCK_DGRAM {
		err = v.bindSomewhere(ctx)
	}
	if err != nil {
		return 0, netip.AddrPort{}, err
	}
	return v.s.Receive(ctx, p, how)
}

func (v *virtual) send(ctx context.Context, t *transfer) (err error) {
	var to netip.AddrPort
	if t.named {
		if to, err = ipOf(&t.addr); err != nil {
			return err
		}
	}
	t.n, err = v.put(ctx, t.p, to, t.flags)
	return err
}

func (v *virtual) put(ctx context.Context, p []byte, to netip.AddrPort, flags int) (int, error) {
	how, err := howOf(flags)
	if err == nil && v.typ == syscall.SOCK_DGRAM {
		err = v.bindSomewhere(ctx)
	}
	if err != nil {
		return 0, err
	}
	return v.s.Send(ctx, p, to, how)
}

// howOf turns the flags of one call into those of a virtual network.
func howOf(flags int) (netseam.Flags, error) {
	if flags&^(msgDontWait|msgPeek|msgNoSignal) != 0 {
		return netseam.Flags{}, notVirtual("such flags")
	}
	return netseam.Flags{DontWait: flags&msgDontWait != 0, Peek: flags&msgPeek != 0}, nil
}

func (v *virtual) receiveMessages(ctx context.Context, _ *Socket, ms []Message, flags int) (int, error) {
	for i := range ms {
		err := v.receiveMessage(ctx, &ms[i], flags)
		switch {
		case err == nil:
			flags |= msgDontWait // for the others
		case i > 0:
			return i, nil
		default:
			return 0, err
		}
	}
	return len(ms), nil
}

func (v *virtual) receiveMessage(ctx context.Context, m *Message, flags int) error {
	p := make([]byte, m.room())
	n, from, err := v.take(ctx, p, flags)
	if err != nil {
		return err
	}
	m.N, m.ControlN, m.Flags, m.Addr, m.AddrPort = min(n, len(p)), 0, 0, nil, from
	if v.family == afInet6 && from.IsValid() {
		m.AddrPort = netip.AddrPortFrom(netip.AddrFrom16(from.Addr().As16()), from.Port())
	}
	if n > len(p) {
		m.Flags = msgTrunc
		if flags&msgTrunc != 0 && truncTells {
			m.N = n
		}
	}
	for _, b := range m.Buffers {
		p = p[copy(b, p):]
	}
	return nil
}

func (v *virtual) sendMessages(ctx context.Context, of *Socket, ms []Message, flags int) (int, error) {
	for i := range ms {
		if err := v.sendMessage(ctx, of, &ms[i], flags); err != nil {
			return i, err
		}
	}
	return len(ms), nil
}

func (v *virtual) sendMessage(ctx context.Context, of *Socket, m *Message, flags int) error {
	if len(m.Control) > 0 {
		return notVirtual("control data")
	}
	var to netip.AddrPort
	if a := m.to(); a != nil {
		var sa sockaddr
		err := of.encode(ctx, a, false, &sa)
		if err == nil {
			to, err = ipOf(&sa)
		}
		if err != nil {
			return err
		}
	}
	var p []byte
	for _, b := range m.Buffers {
		p = append(p, b...)
	}
	n, err := v.put(ctx, p, to, flags)
	m.N = n
	return err
}

func (v *virtual) readable() (bool, error)             { return v.s.Readable(), nil }
func (v *virtual) waitRead(ctx context.Context) error  { return v.s.WaitReadable(ctx) }
func (v *virtual) waitWrite(ctx context.Context) error { return v.s.WaitWritable(ctx) }

func (v *virtual) close() error {
	v.s.Close()
	return nil
}

func (v *virtual) closed() bool { return v.s.Closed() }

func (v *virtual) system() (*kernel, error) { return nil, notVirtual("descriptors") }
