// Package netseam is where a network other than the kernel's is put in. A ctx
// carries it to the packages that open sockets; they ask [From] first, and do
// what they always do when there is none. So whole programs run over a virtual
// network unchanged: package trigo/trigotest/vnet makes one.
//
// What these interfaces return keeps the contracts of package trigo. The errors of
// a Conn and a Listener are of its kinds, with the kernel's errno inside, and name
// layer and operation; those of a Socket are plain.
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

	TCPSocket() Socket
	UDPSocket() Socket
}

// Conn is a connection.
type Conn interface {
	trigo.HalfCloseableStream
	trigo.Aborter
	LocalAddr() net.Addr
	RemoteAddr() net.Addr
	Socket() Socket // the same, one level down
}

// Listener accepts connections.
type Listener interface {
	trigo.Listener[Conn]
	Addr() net.Addr
	Socket() Socket // the same, one level down
}

// A Socket is a socket as the kernel's are: not bound at first. It has no family;
// an address of IPv4 is never mapped into IPv6. One sender and one receiver may use
// it at the same time; another gets [trigo.ErrBusy]. Connect is a sender, Accept a
// receiver.
type Socket interface {
	// Bind gives the socket an address; port 0 is a free one. A dual one,
	// whose address is the IPv6 wildcard, has that of IPv4 too.
	Bind(local netip.AddrPort, dual bool) error

	// Listen begins to listen. A backlog of 0 is the greatest.
	Listen(backlog int) error
	Accept(ctx context.Context) (Socket, error)

	// Connect connects the socket, from a free port if it is not bound. If it
	// is cancelled, the socket is good for Close only.
	Connect(ctx context.Context, remote netip.AddrPort) error

	// Send sends some of p, to an address if that is valid, and Receive
	// receives. They wait until they can, unless told to return
	// [trigo.ErrWouldBlock]. The n of a datagram received is its length, also
	// if that is more than len(p).
	Send(ctx context.Context, p []byte, to netip.AddrPort, how Flags) (n int, err error)
	Receive(ctx context.Context, p []byte, how Flags) (n int, from netip.AddrPort, err error)
	Shutdown(receiving, sending bool) error
	DidShutdownWrite() bool // by Shutdown, or by a SendEOF of its Conn

	Readable() bool
	WaitReadable(ctx context.Context) error
	WaitWritable(ctx context.Context) error

	// LocalAddr and RemoteAddr are not valid if there is no such address.
	LocalAddr() netip.AddrPort
	RemoteAddr() netip.AddrPort
	Close()
	Closed() bool

	// Conn and Listener return what the socket is connected as, or listens as;
	// nil if it does not. They are the same socket.
	Conn() Conn
	Listener() Listener
}

// Flags say how a Socket sends or receives.
type Flags struct {
	DontWait bool
	Peek     bool // leave there what is received
}

type key struct{}

// With returns a ctx under which h stands in for the machine.
func With(ctx context.Context, h Host) context.Context { return context.WithValue(ctx, key{}, h) }

// From returns the host that ctx carries, or nil: the machine itself.
func From(ctx context.Context) Host {
	h, _ := ctx.Value(key{}).(Host)
	return h
}
