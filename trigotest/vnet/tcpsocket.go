package vnet

import (
	"context"
	"errors"
	"io"
	"net/netip"
	"syscall"
	"time"

	"trigo"
	"trigo/internal/netseam"
)

// TCPSocket opens a socket for package trigo/socket; programs open theirs with
// socket.New under [Host.Context].
func (h *Host) TCPSocket() netseam.Socket { return &tcpSocket{host: h} }

// tcpSocket is a socket that is nothing yet, and then a listener or an end.
// Everything in it is guarded by the network.
type tcpSocket struct {
	host      *Host
	bound     *listener               // deaf until Listen; nil if not bound
	end       *end                    // nil if not connected
	interrupt context.CancelCauseFunc // non-nil while it connects
	closed    bool
}

// isClosed also knows of a Close of the end or the listener itself.
func (s *tcpSocket) isClosed() bool {
	return s.closed || s.end != nil && s.end.closed || s.bound != nil && s.bound.closed
}

func (s *tcpSocket) listens() bool { return s.bound != nil && !s.bound.deaf }

func (s *tcpSocket) Bind(local netip.AddrPort, dual bool) (err error) {
	defer s.host.n.lock()()
	switch {
	case s.isClosed():
		return trigo.ErrClosed
	case s.bound != nil, s.end != nil, s.interrupt != nil:
		return syscall.EINVAL
	}
	s.bound, err = s.host.bindTCP(local, dual)
	return err
}

func (s *tcpSocket) Listen(backlog int) error {
	defer s.host.n.lock()()
	switch {
	case s.isClosed():
		return trigo.ErrClosed
	case s.bound == nil, s.end != nil, s.interrupt != nil:
		return syscall.EINVAL
	}
	s.bound.listen(backlog)
	return nil
}

func (s *tcpSocket) Accept(ctx context.Context) (netseam.Socket, error) {
	l, err := s.listener()
	if err != nil {
		return nil, err
	}
	e, err := l.accept(ctx)
	if err != nil {
		return nil, err
	}
	return &tcpSocket{host: s.host, end: e}, nil
}

func (s *tcpSocket) listener() (*listener, error) {
	defer s.host.n.lock()()
	switch {
	case s.isClosed():
		return nil, trigo.ErrClosed
	case !s.listens():
		return nil, syscall.EINVAL
	}
	return s.bound, nil
}

func (s *tcpSocket) Connect(ctx context.Context, remote netip.AddrPort) error {
	connecting, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	local, err := s.beginConnect(ctx, cancel)
	if err != nil {
		return err
	}
	e, err := s.host.dial(connecting, local, remote)
	defer s.host.n.lock()()
	s.interrupt = nil
	switch {
	case s.closed:
		if e != nil {
			e.abort()
		}
		return trigo.ErrClosed
	case err == nil:
		s.end, e.bound = e, s.bound
	}
	return plain(err)
}

// beginConnect returns the address to connect from.
func (s *tcpSocket) beginConnect(ctx context.Context, cancel context.CancelCauseFunc) (local netip.AddrPort, err error) {
	defer s.host.n.lock()()
	cancelled := s.host.n.look(ctx)
	switch {
	case s.isClosed():
		return local, trigo.ErrClosed
	case cancelled != nil:
		return local, cancelled
	case s.interrupt != nil:
		return local, trigo.ErrBusy
	case s.end != nil, s.listens():
		return local, syscall.EISCONN
	}
	s.interrupt = cancel
	if s.bound == nil {
		return local, nil
	}
	local = s.bound.addrs[0]
	if len(s.bound.addrs) > 1 { // both families
		local = netip.AddrPortFrom(netip.Addr{}, local.Port())
	}
	return local, nil
}

// connected returns the end; the network is locked.
func (s *tcpSocket) connected() (*end, error) {
	switch {
	case s.isClosed():
		return nil, trigo.ErrClosed
	case s.end == nil:
		return nil, syscall.ENOTCONN
	}
	return s.end, nil
}

func (s *tcpSocket) Send(ctx context.Context, p []byte, _ netip.AddrPort, how netseam.Flags) (int, error) {
	defer s.host.n.lock()()
	cancelled := s.host.n.look(ctx)
	e, err := s.connected()
	if err != nil {
		return 0, err
	}
	if e.sentEOF {
		return 0, syscall.EPIPE
	}
	if err := e.beginSend(cancelled); err != nil {
		return 0, err
	}
	defer func() { e.sending = false }()
	n, err := e.push(ctx, p, !how.DontWait)
	if err != nil && e.sentEOF && !e.closed { // shut down meanwhile
		return 0, syscall.EPIPE
	}
	return n, plain(err)
}

func (s *tcpSocket) Receive(ctx context.Context, p []byte, how netseam.Flags) (n int, from netip.AddrPort, err error) {
	defer s.host.n.lock()()
	e, err := s.connected()
	if err != nil {
		return 0, from, err
	}
	n, err = e.pull(ctx, p, how)
	if err == io.EOF {
		err = nil
	}
	return n, e.remote, plain(err)
}

// plain is an error of a stream as a socket has it: the bare errno.
func plain(err error) error {
	if errors.Is(err, trigo.ErrBroken) {
		return syscall.ECONNRESET // the only way to break one
	}
	return err
}

func (s *tcpSocket) Shutdown(receiving, sending bool) error {
	defer s.host.n.lock()()
	switch {
	case s.isClosed():
		return trigo.ErrClosed
	case s.listens() && receiving:
		s.bound.hush()
		return nil
	case s.end == nil, s.end.broken != nil:
		return syscall.ENOTCONN
	}
	if sending && !s.end.sentEOF {
		s.end.sentEOF = true
		s.end.emit(fin, nil)
		signal(s.end.toSender)
	}
	if receiving {
		s.end.deaf = true
		signal(s.end.toReceiver)
	}
	return nil
}

func (s *tcpSocket) DidShutdownWrite() bool {
	defer s.host.n.lock()()
	return s.end != nil && s.end.sentEOF
}

func (s *tcpSocket) Readable() bool {
	defer s.host.n.lock()()
	switch {
	case s.isClosed():
		return false
	case s.listens():
		return len(s.bound.pending) > 0
	case s.end != nil:
		now := time.Now()
		s.end.poll(now)
		return s.end.readable(now)
	}
	return true // to receive would fail at once
}

func (s *tcpSocket) WaitReadable(ctx context.Context) error {
	if l, err := s.listener(); err != syscall.EINVAL {
		if err == nil {
			err = l.await(ctx, func() {})
		}
		return err
	}
	defer s.host.n.lock()()
	if s.end == nil {
		return s.host.n.look(ctx)
	}
	return s.end.waitReadable(ctx)
}

func (s *tcpSocket) WaitWritable(ctx context.Context) error {
	unlock := s.host.n.lock()
	e, err := s.connected()
	over := err == nil && e.sentEOF && !e.closed
	unlock()
	switch {
	case err == syscall.ENOTCONN, over:
		return trigo.CancelError(ctx) // to send would fail at once
	case err != nil:
		return err
	}
	return e.waitToSend(ctx)
}

func (s *tcpSocket) LocalAddr() (a netip.AddrPort) {
	defer s.host.n.lock()()
	switch {
	case s.end != nil:
		return s.end.local
	case s.bound != nil:
		return s.bound.addrs[0]
	}
	return a
}

func (s *tcpSocket) RemoteAddr() (a netip.AddrPort) {
	defer s.host.n.lock()()
	if s.end == nil || s.end.broken != nil {
		return a
	}
	return s.end.remote
}

func (s *tcpSocket) Close() {
	defer s.host.n.lock()()
	s.closed = true
	if s.interrupt != nil {
		s.interrupt(trigo.ErrClosed)
	}
	if s.end != nil {
		s.end.shut()
	}
	if s.bound != nil {
		s.bound.shut()
	}
}

func (s *tcpSocket) Closed() bool {
	defer s.host.n.lock()()
	return s.isClosed()
}

func (s *tcpSocket) Conn() netseam.Conn {
	defer s.host.n.lock()()
	if s.end == nil {
		return nil
	}
	return s.end
}

func (s *tcpSocket) Listener() netseam.Listener {
	defer s.host.n.lock()()
	if !s.listens() {
		return nil
	}
	return s.bound
}
