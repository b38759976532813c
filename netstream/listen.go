package netstream

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"

	"trigo"
	"trigo/internal/netseam"
	"trigo/internal/pollio"
	"trigo/socket"
)

// ListenOptions are the choices of [ListenTCP]. The zero value is good, and is
// what nil means.
type ListenOptions struct {
	// Backlog is how many connections may wait to be accepted. The kernel has
	// a limit of its own, which is what 0 means. Where there is no listen(2)
	// (Windows), anything else Is [errors.ErrUnsupported].
	Backlog int
}

// ListenTCP listens on address, "host:port": one listener for each address of
// the host, in their order. An empty host is every address of this machine, as
// two listeners, one for each family: an IPv6 listener never accepts IPv4.
// Port 0 is a free port, the same one for all.
//
// A family that this system lacks is passed over; if that leaves nothing, the
// error Is that of the system ([syscall.EAFNOSUPPORT]). On any other error
// everything is closed again, and errors.Is(err, syscall.EADDRINUSE) and the
// like tell why. Only the lookup of a name waits; see [WithResolver].
//
// Where it is safe (not on Windows), SO_REUSEADDR lets a server listen again
// while old connections to the port are dying.
//
// Trio: trio.open_tcp_listeners.
func ListenTCP(ctx context.Context, address string, opts *ListenOptions) ([]*Listener, error) {
	var o ListenOptions
	if opts != nil {
		o = *opts
	}
	open := o.open
	if host := netseam.From(ctx); host != nil {
		open = o.openVirtual(host)
	}
	sockets, err := o.listen(ctx, address, open)
	if err != nil {
		return nil, &trigo.OpError{Op: "listen", Layer: "tcp " + address, Err: err}
	}
	listeners := make([]*Listener, len(sockets))
	for i, s := range sockets {
		if v, ok := s.(virtualSocket); ok {
			listeners[i] = &Listener{virtual: v.Listener, addr: s.Addr()}
			continue
		}
		if f, ok := s.(factorySocket); ok {
			listeners[i] = f.l
			continue
		}
		listeners[i] = newListener(s.(pollio.ListenerSource), s.Addr(), nil)
	}
	return listeners, nil
}

// opener opens a listening socket.
type opener func(context.Context, netip.AddrPort) (net.Listener, error)

func (o *ListenOptions) open(ctx context.Context, addr netip.AddrPort) (net.Listener, error) {
	if socket.HasSocketFactory(ctx) {
		return o.openSocket(ctx, addr)
	}
	network := "tcp6" // with IPV6_V6ONLY, which "tcp" would leave out for [::]
	if addr.Addr().Is4() {
		network = "tcp4"
	}
	var c net.ListenConfig
	l, err := c.Listen(ctx, network, addr.String())
	if err != nil {
		return nil, bare(err)
	}
	if err := setBacklog(l.(*net.TCPListener), o.Backlog); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

var errNegativeBacklog = errors.New("negative Backlog")

// clampBacklog keeps a backlog within what every kernel understands: some take
// its lower 16 bits only.
func clampBacklog(n int) int { return min(n, 1<<16-1) }

// wildcards are the addresses of the empty host.
var wildcards = []netip.Addr{netip.IPv4Unspecified(), netip.IPv6Unspecified()}

func (o *ListenOptions) listen(ctx context.Context, address string, open opener) ([]net.Listener, error) {
	host, port, err := splitAddress(address)
	switch {
	case err != nil:
		return nil, err
	case o.Backlog < 0:
		return nil, errNegativeBacklog
	case ctx.Err() != nil:
		return nil, trigo.CancelError(ctx)
	}
	addrs := wildcards
	if host != "" {
		if addrs, err = lookup(ctx, host); err != nil {
			return nil, err
		}
	}
	return listenAll(ctx, addrs, port, open)
}

// listenAll opens a socket for each address, all with the same port.
func listenAll(ctx context.Context, addrs []netip.Addr, port uint16, open opener) ([]net.Listener, error) {
	// A port that is free in one family may be taken in the other. That is
	// rare, so that many failures in a row have some other reason.
	const tries = 16
	for try := 1; ; try++ {
		sockets, err := tryListenAll(ctx, addrs, port, open)
		if port != 0 || try == tries || !errors.Is(err, syscall.EADDRINUSE) {
			return sockets, err
		}
	}
}

func tryListenAll(ctx context.Context, addrs []netip.Addr, port uint16, open opener) (sockets []net.Listener, err error) {
	defer func() {
		if err != nil {
			for _, s := range sockets {
				s.Close()
			}
			sockets = nil
		}
	}()
	var missing error
	for _, a := range addrs {
		addr := netip.AddrPortFrom(a, port)
		s, err := open(ctx, addr)
		switch {
		case err == nil:
			sockets = append(sockets, s)
			if port == 0 {
				port = s.Addr().(*net.TCPAddr).AddrPort().Port()
			}
		case isMissingFamily(a, err):
			missing = err
		case len(addrs) > 1:
			return sockets, fmt.Errorf("%v: %w", addr, err)
		default:
			return sockets, err
		}
	}
	if len(sockets) == 0 {
		return nil, fmt.Errorf("this system has none of the address families of the host: %w", missing)
	}
	return sockets, nil
}

// isMissingFamily reports whether err, for a listener on a, means that this
// system lacks the family of a. Where IPv6 is only switched off, sockets can be
// made but even the loopback address is not there.
func isMissingFamily(a netip.Addr, err error) bool {
	return errors.Is(err, syscall.EAFNOSUPPORT) ||
		a == netip.IPv6Loopback() && errors.Is(err, syscall.EADDRNOTAVAIL)
}
