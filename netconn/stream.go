package netconn

import (
	"context"
	"errors"
	"io"
	"net"
	"sync/atomic"

	"trigo"
	"trigo/netstream"
)

// Stream returns c as a stream, which owns c and its deadlines.
//
// A *net.TCPConn and a *net.UnixConn become a [netstream.Stream]. A connection
// made by [Conn] gives back the stream that it was made of. Any other is woken
// through its deadlines when a ctx ends, so it is as good a stream as its
// deadlines are:
//
//   - A *tls.Conn does not survive a Write that was cancelled: every later
//     send fails. Its [io.EOF] proves nothing: it takes the end of its transport
//     between two records for the end of the stream, with close_notify or without.
//     Package tlsstream has TLS without these limits.
//   - A connection without deadlines (one of x/crypto/ssh) cannot be woken but
//     by closing it: a call with a ctx that can be cancelled is
//     [errors.ErrUnsupported].
//   - WaitSendAllMightNotBlock returns at once, for nobody knows.
//   - SendEOF calls CloseWrite, and is [errors.ErrUnsupported] where there is
//     none.
//   - Close closes what is below at once if ctx is dead, or ends (the method
//     NetConn, which a *tls.Conn has, tells what that is).
func Stream(c net.Conn) trigo.HalfCloseableStream {
	switch t := c.(type) {
	case *halfConn:
		return t.s
	case *net.TCPConn, *net.UnixConn:
		if s, err := netstream.FromConn(c); err == nil {
			return s
		}
	}
	s := &stream{c: c, gone: make(chan struct{})}
	s.receiving.init(&s.closed, c.SetReadDeadline)
	s.sending.init(&s.closed, c.SetWriteDeadline)
	return s
}

// stream is a net.Conn as a stream, by way of its deadlines.
type stream struct {
	c                  net.Conn
	closed             atomic.Bool
	gone               chan struct{} // closed when Close or Abort is done
	sending, receiving guard
	sentEOF            atomic.Bool
	broken             error                 // why sending is; of the holder of sending
	end                atomic.Pointer[error] // what receiving ended with
}

var _ trigo.Aborter = (*stream)(nil)

func (s *stream) SendAll(ctx context.Context, p []byte) error {
	n, err := s.send(ctx, p)
	return s.fail("send", n, err)
}

func (s *stream) send(ctx context.Context, p []byte) (n int, err error) {
	if err := s.beginSending(ctx); err != nil {
		return 0, err
	}
	defer s.sending.end()
	if s.broken != nil || len(p) == 0 {
		return 0, s.broken
	}
	stop, err := s.sending.start(ctx)
	if err != nil {
		return 0, err
	}
	n, err = s.c.Write(p)
	s.sending.release(stop)
	switch {
	case n == len(p):
		return n, nil // success wins
	case err == nil:
		err = io.ErrShortWrite
	}
	err, lasting := s.sending.kind(ctx, err)
	if lasting {
		s.broken = err
	}
	return n, err
}

func (s *stream) beginSending(ctx context.Context) error {
	if s.sentEOF.Load() {
		return trigo.ErrClosed
	}
	return s.sending.begin(ctx)
}

// WaitSendAllMightNotBlock returns at once: it may be early.
func (s *stream) WaitSendAllMightNotBlock(ctx context.Context) error {
	err := s.beginSending(ctx)
	if err == nil {
		err = s.broken
		s.sending.end()
	}
	return s.fail("wait to send", 0, err)
}

func (s *stream) SendEOF(ctx context.Context) error {
	if err := s.sending.begin(ctx); err != nil {
		return s.fail("send EOF", 0, err)
	}
	defer s.sending.end()
	h, ok := s.c.(interface{ CloseWrite() error })
	switch {
	case !ok:
		return s.fail("send EOF", 0, errors.ErrUnsupported)
	case s.sentEOF.Load():
		return nil
	case s.broken != nil:
		return s.fail("send EOF", 0, s.broken)
	}
	stop, err := s.sending.start(ctx)
	if err != nil {
		return s.fail("send EOF", 0, err)
	}
	err = h.CloseWrite()
	s.sending.release(stop)
	if err != nil {
		err, _ = s.sending.kind(ctx, err)
		return s.fail("send EOF", 0, err)
	}
	s.sentEOF.Store(true)
	return nil
}

func (s *stream) ReceiveSome(ctx context.Context, p []byte) (int, error) {
	if len(p) == 0 {
		return 0, io.ErrShortBuffer
	}
	n, err := s.receive(ctx, p)
	return n, s.fail("receive", 0, err)
}

func (s *stream) receive(ctx context.Context, p []byte) (n int, err error) {
	if err := s.receiving.begin(ctx); err != nil {
		return 0, err
	}
	defer s.receiving.end()
	if end := s.end.Load(); end != nil {
		return 0, *end
	}
	stop, err := s.receiving.start(ctx)
	if err != nil {
		return 0, err
	}
	for n == 0 && err == nil { // an io.Reader may say nothing
		n, err = s.c.Read(p)
	}
	s.receiving.release(stop)
	if err == nil {
		return n, nil
	}
	lasting := true
	if err != io.EOF {
		err, lasting = s.receiving.kind(ctx, err)
	}
	if lasting {
		end := err // which is a result, and set by each return
		s.end.Store(&end)
	}
	if n > 0 {
		return n, nil // its error is for the next call
	}
	return 0, err
}

// Close closes the connection and wakes everybody. If the connection has a
// goodbye, that may take until ctx ends.
func (s *stream) Close(ctx context.Context) error {
	if s.closed.Swap(true) {
		return s.fail("close", 0, s.awaitGone(ctx))
	}
	defer close(s.gone)
	lower := below(s.c)
	if lower == nil {
		return s.fail("close", 0, s.c.Close())
	}
	if ctx.Err() != nil {
		lower.Close()
	}
	stop := context.AfterFunc(ctx, func() { lower.Close() })
	err := s.c.Close()
	if !stop() {
		err = trigo.CancelError(ctx)
	}
	return s.fail("close", 0, err)
}

// awaitGone is Close for all but the first, whose goodbye it ends when ctx does.
func (s *stream) awaitGone(ctx context.Context) error {
	if s.isGone() {
		return nil
	}
	select {
	case <-s.gone:
		return nil
	case <-ctx.Done():
	}
	if lower := below(s.c); lower != nil {
		lower.Close()
	}
	return trigo.CancelError(ctx)
}

func (s *stream) isGone() bool {
	select {
	case <-s.gone:
		return true
	default:
		return false
	}
}

// Abort closes the connection such that a TCP peer below it, if there is one,
// gets a reset. It does so also if Close is waiting for its goodbye.
func (s *stream) Abort() error {
	first := !s.closed.Swap(true)
	if !first && s.isGone() {
		return nil
	}
	lowest := s.c
	for lower := below(lowest); lower != nil; lower = below(lowest) {
		lowest = lower
	}
	if t, ok := lowest.(interface{ SetLinger(sec int) error }); ok {
		t.SetLinger(0)
	}
	err := lowest.Close()
	if !first {
		return nil // the rest is for that Close
	}
	defer close(s.gone)
	if lowest != s.c {
		s.c.Close() // cannot say goodbye any more
	}
	return s.fail("abort", 0, err)
}

// below returns the connection that c stands on, or nil.
func below(c net.Conn) net.Conn {
	if t, ok := c.(interface{ NetConn() net.Conn }); ok {
		return t.NetConn()
	}
	return nil
}

func (s *stream) LocalAddr() net.Addr  { return s.c.LocalAddr() }
func (s *stream) RemoteAddr() net.Addr { return s.c.RemoteAddr() }

// Underlying returns the connection, for [trigo.Layers].
func (s *stream) Underlying() any { return s.c }

func (s *stream) String() string {
	if a := s.c.RemoteAddr(); a != nil {
		return a.Network() + " " + a.String()
	}
	return describe(s.c)
}

func (s *stream) fail(op string, n int, err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	return &trigo.OpError{Op: op, Layer: s.String(), N: int64(n), Err: err}
}
