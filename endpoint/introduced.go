package endpoint

import (
	"context"
	"errors"
	"net"

	"trigo"
	"trigo/internal/fdstream"
	"trigo/proxy"
)

// An introducedStream is a connection from a proxy that has told who is behind it.
// It is the stream below, with the addresses that were told. If that cannot be
// closed halfway, SendEOF says so with [errors.ErrUnsupported].
type introducedStream struct {
	trigo.Stream
	source, destination net.Addr
}

var (
	_ trigo.HalfCloseableStream = (*introducedStream)(nil)
	_ fdstream.Receiver         = (*introducedStream)(nil)
	_ fdstream.Sender           = (*introducedStream)(nil)
)

// introduced returns s with the addresses of h, if it has any.
func introduced(s trigo.Stream, h *proxy.Header) trigo.Stream {
	if h.Source == nil || h.Destination == nil {
		return s
	}
	return &introducedStream{s, h.Source, h.Destination}
}

// RemoteAddr returns the address of the peer behind the proxy.
func (i *introducedStream) RemoteAddr() net.Addr { return i.source }

// LocalAddr returns the address that the peer has connected to.
func (i *introducedStream) LocalAddr() net.Addr { return i.destination }

// SendEOF is that of the connection.
func (i *introducedStream) SendEOF(ctx context.Context) error {
	if h, ok := i.Stream.(trigo.HalfCloseableStream); ok {
		return h.SendEOF(ctx)
	}
	return &trigo.OpError{Op: "send EOF", Layer: i.String(), Err: errors.ErrUnsupported}
}

// Underlying returns the connection from the proxy.
func (i *introducedStream) Underlying() any { return i.Stream }

func (i *introducedStream) String() string { return i.source.Network() + " " + i.source.String() }

// It does nothing to the bytes, so they may pass below it.

// Itself returns i, if the connection is a descriptor.
func (i *introducedStream) Itself() any {
	if isDescriptor(i.Stream) {
		return i
	}
	return nil
}

// ReceiveBy is that of the connection.
func (i *introducedStream) ReceiveBy(ctx context.Context, op func(sysfd int) error) error {
	return i.Stream.(fdstream.Receiver).ReceiveBy(ctx, op)
}

// SendBy is that of the connection.
func (i *introducedStream) SendBy(ctx context.Context, op func(sysfd int) error, moved *int) error {
	return i.Stream.(fdstream.Sender).SendBy(ctx, op, moved)
}

// isDescriptor reports whether a stream, or half of one, is nothing but a
// descriptor.
func isDescriptor(s any) bool {
	d, ok := s.(interface{ Itself() any })
	return ok && d.Itself() == s
}
