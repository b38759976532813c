package netstream

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"trigo"
	"trigo/internal/netseam"
	"trigo/socket"
)

// DialOptions are the choices of [DialTCP]. The zero value is good, and is what
// nil means.
type DialOptions struct {
	// Delay is how long one address may take before the next is tried beside
	// it. 0: 250 ms. Negative: until it has failed.
	Delay time.Duration

	// LocalAddress is the address to connect from. Addresses of the other
	// family then fail, so 0.0.0.0 and :: choose no more than the family. On
	// Linux it costs no port of its own (IP_BIND_ADDRESS_NO_PORT). The zero
	// value: the system's choice.
	LocalAddress netip.Addr
}

// DialTCP connects to address, "host:port", with a numeric port from 1 to 65535.
// The host is an address (IPv6 in brackets, with a zone if it needs one) or a
// name, which may be an international one.
//
// The addresses of the name are tried, the families in turn, each one some time
// after the one before (the Delay of [DialOptions]) or as soon as that has
// failed. The first connection wins. DialTCP returns when every other attempt
// has ended and is closed. Its only time limit is ctx: left alone, an attempt
// ends when the kernel gives up, after minutes. Looking up the name is part of
// the call; [WithResolver] changes how it is done.
//
// If every address failed, the error holds a [DialError] with the report of all
// attempts, and Is the error of each: errors.Is(err, syscall.ECONNREFUSED) if
// one was refused. If the name has no address, it holds a *[net.DNSError]. If
// ctx ended, it is that of a cancelled call, with the report so far. A malformed
// address fails before any I/O.
//
// Trio: trio.open_tcp_stream.
func DialTCP(ctx context.Context, address string, opts *DialOptions) (*Stream, error) {
	var o DialOptions
	if opts != nil {
		o = *opts
	}
	delay := cmp.Or(o.Delay, 250*time.Millisecond)
	if host := netseam.From(ctx); host != nil {
		return dialVirtual(ctx, host, address, delay, &o)
	}
	if socket.HasSocketFactory(ctx) {
		return o.dialSockets(ctx, address, delay)
	}
	return dialTCP(ctx, address, delay, o.connect)
}

func dialTCP(ctx context.Context, address string, delay time.Duration, connect func(context.Context, netip.AddrPort) (net.Conn, error)) (*Stream, error) {
	conn, report, err := dialHost(ctx, address, delay, connect, func(c net.Conn) { c.Close() })
	if err != nil {
		return nil, dialError("tcp", address, err)
	}
	s, err := newStream(conn, &extra{report: report})
	if err != nil {
		conn.Close()
		return nil, dialError("tcp", address, err)
	}
	return s, nil
}

func dialError(network, address string, err error) error {
	return &trigo.OpError{Op: "dial", Layer: network + " " + address, Err: err}
}

// dialHost is DialTCP for any kind of connection.
func dialHost[C any](
	ctx context.Context,
	address string,
	delay time.Duration,
	connect func(context.Context, netip.AddrPort) (C, error),
	discard func(C),
) (conn C, report *DialReport, err error) {
	host, port, err := splitAddress(address)
	switch {
	case err != nil:
		return conn, nil, err
	case host == "":
		return conn, nil, errors.New("missing host")
	case port == 0:
		return conn, nil, errors.New("port 0 cannot be dialled")
	case ctx.Err() != nil:
		return conn, nil, trigo.CancelError(ctx)
	}

	began := time.Now()
	addrs, err := lookup(ctx, host)
	if err != nil {
		return conn, nil, err
	}
	report = &DialReport{Address: address, Resolve: time.Since(began)}
	for _, a := range interleave(addrs) {
		report.Addresses = append(report.Addresses, netip.AddrPortFrom(a, port))
	}

	conn, attempts, won := race(ctx, report.Addresses, delay, connect, discard)
	report.Attempts = attempts
	if !won {
		return conn, nil, &DialError{report, trigo.CancelError(ctx)}
	}
	return conn, report, nil
}

// connect makes one attempt.
func (o *DialOptions) connect(ctx context.Context, addr netip.AddrPort) (net.Conn, error) {
	var d net.Dialer
	if local := o.LocalAddress.Unmap(); local.IsValid() {
		if local.Is4() != addr.Addr().Is4() {
			return nil, fmt.Errorf("the local address %v is of the other family", local)
		}
		d.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(local, 0))
		d.Control = bindWithoutPort
	}
	conn, err := d.DialContext(ctx, "tcp", addr.String())
	if err != nil {
		return nil, connectError(ctx, err)
	}
	return conn, nil
}
