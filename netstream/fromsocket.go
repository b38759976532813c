package netstream

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"syscall"

	"trigo"
	"trigo/internal/pollio"
	"trigo/socket"
)

// FromSocket returns a stream on s, which must be of the type SOCK_STREAM and
// connected, of any family. Both share one descriptor: closing the one closes the
// other, a call on the one keeps the other busy, and options can be set on
// either. Do not shut down the socket beside the stream. TCP_NODELAY is
// switched on. For any other socket the error Is [errors.ErrUnsupported] and s is
// left alone.
//
// That it is connected is not checked: the system does not tell once the peer is
// gone again, and then the stream has what it sent.
//
// Trio: trio.SocketStream.
func FromSocket(s *socket.Socket) (*Stream, error) {
	if err := checkSocket(s, false); err != nil {
		return nil, &trigo.OpError{Op: "adopt", Layer: s.String(), Err: err}
	}
	if v := s.Virtual(); v != nil {
		st := virtualStream(v.Conn(), nil)
		st.low.s.Store(s)
		return st, nil
	}
	return newSocketStream(s, nil), nil
}

// ListenerFromSocket returns a listener on s, which must be of the type SOCK_STREAM
// and listen. They share one descriptor as [FromSocket] says.
//
// Trio: trio.SocketListener.
func ListenerFromSocket(s *socket.Socket) (*Listener, error) {
	if err := checkSocket(s, true); err != nil {
		return nil, &trigo.OpError{Op: "adopt", Layer: s.String(), Err: err}
	}
	l := &Listener{l: socketAcceptor{s}, addr: localAddr(s)}
	if v := s.Virtual(); v != nil {
		l = &Listener{virtual: v.Listener(), addr: localAddr(s)}
	}
	l.low.s.Store(s)
	return l, nil
}

func checkSocket(s *socket.Socket, listening bool) error {
	if s.Closed() {
		return trigo.ErrClosed
	}
	if s.Type() != syscall.SOCK_STREAM {
		return fmt.Errorf("not of the type SOCK_STREAM: %w", errors.ErrUnsupported)
	}
	if v := s.Virtual(); v != nil && (listening && v.Listener() == nil || !listening && v.Conn() == nil) {
		return fmt.Errorf("neither connected nor listening as it has to be: %w", errors.ErrUnsupported)
	}
	// macOS does not know this option.
	n, err := s.GetsockoptInt(syscall.SOL_SOCKET, acceptConn)
	switch {
	case err != nil || (n != 0) == listening:
		return nil
	case listening:
		return fmt.Errorf("not listening: %w", errors.ErrUnsupported)
	}
	return fmt.Errorf("a listening socket is no stream: %w", errors.ErrUnsupported)
}

// hasSocket is a connection that a [socket.Socket] opened.
type hasSocket interface {
	conn
	Socket() *socket.Socket
}

func newSocketStream(s *socket.Socket, x *extra) *Stream {
	if x == nil {
		x = new(extra)
	}
	if x.local == nil {
		x.local = localAddr(s)
	}
	x.remote = s.FD().Source().(conn).RemoteAddr() // the kernel forgets it when the peer resets
	st := &Stream{extra: x}
	st.low.s.Store(s)
	st.s.Share(s.FD(), st)
	if isTCP(s) {
		s.SetsockoptInt(syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1) // an optimisation
	}
	if s.DidShutdownWrite() {
		st.s.SendEOF(context.Background(), func() error { return nil })
	}
	return st
}

func isTCP(s *socket.Socket) bool {
	return (s.Family() == syscall.AF_INET || s.Family() == syscall.AF_INET6) &&
		(s.Protocol() == 0 || s.Protocol() == syscall.IPPROTO_TCP)
}

func localAddr(s *socket.Socket) net.Addr {
	a, err := s.Getsockname()
	if err != nil {
		a = nil
	}
	return socket.NetAddr(s, a)
}

// lowLevel keeps the socket of a stream or listener, so that there is only one.
type lowLevel struct{ s atomic.Pointer[socket.Socket] }

func (l *lowLevel) get(make func() (*socket.Socket, error)) (*socket.Socket, error) {
	if s := l.s.Load(); s != nil {
		return s, nil
	}
	s, err := make()
	if err != nil {
		return nil, err
	}
	l.s.CompareAndSwap(nil, s)
	return l.s.Load(), nil // another may have been faster: ours owned nothing
}

// Socket returns the socket of the stream, for options and whatever else a stream
// does not do. It is the same one each time. They share one descriptor: closing
// the one closes the other, and both together serve one sender and one receiver at
// a time. It fails on a stream that is closed, and where there is no package
// socket ([errors.ErrUnsupported]).
func (s *Stream) Socket() (*socket.Socket, error) {
	return s.low.get(func() (*socket.Socket, error) {
		if s.isVirtual() {
			return socket.OverVirtual(s.extra.virtual.Socket()), nil
		}
		return socket.Over(s.s.FD(), s.s.SentEOF())
	})
}

// closeWrite ends the sending half, such that the socket knows of it.
func (s *Stream) closeWrite() error {
	low := s.low.s.Load()
	if low == nil {
		return s.conn().CloseWrite()
	}
	err := low.Shutdown(syscall.SHUT_WR)
	if err != nil {
		return why(err)
	}
	return nil
}

// Socket returns the socket of the listener, as [Stream.Socket] does for a stream.
// If package net made the listener, it can accept and tell its options and names,
// but nothing else can wait for it.
func (l *Listener) Socket() (*socket.Socket, error) {
	return l.low.get(func() (*socket.Socket, error) {
		if l.l == nil {
			return socket.OverVirtual(l.virtual.Socket()), nil
		}
		return socket.OverListener(l.l.(*pollio.Listener))
	})
}

// socketAcceptor is a listening socket as an acceptor.
type socketAcceptor struct{ s *socket.Socket }

func (a socketAcceptor) Accept(ctx context.Context) (net.Conn, error) {
	s, _, err := a.s.Accept(ctx)
	if err != nil {
		return nil, why(err)
	}
	return s.FD().Source().(net.Conn), nil
}

func (a socketAcceptor) Close() error                  { return why(a.s.Close(context.Background())) }
func (a socketAcceptor) Source() pollio.ListenerSource { return nil }

// why returns an error of package socket without the words that our own errors
// say.
func why(err error) error {
	if op, ok := err.(*trigo.OpError); ok {
		return op.Err
	}
	return err
}
