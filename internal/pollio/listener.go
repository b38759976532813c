package pollio

import (
	"context"
	"errors"
	"net"
	"syscall"
	"time"
)

// A Listener is a net.Listener with a ctx for each Accept. The standard library
// lets nobody else wait for a listening descriptor, so the ctx is registered
// before Accept is tried; a server accepts under one ctx, and registers once.
type Listener struct {
	src ListenerSource
	fd  FD // of which only the reading half is used
}

// ListenerSource is *net.TCPListener or *net.UnixListener.
type ListenerSource interface {
	net.Listener
	SetDeadline(time.Time) error
}

// NewListener returns a Listener that owns src and its deadline.
func NewListener(src ListenerSource) *Listener {
	l := &Listener{src: src}
	l.fd.src = onlyAccepts{src}
	l.fd.r.fd = &l.fd
	src.SetDeadline(time.Time{}) // of before; fails only if closed, which Accept finds
	return l
}

// onlyAccepts is a listener as far as it can be a source.
type onlyAccepts struct{ ListenerSource }

func (s onlyAccepts) SetReadDeadline(t time.Time) error     { return s.SetDeadline(t) }
func (s onlyAccepts) SetWriteDeadline(t time.Time) error    { return s.SetDeadline(t) }
func (s onlyAccepts) Read([]byte) (int, error)              { return 0, errors.ErrUnsupported }
func (s onlyAccepts) Write([]byte) (int, error)             { return 0, errors.ErrUnsupported }
func (s onlyAccepts) SyscallConn() (syscall.RawConn, error) { return nil, errors.ErrUnsupported }

// Accept waits for a connection. The errors are those of an [FD].
func (l *Listener) Accept(ctx context.Context) (conn net.Conn, err error) {
	err = l.fd.r.block(ctx, func() (err error) {
		conn, err = l.src.Accept()
		return err
	})
	return conn, err
}

// Source returns what the Listener was made of.
func (l *Listener) Source() ListenerSource { return l.src }

// Closed reports whether Close was called.
func (l *Listener) Closed() bool { return l.fd.Closed() }

// Close closes the source and wakes an Accept that waits. It does nothing the
// second time.
func (l *Listener) Close() error { return l.fd.Close() }
