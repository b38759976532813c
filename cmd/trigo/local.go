package main

import (
	"context"
	"io"
	"sync"

	"trigo"
)

// loop is a stream within the process: an echo receives what it was sent, a
// discard receives nothing. Both end when they are sent an end of file. It
// holds no bytes: a sender waits until they are received.
type loop struct {
	name    string
	discard bool

	offer  chan []byte   // what the sender has, to the receiver
	taken  chan int      // how much of it the receiver took
	ended  chan struct{} // closed by SendEOF
	closed chan struct{}
	end    sync.Once
	close  sync.Once
}

var _ trigo.HalfCloseableStream = (*loop)(nil)

func newLoop(name string, discard bool) *loop {
	return &loop{
		name:    name,
		discard: discard,
		offer:   make(chan []byte),
		taken:   make(chan int),
		ended:   make(chan struct{}),
		closed:  make(chan struct{}),
	}
}

func newEcho() *loop    { return newLoop("echo", false) }
func newDiscard() *loop { return newLoop("discard", true) }

// SendAll waits until p was received, or drops it.
func (l *loop) SendAll(ctx context.Context, p []byte) error {
	if err := l.sendable(ctx); err != nil {
		return l.fail("send", 0, err)
	}
	if l.discard {
		return nil
	}
	for sent := 0; sent < len(p); {
		select {
		case l.offer <- p[sent:]:
			sent += <-l.taken
		case <-l.closed:
			return l.fail("send", sent, trigo.ErrClosed)
		case <-ctx.Done():
			return l.fail("send", sent, trigo.CancelError(ctx))
		}
	}
	return nil
}

// WaitSendAllMightNotBlock returns at once: it may be early.
func (l *loop) WaitSendAllMightNotBlock(ctx context.Context) error {
	return l.fail("wait to send", 0, l.sendable(ctx))
}

func (l *loop) SendEOF(ctx context.Context) error {
	if isClosed(l.closed) {
		return l.fail("send EOF", 0, trigo.ErrClosed)
	}
	if ctx.Err() != nil {
		return l.fail("send EOF", 0, trigo.CancelError(ctx))
	}
	l.end.Do(func() { close(l.ended) })
	return nil
}

func (l *loop) sendable(ctx context.Context) error {
	if isClosed(l.closed) || isClosed(l.ended) {
		return trigo.ErrClosed
	}
	return trigo.CancelError(ctx)
}

func (l *loop) ReceiveSome(ctx context.Context, p []byte) (int, error) {
	switch {
	case len(p) == 0:
		return 0, io.ErrShortBuffer
	case isClosed(l.closed):
		return 0, l.fail("receive", 0, trigo.ErrClosed)
	case ctx.Err() != nil:
		return 0, l.fail("receive", 0, trigo.CancelError(ctx))
	}
	select {
	case data := <-l.offer:
		n := copy(p, data)
		l.taken <- n
		return n, nil
	case <-l.ended:
		return 0, io.EOF
	case <-l.closed:
		return 0, l.fail("receive", 0, trigo.ErrClosed)
	case <-ctx.Done():
		return 0, l.fail("receive", 0, trigo.CancelError(ctx))
	}
}

func (l *loop) Close(ctx context.Context) error {
	l.close.Do(func() { close(l.closed) })
	return nil
}

func (l *loop) String() string { return l.name }

func (l *loop) fail(op string, n int, err error) error {
	if err == nil {
		return nil
	}
	return &trigo.OpError{Op: op, Layer: l.name, N: int64(n), Err: err}
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
