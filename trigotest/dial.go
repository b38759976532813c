package trigotest

import (
	"context"
	"fmt"
	"net"
	"net/netip"
)

// OpenStreamToSocketListener connects to l with dial and returns what dial
// returned. A listener on a wildcard address (0.0.0.0 or ::) is reached by the
// loopback address of the same family; a Unix listener by its path.
//
// This package stands below the ones that open sockets, so it must be told
// how to dial. The network and the address are those of package net:
//
//	conn, err := trigotest.OpenStreamToSocketListener(ctx, l, new(net.Dialer).DialContext)
//
// Trio: trio.testing.open_stream_to_socket_listener.
func OpenStreamToSocketListener[S any](
	ctx context.Context,
	l interface{ Addr() net.Addr },
	dial func(ctx context.Context, network, address string) (S, error),
) (S, error) {
	addr := l.Addr()
	address, err := reachable(addr)
	if err != nil {
		var none S
		return none, err
	}
	return dial(ctx, addr.Network(), address)
}

// reachable returns an address at which a listener on addr can be dialled from
// this machine.
func reachable(addr net.Addr) (string, error) {
	switch addr.Network() {
	case "unix", "unixpacket":
		return addr.String(), nil
	}
	host, port, err := net.SplitHostPort(addr.String())
	if err != nil {
		return "", fmt.Errorf("address of the listener: %w", err)
	}
	ip, err := netip.ParseAddr(host)
	switch {
	case host == "", err == nil && ip.Unmap() == netip.IPv4Unspecified():
		host = "127.0.0.1"
	case err == nil && ip.WithZone("") == netip.IPv6Unspecified():
		host = "::1"
	}
	return net.JoinHostPort(host, port), nil
}
