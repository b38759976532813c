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
	defer e.n.lock()()
	if err := e.beginSend(e.n.look(ctx)); err != nil {
		return 0, err
	}
	defer func() { e.sending = false }()
	for {
		m, err := e.push(ctx, p[n:], true)
		if n += m; err != nil || n == len(p) {
			return n, err
		}
	}
}

// push sends what there is room for. It waits until that is something, or else
// would block.
func (e *end) push(ctx context.Context, p []byte, wait bool) (int, error) {
	var cancelled error
	for {
		e.poll(time.Now())
		switch {
		case e.closed, e.sentEOF:
			return 0, trigo.ErrClosed
		case e.broken != nil:
			return 0, e.broken
		case len(p) == 0:
			return 0, nil
		case e.room() > 0:
			segments, n := packets(p, e.room())
			for _, s := range segments {
				e.emit(data, s)
			}
			return n, nil
		case !wait:
			return 0, trigo.ErrWouldBlock
		case cancelled != nil:
			return 0, cancelled
		}
		cancelled = e.n.park(ctx, e.toSender, e.next(false))
	}
}

func (e *end) WaitSendAllMightNotBlock(ctx context.Context) error {
	return e.fail("wait to send", 0, e.waitToSend(ctx))
}

func (e *end) waitToSend(ctx context.Context) error {
	defer e.n.lock()()
	if err := e.beginSend(e.n.look(ctx)); err != nil {
		return err
	}
	defer func() { e.sending = false }()
	var cancelled error
	for {
		e.poll(time.Now())
		switch {
		case e.closed:
			return trigo.ErrClosed
		case e.broken != nil, e.sentEOF, e.room() > 0:
			return nil
		case cancelled != nil:
			return cancelled
		}
		cancelled = e.n.park(ctx, e.toSender, e.next(false))
	}
}

func (e *end) SendEOF(ctx context.Context) error {
	defer e.n.lock()()
	cancelled := e.n.look(ctx)
	e.poll(time.Now())
	var err error
	switch {
	case e.closed:
		err = trigo.ErrClosed
	case cancelled != nil:
		err = cancelled
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

// beginSend is how a sending call begins. The order is that of all streams;
// cancelled is what its ctx says.
func (e *end) beginSend(cancelled error) error {
	switch {
	case e.closed, e.sentEOF:
		return trigo.ErrClosed
	case cancelled != nil:
		return cancelled
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
	defer e.n.lock()()
	return e.pull(ctx, p, netseam.Flags{})
}

// pull receives; the network is locked.
func (e *end) pull(ctx context.Context, p []byte, how netseam.Flags) (n int, err error) {
	copyOut := e.take
	if how.Peek {
		copyOut = e.peek
	}
	err = e.whileReceiving(ctx, func(now time.Time) (bool, error) {
		if e.ended { // and a reset that comes later is no news
			return true, io.EOF
		}
		if e.broken != nil {
			return true, e.broken
		}
		if n = copyOut(p, now); n > 0 {
			return true, nil
		}
		if e.takeMark(fin, now) {
			e.n.note(e.flow, "receives the end")
			e.ended = true
			return true, io.EOF
		}
		switch {
		case e.deaf:
			return true, io.EOF
		case how.DontWait:
			return true, trigo.ErrWouldBlock
		}
		return false, nil
	})
	return n, err
}

// waitReadable waits until receiving would not; the network is locked.
func (e *end) waitReadable(ctx context.Context) error {
	return e.whileReceiving(ctx, func(now time.Time) (bool, error) { return e.readable(now), nil })
}

// whileReceiving calls try until it is done, with waits in between.
func (e *end) whileReceiving(ctx context.Context, try func(now time.Time) (done bool, err error)) error {
	cancelled := e.n.look(ctx)
	switch {
	case e.closed:
		return trigo.ErrClosed
	case cancelled != nil:
		return cancelled
	case e.receiving:
		return trigo.ErrBusy
	}
	e.receiving = true
	defer func() { e.receiving = false }()
	for {
		now := time.Now()
		if e.closed {
			return trigo.ErrClosed
		}
		e.poll(now)
		if done, err := try(now); done {
			return err
		}
		if cancelled != nil {
			return cancelled
		}
		cancelled = e.n.park(ctx, e.toReceiver, e.next(true))
	}
}

// awaitAnswer waits for the answer to the SYN by which e was made.
func (e *end) awaitAnswer(ctx context.Context, giveUp time.Time) error {
	defer e.n.lock()()
	var cancelled error
	for {
		now := time.Now()
		e.poll(now)
		switch {
		case e.takeMark(answer, now):
			return nil
		case e.broken != nil:
			return e.broken
		case cancelled != nil:
			return cancelled
		case !now.Before(giveUp):
			return syscall.ETIMEDOUT
		}
		until := e.next(true)
		if until.IsZero() || giveUp.Before(until) {
			until = giveUp
		}
		cancelled = e.n.park(ctx, e.toReceiver, until)
	}
}

func (e *end) Close(ctx context.Context) error {
	defer e.n.lock()()
	e.shut()
	return nil
}

func (e *end) Abort() error {
	defer e.n.lock()()
	e.abort()
	return nil
}

func (e *end) LocalAddr() net.Addr    { return net.TCPAddrFromAddrPort(e.local) }
func (e *end) RemoteAddr() net.Addr   { return net.TCPAddrFromAddrPort(e.remote) }
func (e *end) Socket() netseam.Socket { return &tcpSocket{host: e.host, end: e} }

func (e *end) String() string { return "tcp " + e.remote.String() }

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
