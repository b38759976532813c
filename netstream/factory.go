package netstream

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"time"

	"trigo"
	"trigo/socket"
)

// A ctx may carry a socket factory (socket.WithSocketFactory). Then this file opens
// the sockets, and not package net; all else is the same.

// dialSockets is DialTCP with the socket factory of ctx. The factory may open sockets
// of a virtual network too.
func (o *DialOptions) dialSockets(ctx context.Context, address string, delay time.Duration) (*Stream, error) {
	s, report, err := dialHost(ctx, address, delay, o.connectSocket, func(s *socket.Socket) { s.Close(ctx) })
	if err != nil {
		return nil, dialError("tcp", address, err)
	}
	st, err := FromSocket(s)
	if err != nil {
		s.Close(ctx)
		return nil, dialError("tcp", address, why(err))
	}
	st.extra.report = report
	return st, nil
}

// connectSocket makes one attempt.
func (o *DialOptions) connectSocket(ctx context.Context, addr netip.AddrPort) (*socket.Socket, error) {
	s, err := openFor(ctx, addr, syscall.SOCK_STREAM)
	if err != nil {
		return nil, why(err)
	}
	if local := o.LocalAddress.Unmap(); local.IsValid() {
		if local.Is4() != addr.Addr().Is4() {
			s.Close(ctx)
			return nil, fmt.Errorf("the local address %v is of the other family", local)
		}
		bindWithoutPort("", "", s.RawConn())
		err = s.Bind(ctx, socket.IP(netip.AddrPortFrom(local, 0)))
	}
	if err == nil {
		err = s.Connect(ctx, socket.IP(addr))
	}
	if err != nil {
		s.Close(ctx)
		return nil, why(err)
	}
	return s, nil
}

// openFor opens a socket of the family of an address.
func openFor(ctx context.Context, addr netip.AddrPort, typ int) (*socket.Socket, error) {
	return socket.New(ctx, socket.IP(addr).Family(), typ, 0)
}

// openSocket opens a listener with the socket factory of ctx.
func (o *ListenOptions) openSocket(ctx context.Context, addr netip.AddrPort) (net.Listener, error) {
	s, err := openFor(ctx, addr, syscall.SOCK_STREAM)
	if err != nil {
		return nil, why(err)
	}
	err = s.SetsockoptInt(syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1)
	if err == nil && addr.Addr().Is6() {
		err = s.SetsockoptInt(syscall.IPPROTO_IPV6, syscall.IPV6_V6ONLY, 1)
	}
	if err == nil {
		err = s.Bind(ctx, socket.IP(addr))
	}
	if err == nil {
		err = s.Listen(clampBacklog(o.Backlog))
	}
	if err != nil {
		s.Close(ctx)
		return nil, why(err)
	}
	l, err := ListenerFromSocket(s)
	if err != nil {
		s.Close(ctx)
		return nil, why(err)
	}
	return factorySocket{l}, nil
}

// factorySocket is a listener from a socket factory among those of package net.
type factorySocket struct{ l *Listener }

func (s factorySocket) Addr() net.Addr { return s.l.addr }
func (s factorySocket) Close() error   { return trigo.CloseForcefully(s.l) }

// Accept is never called: the Listener itself is taken out.
func (s factorySocket) Accept() (net.Conn, error) { return nil, net.ErrClosed }
