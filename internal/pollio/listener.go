package pollio

import (
	"context"
	"net"
	"time"
)

// A Listener is a net.Listener with a ctx for each Accept. The standard library
// lets nobody else wait for a listening descriptor, so the ctx is registered
// before Accept is tried; a server accepts under one ctx, and registers once.
type Listener struct {
	src ListenerSource
	handle
	h half
}

// ListenerSource is *net.TCPListener or *net.UnixListener.
type ListenerSource interface {
	net.Listener
	SetDeadline(time.Time) error
}

// NewListener returns a Listener that owns src and its deadline.
func NewListener(src ListenerSource) *Listener {
	l := &Listener{src: src, handle: handle{deadlines: oneDeadline{src}}}
	l.h.handle = &l.handle
	return l
}

// oneDeadline is what a listener has: it only accepts, which is to read.
type oneDeadline struct{ ListenerSource }

func (d oneDeadline) SetReadDeadline(t time.Time) error  { return d.SetDeadline(t) }
func (d oneDeadline) SetWriteDeadline(t time.Time) error { return d.SetDeadline(t) }

// Accept waits for a connection. The errors are those of an [FD].
func (l *Listener) Accept(ctx context.Context) (conn net.Conn, err error) {
	err = l.h.block(ctx, func() (err error) {
		conn, err = l.src.Accept()
		return err
	})
	return conn, err
}

// Source returns what the Listener was made of.
func (l *Listener) Source() ListenerSource { return l.src }

// Closed reports whether Close was called.
func (l *Listener) Closed() bool { return l.closed.Load() }

// Close closes the source and wakes an Accept that waits. It does nothing the
// second time.
func (l *Listener) Close() error {
	if !l.closed.CompareAndSwap(false, true) {
		return nil
	}
	err := l.src.Close()
	l.h.retire()
	return err
}
