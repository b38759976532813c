package pollio

import (
	"context"
	"net"
	"sync/atomic"
	"time"
)

// A Listener is a net.Listener with a ctx for each Accept. The standard library
// lets nobody else wait for a listening descriptor, so the ctx is registered
// before Accept is tried; a server accepts under one ctx, and registers once.
type Listener struct {
	src    ListenerSource
	closed atomic.Bool
	h      half
}

// ListenerSource is *net.TCPListener or *net.UnixListener.
type ListenerSource interface {
	net.Listener
	SetDeadline(time.Time) error
}

// NewListener returns a Listener that owns src and its deadline.
func NewListener(src ListenerSource) *Listener {
	l := &Listener{src: src}
	l.h.init(nil, false, src.SetDeadline, &l.closed)
	return l
}

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
