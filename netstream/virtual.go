package netstream

import (
	"context"
	"net"
	"net/netip"
	"time"

	"trigo"
	"trigo/internal/netseam"
)

// A ctx may carry a network that stands in for the kernel's (internal/netseam).
// This file makes streams and listeners of that network's. It is looked for
// where sockets are opened and nowhere else; a stream on the kernel only ever
// asks whether a pointer is nil.

// dialVirtual is DialTCP on host.
func dialVirtual(ctx context.Context, host netseam.Host, address string, delay time.Duration, o *DialOptions) (*Stream, error) {
	connect := func(ctx context.Context, addr netip.AddrPort) (netseam.Conn, error) {
		s := host.TCPSocket()
		var err error
		if local := o.LocalAddress.Unmap(); local.IsValid() {
			err = s.Bind(netip.AddrPortFrom(local, 0), false)
		}
		if err == nil {
			err = s.Connect(ctx, addr)
		}
		if err != nil {
			s.Close()
			return nil, connectError(ctx, err)
		}
		return s.Conn(), nil
	}
	conn, report, err := dialHost(ctx, address, delay, connect, func(c netseam.Conn) { trigo.CloseForcefully(c) })
	if err != nil {
		return nil, dialError("tcp", address, err)
	}
	return virtualStream(conn, report), nil
}

func virtualStream(c netseam.Conn, report *DialReport) *Stream {
	return &Stream{extra: &extra{virtual: c, local: c.LocalAddr(), remote: c.RemoteAddr(), report: report}}
}

// virtualSocket is a listening socket of another network among the kernel's.
type virtualSocket struct{ netseam.Listener }

func (s virtualSocket) Close() error { return trigo.CloseForcefully(s.Listener) }

// Accept is never called: a Listener accepts from what is embedded.
func (s virtualSocket) Accept() (net.Conn, error) { return nil, net.ErrClosed }

// openVirtual returns the opener for host.
func (o *ListenOptions) openVirtual(host netseam.Host) opener {
	return func(ctx context.Context, addr netip.AddrPort) (net.Listener, error) {
		if ctx.Err() != nil {
			return nil, trigo.CancelError(ctx)
		}
		s := host.TCPSocket()
		err := s.Bind(addr, false)
		if err == nil {
			err = s.Listen(o.Backlog)
		}
		if err != nil {
			s.Close()
			return nil, err
		}
		return virtualSocket{s.Listener()}, nil
	}
}
