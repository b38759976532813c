package endpoint

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync/atomic"

	"trigo"
	"trigo/netstream"
)

// maxDatagram is more than any datagram can be.
const maxDatagram = 64 << 10

// datagrams is a connected UDP socket as a stream. What is sent in one piece is one
// datagram; what is received comes one datagram at a time, the rest of it with the
// next call if there is no room. It has no end.
type datagrams struct {
	udp       *netstream.UDP
	buf       []byte   // of the receiver, for those who have no room for any datagram
	rest      leftover // what is left of buf
	receiving atomic.Bool
	closed    atomic.Bool
}

var _ trigo.Stream = (*datagrams)(nil)

// SendAll sends p as one datagram. One that is too long is an error and nothing is
// sent. An empty one is not sent either.
func (d *datagrams) SendAll(ctx context.Context, p []byte) error {
	if len(p) == 0 {
		return d.usable(ctx, "send")
	}
	return datagramError(d.udp.Send(ctx, p))
}

// WaitSendAllMightNotBlock returns at once.
func (d *datagrams) WaitSendAllMightNotBlock(ctx context.Context) error {
	return d.usable(ctx, "wait to send")
}

func (d *datagrams) usable(ctx context.Context, op string) error {
	err := trigo.CancelError(ctx)
	if d.closed.Load() {
		err = trigo.ErrClosed
	}
	if err == nil {
		return nil
	}
	return &trigo.OpError{Op: op, Layer: d.String(), Err: err}
}

// ReceiveSome receives one datagram, or the rest of one. Empty ones are passed over.
func (d *datagrams) ReceiveSome(ctx context.Context, p []byte) (int, error) {
	if len(p) == 0 {
		return 0, io.ErrShortBuffer
	}
	if !d.receiving.CompareAndSwap(false, true) {
		return 0, &trigo.OpError{Op: "receive", Layer: d.String(), Err: trigo.ErrBusy}
	}
	defer d.receiving.Store(false)
	if err := d.usable(ctx, "receive"); err != nil {
		return 0, err
	}
	if n := d.rest.take(p); n > 0 {
		return n, nil
	}
	buf := p
	if len(p) < maxDatagram {
		if d.buf == nil {
			d.buf = make([]byte, maxDatagram)
		}
		buf = d.buf
	}
	for {
		n, err := d.udp.Receive(ctx, buf)
		switch {
		case err != nil:
			return 0, datagramError(err)
		case n == 0:
			continue
		case len(p) >= maxDatagram:
			return n, nil
		}
		copied := copy(p, buf[:n])
		d.rest = buf[copied:n]
		return copied, nil
	}
}

// Close closes the socket.
func (d *datagrams) Close(ctx context.Context) error {
	d.closed.Store(true)
	return d.udp.Close(ctx)
}

func (d *datagrams) String() string       { return d.udp.String() }
func (d *datagrams) Underlying() any      { return d.udp }
func (d *datagrams) LocalAddr() net.Addr  { return net.UDPAddrFromAddrPort(d.udp.LocalAddr()) }
func (d *datagrams) RemoteAddr() net.Addr { return net.UDPAddrFromAddrPort(d.udp.RemoteAddr()) }

// datagramError makes of an error of a socket one that streams have. A piece that
// is too long has done no harm; everything else that is wrong with the network
// breaks the stream.
func datagramError(err error) error {
	var op *trigo.OpError
	switch {
	case err == nil, !errors.As(err, &op):
		return err
	case errors.Is(err, trigo.ErrClosed), errors.Is(err, trigo.ErrBusy),
		errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case isTooLong(err):
		return &trigo.OpError{Op: op.Op, Layer: op.Layer, Err: fmt.Errorf("it does not fit into one datagram: %w", op.Err)}
	}
	return &trigo.OpError{Op: op.Op, Layer: op.Layer, Err: trigo.Broken(op.Err)}
}

// leftover is what did not fit.
type leftover []byte

func (l *leftover) take(p []byte) int {
	n := copy(p, *l)
	*l = (*l)[n:]
	return n
}
