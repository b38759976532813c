package vnet

import (
	"context"
	"fmt"
	"io"
	"net"
	"syscall"
	"time"

	"trigo"
	"trigo/internal/netseam"
)

var _ netseam.Conn = (*end)(nil)

func (e *end) SendAll(ctx context.Context, p []byte) error {
	n, err := e.send(ctx, p)
	return e.fail("send", n, err)
}

func (e *end) send(ctx context.Context, p []byte) (n int, err error) {
	e.n.mu.Lock()
	defer e.n.mu.Unlock()
	if err := e.beginSend(ctx); err != nil {
		return 0, err
	}
	defer func() { e.sending = false }()
	for {
		e.poll(time.Now())
		switch {
		case e.closed:
			return n, trigo.ErrClosed
		case e.broken != nil:
			return n, e.broken
		case n == len(p):
			return n, nil
		case e.room() > 0:
			segments, sent := packets(p[n:], e.room())
			for _, s := range segments {
				e.emit(data, s)
			}
			n += sent
		case ctx.Err() != nil:
			return n, trigo.CancelError(ctx)
		default:
			e.park(ctx, e.toSender, e.next(false))
		}
	}
}

func (e *end) WaitSendAllMightNotBlock(ctx context.Context) error {
	e.n.mu.Lock()
	defer e.n.mu.Unlock()
	if err := e.beginSend(ctx); err != nil {
		return e.fail("wait to send", 0, err)
	}
	defer func() { e.sending = false }()
	for {
		e.poll(time.Now())
		switch {
		case e.closed:
			return e.fail("wait to send", 0, trigo.ErrClosed)
		case e.broken != nil, e.room() > 0:
			return nil
		case ctx.Err() != nil:
			return e.fail("wait to send", 0, trigo.CancelError(ctx))
		}
		e.park(ctx, e.toSender, e.next(false))
	}
}

func (e *end) SendEOF(ctx context.Context) error {
	e.n.mu.Lock()
	defer e.n.mu.Unlock()
	e.poll(time.Now())
	var err error
	switch {
	case e.closed:
		err = trigo.ErrClosed
	case ctx.Err() != nil:
		err = trigo.CancelError(ctx)
	case e.sending:
		err = trigo.ErrBusy
	case e.sentEOF:
	case e.broken != nil:
		err = e.broken
	default:
		e.sentEOF = true
		e.emit(fin, nil)
	}
	return e.fail("send EOF", 0, err)
}

// beginSend is how a sending call begins. The order is that of all streams.
func (e *end) beginSend(ctx context.Context) error {
	switch {
	case e.closed, e.sentEOF:
		return trigo.ErrClosed
	case ctx.Err() != nil:
		return trigo.CancelError(ctx)
	case e.sending:
		return trigo.ErrBusy
	}
	e.sending = true
	return nil
}

func (e *end) ReceiveSome(ctx context.Context, p []byte) (int, error) {
	n, err := e.receive(ctx, p)
	return n, e.fail("receive", 0, err)
}

func (e *end) receive(ctx context.Context, p []byte) (int, error) {
	if len(p) == 0 {
		return 0, io.ErrShortBuffer
	}
	e.n.mu.Lock()
	defer e.n.mu.Unlock()
	switch {
	case e.closed:
		return 0, trigo.ErrClosed
	case ctx.Err() != nil:
		return 0, trigo.CancelError(ctx)
	case e.receiving:
		return 0, trigo.ErrBusy
	}
	e.receiving = true
	defer func() { e.receiving = false }()
	for {
		now := time.Now()
		if e.closed {
			return 0, trigo.ErrClosed
		}
		if e.ended { // and a reset that comes later is no news
			return 0, io.EOF
		}
		e.poll(now)
		if e.broken != nil {
			return 0, e.broken
		}
		if n := e.take(p, now); n > 0 {
			return n, nil
		}
		if e.takeMark(fin, now) {
			e.n.note(e.flow, "receives the end")
			e.ended = true
			continue
		}
		if ctx.Err() != nil {
			return 0, trigo.CancelError(ctx)
		}
		e.park(ctx, e.toReceiver, e.next(true))
	}
}

// awaitAnswer waits for the answer to the SYN by which e was made.
func (e *end) awaitAnswer(ctx context.Context, giveUp time.Time) error {
	e.n.mu.Lock()
	defer e.n.mu.Unlock()
	for {
		now := time.Now()
		e.poll(now)
		switch {
		case e.takeMark(answer, now):
			return nil
		case e.broken != nil:
			return e.broken
		case ctx.Err() != nil:
			return trigo.CancelError(ctx)
		case !now.Before(giveUp):
			return syscall.ETIMEDOUT
		}
		until := e.next(true)
		if until.IsZero() || giveUp.Before(until) {
			until = giveUp
		}
		e.park(ctx, e.toReceiver, until)
	}
}

// park waits for a token, for a time unless that is zero, or for the end of
// ctx. The network is not locked meanwhile.
func (e *end) park(ctx context.Context, token <-chan struct{}, until time.Time) {
	e.n.mu.Unlock()
	defer e.n.mu.Lock()
	var due <-chan time.Time
	if !until.IsZero() {
		timer := time.NewTimer(time.Until(until))
		defer timer.Stop()
		due = timer.C
	}
	select {
	case <-token:
	case <-due:
	case <-ctx.Done():
	}
}

func (e *end) Close(ctx context.Context) error {
	e.n.mu.Lock()
	defer e.n.mu.Unlock()
	e.shut()
	return nil
}

func (e *end) Abort() error {
	e.n.mu.Lock()
	defer e.n.mu.Unlock()
	e.abort()
	return nil
}

func (e *end) LocalAddr() net.Addr  { return net.TCPAddrFromAddrPort(e.local) }
func (e *end) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(e.remote) }
func (e *end) String() string       { return "tcp " + e.remote.String() }

func (e *end) fail(op string, n int, err error) error { return opError(op, e.String(), n, err) }

// opError is the public form of an error; there is none for nil, and io.EOF and
// io.ErrShortBuffer stay as they are.
func opError(op, layer string, n int, err error) error {
	if err == nil || err == io.EOF || err == io.ErrShortBuffer {
		return err
	}
	return &trigo.OpError{Op: op, Layer: layer, N: int64(n), Err: err}
}

func plural(n int) string {
	if n == 1 {
		return "1 byte"
	}
	return fmt.Sprintf("%d bytes", n)
}
