package netconn

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"time"

	"trigo"
	"trigo/netstream"
	"trigo/nursery"
)

// FromListener returns l as a listener of streams, which owns l. Each connection
// becomes a [Stream].
//
// A *net.TCPListener and a *net.UnixListener become a [netstream.Listener]
// underneath. Any other is woken by its deadline when a ctx ends, if it has
// SetDeadline. Without one, such as that of crypto/tls, nothing can wake its Accept but
// closing it: then a cancelled Accept leaves it waiting in a goroutine, of which
// there is one at most, and the next call gets what it brings. Close ends it.
//
// Close waits for that goroutine, within ctx; a connection that it still brings
// is closed.
func FromListener(l net.Listener) trigo.Listener[trigo.HalfCloseableStream] {
	if c, ok := l.(*net.TCPListener); ok {
		if s, err := netstream.FromListener(c); err == nil {
			return sockets{s}
		}
	}
	if c, ok := l.(*net.UnixListener); ok {
		if s, err := netstream.FromListener(c); err == nil {
			return sockets{s}
		}
	}
	f := &fromListener{l: l}
	if d, ok := l.(interface{ SetDeadline(time.Time) error }); ok {
		f.guard.init(&f.closed, d.SetDeadline)
		return f
	}
	f.guard.init(&f.closed, nil)
	f.stray = newStray()
	return f
}

// sockets is a netstream.Listener, as one of streams of any kind.
type sockets struct{ *netstream.Listener }

func (l sockets) Accept(ctx context.Context) (trigo.HalfCloseableStream, error) {
	s, err := l.Listener.Accept(ctx)
	if err != nil {
		return nil, err
	}
	return s, nil
}

// Underlying returns the netstream.Listener, for [trigo.Layers].
func (l sockets) Underlying() any { return l.Listener }

// fromListener is a net.Listener that the runtime does not poll for us.
type fromListener struct {
	l      net.Listener
	closed atomic.Bool
	guard  guard
	stray  *stray // nil if the listener has a deadline
}

func (f *fromListener) Accept(ctx context.Context) (trigo.HalfCloseableStream, error) {
	c, err := f.accept(ctx)
	if err != nil {
		return nil, &trigo.OpError{Op: "accept", Layer: f.String(), Err: err}
	}
	return Stream(c), nil
}

func (f *fromListener) accept(ctx context.Context) (c net.Conn, err error) {
	if err := f.guard.begin(ctx); err != nil {
		return nil, err
	}
	defer f.guard.end()
	if f.stray != nil {
		c, err = f.stray.accept(ctx, f.l)
	} else {
		var stop func() bool
		if stop, err = f.guard.start(ctx); err != nil {
			return nil, err
		}
		c, err = f.l.Accept()
		f.guard.release(stop)
	}
	if err == nil || nursery.IsCancellation(ctx, err) {
		return c, err
	}
	if kind, lasting := f.guard.kind(ctx, err); !lasting {
		err = kind
	}
	return nil, err // of which the listener may get well again
}

func (f *fromListener) Close(ctx context.Context) error {
	if f.closed.Swap(true) {
		return nil
	}
	err := f.l.Close()
	if f.stray != nil {
		err = errors.Join(err, f.stray.close(ctx))
	}
	if err != nil {
		return &trigo.OpError{Op: "close", Layer: f.String(), Err: err}
	}
	return nil
}

// Addr returns the address of the listener.
func (f *fromListener) Addr() net.Addr { return f.l.Addr() }

// Underlying returns the net.Listener, for [trigo.Layers].
func (f *fromListener) Underlying() any { return f.l }

func (f *fromListener) String() string {
	if a := f.l.Addr(); a != nil {
		return a.Network() + " " + a.String()
	}
	return describe(f.l)
}
