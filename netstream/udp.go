package netstream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"syscall"

	"trigo"
	"trigo/socket"
)

// UDP is a UDP socket: datagrams, each of which arrives whole, or not at all, or
// twice. [ListenUDP] makes one that talks to anybody, [DialUDP] one that is
// connected to one peer. One goroutine may send and one receive at the same time;
// another gets [trigo.ErrBusy].
//
// Sending and receiving allocate nothing. For batches, multicast and options, see
// [UDP.Socket].
type UDP struct {
	s             *socket.Socket
	local, remote netip.AddrPort
}

var _ trigo.Resource = (*UDP)(nil)

// ListenUDP opens a UDP socket on address, "host:port", to talk to anybody. A host
// with several addresses gives its first. An empty host is every address of this
// machine, in both families where the system has both. Port 0 is a free port.
// Only the lookup of a name waits; see [WithResolver].
func ListenUDP(ctx context.Context, address string) (*UDP, error) {
	u, err := listenUDP(ctx, address)
	if err != nil {
		return nil, &trigo.OpError{Op: "listen", Layer: "udp " + address, Err: why(err)}
	}
	return u, nil
}

func listenUDP(ctx context.Context, address string) (*UDP, error) {
	host, port, err := splitAddress(address)
	switch {
	case err != nil:
		return nil, err
	case ctx.Err() != nil:
		return nil, trigo.CancelError(ctx)
	}
	if host == "" {
		u, err := bindUDP(ctx, netip.AddrPortFrom(netip.IPv6Unspecified(), port), true)
		if !isMissingFamily(netip.IPv6Loopback(), err) {
			return u, err
		}
	}
	addr := netip.IPv4Unspecified()
	if host != "" {
		addrs, err := lookup(ctx, host)
		if err != nil {
			return nil, err
		}
		addr = addrs[0]
	}
	return bindUDP(ctx, netip.AddrPortFrom(addr, port), false)
}

// bindUDP opens a socket on local. A dual one takes IPv4 too.
func bindUDP(ctx context.Context, local netip.AddrPort, dual bool) (*UDP, error) {
	s, err := openFor(ctx, local, syscall.SOCK_DGRAM)
	if err != nil {
		return nil, err
	}
	if local.Addr().Is6() {
		only := 1
		if dual {
			only = 0
		}
		err = s.SetsockoptInt(syscall.IPPROTO_IPV6, syscall.IPV6_V6ONLY, only)
	}
	if err == nil {
		err = s.Bind(ctx, socket.IP(local))
	}
	if err != nil {
		s.Close(ctx)
		return nil, err
	}
	return newUDP(s)
}

func newUDP(s *socket.Socket) (*UDP, error) {
	local, err := s.Getsockname()
	if err != nil {
		s.Close(context.Background())
		return nil, err
	}
	u := &UDP{s: s, local: unmapped(local)}
	if remote, err := s.Getpeername(); err == nil {
		u.remote = unmapped(remote)
	}
	return u, nil
}

func unmapped(a socket.Addr) netip.AddrPort {
	ip, _ := a.(socket.IPAddr)
	return unmap(ip.AddrPort)
}

func unmap(a netip.AddrPort) netip.AddrPort { return netip.AddrPortFrom(a.Addr().Unmap(), a.Port()) }

// DialUDP opens a UDP socket that is connected to address, "host:port": it sends
// there, and receives what comes from there. That says nothing about whether
// anybody is there. Of a host with several addresses it takes the first that the
// system has a route to. Only the lookup of a name waits.
func DialUDP(ctx context.Context, address string) (*UDP, error) {
	u, err := dialUDP(ctx, address)
	if err != nil {
		return nil, dialError("udp", address, why(err))
	}
	return u, nil
}

func dialUDP(ctx context.Context, address string) (*UDP, error) {
	host, port, err := splitAddress(address)
	switch {
	case err != nil:
		return nil, err
	case host == "":
		return nil, errors.New("missing host")
	case port == 0:
		return nil, errors.New("port 0 cannot be dialled")
	case ctx.Err() != nil:
		return nil, trigo.CancelError(ctx)
	}
	addrs, err := lookup(ctx, host)
	if err != nil {
		return nil, err
	}
	var failures []error
	for _, a := range addrs {
		u, err := connectUDP(ctx, netip.AddrPortFrom(a, port))
		if err == nil {
			return u, nil
		}
		if len(addrs) == 1 {
			return nil, err
		}
		failures = append(failures, fmt.Errorf("%v: %w", a, why(err)))
	}
	return nil, errors.Join(failures...)
}

func connectUDP(ctx context.Context, remote netip.AddrPort) (*UDP, error) {
	s, err := openFor(ctx, remote, syscall.SOCK_DGRAM)
	if err != nil {
		return nil, err
	}
	if err := s.Connect(ctx, socket.IP(remote)); err != nil {
		s.Close(ctx)
		return nil, err
	}
	return newUDP(s)
}

// SendTo sends p to an address as one datagram; it may be empty. It hardly ever
// waits: only while the system's buffer is full. A cancelled SendTo sent nothing.
// It returns [trigo.ErrClosed] if the socket is or gets closed, [trigo.ErrBusy]
// while another call sends. For a datagram that is too long the error Is
// [syscall.EMSGSIZE]. A connected socket refuses it with [syscall.EISCONN].
func (u *UDP) SendTo(ctx context.Context, p []byte, to netip.AddrPort) error {
	var err error
	switch {
	case u.remote.IsValid():
		err = syscall.EISCONN
	default:
		_, err = u.s.SendToAddrPort(ctx, p, 0, to)
	}
	if err != nil {
		return &trigo.OpError{Op: "send", Layer: "udp " + to.String(), Err: why(err)}
	}
	return nil
}

// Send is SendTo for a connected socket, to its peer: it waits, is cancelled and
// fails as that does. It can also return what became of a datagram before:
// [syscall.ECONNREFUSED] if there was nobody. On a socket that is not connected
// the error Is [syscall.EDESTADDRREQ].
func (u *UDP) Send(ctx context.Context, p []byte) error {
	var err error
	switch {
	case !u.remote.IsValid():
		err = syscall.EDESTADDRREQ
	default:
		_, err = u.s.Send(ctx, p, 0)
	}
	return u.fail("send", 0, err)
}

// ReceiveFrom waits for a datagram, and returns its length and its sender. An IPv4
// sender is always told as such. If the datagram is longer than p, its first
// len(p) bytes are in p, the rest is lost, and the error Is [io.ErrShortBuffer].
// A cancelled ReceiveFrom took nothing. It returns [trigo.ErrClosed] if the socket
// is or gets closed, [trigo.ErrBusy] while another call receives. Only ErrClosed
// lasts: all other errors leave the socket usable.
func (u *UDP) ReceiveFrom(ctx context.Context, p []byte) (n int, from netip.AddrPort, err error) {
	n, from, truncated, err := u.s.RecvDatagram(ctx, p)
	if err == nil && truncated {
		return n, unmap(from), u.fail("receive", n, io.ErrShortBuffer)
	}
	if err != nil {
		return 0, netip.AddrPort{}, u.fail("receive", 0, err)
	}
	return n, unmap(from), nil
}

// Receive is ReceiveFrom for those who know the sender: it waits, is cancelled and
// fails as that does. On a connected socket it can return [syscall.ECONNREFUSED]:
// nobody was there for a datagram that was sent.
func (u *UDP) Receive(ctx context.Context, p []byte) (n int, err error) {
	n, _, err = u.ReceiveFrom(ctx, p)
	return n, err
}

// Close closes the socket and wakes every call that waits on it, with
// [trigo.ErrClosed]. It never waits; ctx makes no difference. Its error, if any, is
// what the system said, and the socket is closed all the same.
func (u *UDP) Close(ctx context.Context) error {
	return u.fail("close", 0, u.s.Close(ctx))
}

func (u *UDP) fail(op string, n int, err error) error {
	if err == nil {
		return nil
	}
	return &trigo.OpError{Op: op, Layer: u.String(), N: int64(n), Err: why(err)}
}

// LocalAddr returns the address of this end, with its real port.
func (u *UDP) LocalAddr() netip.AddrPort { return u.local }

// RemoteAddr returns the peer of a connected socket, or the zero value.
func (u *UDP) RemoteAddr() netip.AddrPort { return u.remote }

// Socket returns the socket, for options, control data and batches. Both share one
// descriptor. It never fails.
func (u *UDP) Socket() (*socket.Socket, error) { return u.s, nil }

// String names the socket by its peer, or by its own address.
func (u *UDP) String() string {
	if u.remote.IsValid() {
		return "udp " + u.remote.String()
	}
	return "udp " + u.local.String()
}
