// Package local holds streams that lead nowhere: an echo, a sink, sources of
// bytes, and a hub that joins its members. Each is a
// [trigo.HalfCloseableStream].
package local

import (
	"context"
	"io"
	"sync"
	"sync/atomic"

	"trigo"
)

// source is a stream that receives what next gives and drops what it is sent.
// It never waits, but for the end of its sending half where that is its own
// end, too.
type source struct {
	end
	next   func(p []byte) int // fills p, and returns 0 at the end; nil: there is nothing before the end
	onSent bool               // the end is to be waited for: it comes with that of the sending half
}

// Discard returns a stream that takes everything. It receives nothing, and its
// end once it was sent one.
func Discard() trigo.HalfCloseableStream { return &source{end: newEnd("discard"), onSent: true} }

// Zero returns a stream that receives n zeros and then the end; without end if n
// is negative. What it is sent is dropped.
func Zero(n int64) trigo.HalfCloseableStream {
	return &source{end: newEnd("zero"), next: func(p []byte) int {
		if n >= 0 {
			p = p[:min(int64(len(p)), n)]
			n -= int64(len(p))
		}
		clear(p)
		return len(p)
	}}
}

// Literal returns a stream that receives text and then the end. What it is
// sent is dropped. It keeps text.
func Literal(text []byte) trigo.HalfCloseableStream {
	return &source{end: newEnd("literal"), next: func(p []byte) int {
		n := copy(p, text)
		text = text[n:]
		return n
	}}
}

// SendAll drops p.
func (s *source) SendAll(ctx context.Context, p []byte) error {
	err := s.beginSend(ctx)
	if err == nil {
		s.sending.Store(false)
	}
	return s.fail("send", 0, err)
}

func (s *source) ReceiveSome(ctx context.Context, p []byte) (int, error) {
	if err := s.beginReceive(ctx, p); err != nil {
		return 0, s.fail("receive", 0, err)
	}
	defer s.receiving.Store(false)
	if s.next != nil {
		if n := s.next(p); n > 0 {
			return n, nil
		}
	}
	if s.onSent {
		select {
		case <-s.ended:
		case <-s.closed:
			return 0, s.fail("receive", 0, trigo.ErrClosed)
		case <-ctx.Done():
			return 0, s.fail("receive", 0, trigo.CancelError(ctx))
		}
	}
	return 0, io.EOF
}

// end is what the streams of this package share: their two ends, and who is
// using their halves.
type end struct {
	name      string
	ended     chan struct{} // closed by SendEOF
	closed    chan struct{} // closed by Close
	endOnce   sync.Once
	closeOnce sync.Once

	sending, receiving atomic.Bool // held by the one call that uses the half
}

func newEnd(name string) end {
	return end{name: name, ended: make(chan struct{}), closed: make(chan struct{})}
}

func (e *end) beginSend(ctx context.Context) error {
	if isClosed(e.closed) || isClosed(e.ended) {
		return trigo.ErrClosed
	}
	return begin(ctx, &e.sending)
}

func (e *end) beginReceive(ctx context.Context, p []byte) error {
	if len(p) == 0 {
		return io.ErrShortBuffer
	}
	if isClosed(e.closed) {
		return trigo.ErrClosed
	}
	return begin(ctx, &e.receiving)
}

func begin(ctx context.Context, half *atomic.Bool) error {
	if err := trigo.CancelError(ctx); err != nil {
		return err
	}
	if !half.CompareAndSwap(false, true) {
		return trigo.ErrBusy
	}
	return nil
}

// WaitSendAllMightNotBlock returns at once: it may be early.
func (e *end) WaitSendAllMightNotBlock(ctx context.Context) error {
	err := e.beginSend(ctx)
	if err == nil {
		e.sending.Store(false)
	}
	return e.fail("wait to send", 0, err)
}

func (e *end) SendEOF(ctx context.Context) error {
	var err error = trigo.ErrClosed
	if !isClosed(e.closed) {
		err = begin(ctx, &e.sending)
	}
	if err != nil {
		return e.fail("send EOF", 0, err)
	}
	e.endOnce.Do(func() { close(e.ended) })
	e.sending.Store(false)
	return nil
}

// Close never waits.
func (e *end) Close(ctx context.Context) error {
	e.closeOnce.Do(func() { close(e.closed) })
	return nil
}

func (e *end) String() string { return e.name }

func (e *end) fail(op string, n int, err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	return &trigo.OpError{Op: op, Layer: e.name, N: int64(n), Err: err}
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
