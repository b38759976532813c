// Package netseam is where a network other than the kernel's is put in. A ctx
// carries it to the packages that open sockets; they ask [From] first, and do
// what they always do when there is none. So whole programs run over a virtual
// network unchanged: package trigo/trigotest/vnet makes one.
//
// What these interfaces return keeps the contracts of package trigo: the
// errors are of its kinds, with the kernel's errno inside, and name layer and
// operation where they come from a stream or a listener. The others are plain.
package netseam

import (
	"context"
	"net"
	"net/netip"

	"trigo"
)

// A Host is one machine's view of a network.
type Host interface {
	// LookupNetIP is that of *net.Resolver.
	LookupNetIP(ctx context.Context, network, name string) ([]netip.Addr, error)

	// DialTCP connects to remote, from local if that is valid. A connection
	// that comes too late for its ctx is closed.
	DialTCP(ctx context.Context, local netip.Addr, remote netip.AddrPort) (Conn, error)

	// ListenTCP listens on local. An IPv6 wildcard is IPv6 only; port 0 is a
	// free one; a backlog of 0 is the greatest.
	ListenTCP(ctx context.Context, local netip.AddrPort, backlog int) (Listener, error)

	// ListenUDP opens an unconnected UDP socket.
	ListenUDP(ctx context.Context, local netip.AddrPort) (PacketConn, error)
}

// Conn is a connection.
type Conn interface {
	trigo.HalfCloseableStream
	trigo.Aborter
	LocalAddr() net.Addr
	RemoteAddr() net.Addr
}

// Listener accepts connections.
type Listener interface {
	trigo.Listener[Conn]
	Addr() net.Addr
}

// PacketConn sends and receives datagrams.
type PacketConn interface {
	trigo.Resource

	// SendTo sends one datagram. It never waits.
	SendTo(ctx context.Context, p []byte, to netip.AddrPort) error

	// ReceiveFrom waits for a datagram. What does not fit into p is lost.
	ReceiveFrom(ctx context.Context, p []byte) (n int, from netip.AddrPort, err error)

	LocalAddr() net.Addr
}

type key struct{}

// With returns a ctx under which h stands in for the machine.
func With(ctx context.Context, h Host) context.Context { return context.WithValue(ctx, key{}, h) }

// From returns the host that ctx carries, or nil: the machine itself.
func From(ctx context.Context) Host {
	h, _ := ctx.Value(key{}).(Host)
	return h
}
