package tlsstream

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"trigo"
	"trigo/nursery"
)

// handshake is a handshake of crypto/tls that can be left and resumed. It runs
// in a goroutine of its own, which owns the gate until it has ended, and moves
// bytes only with a loan: the ctx of a caller that waits. The caller that holds
// the turn lends; others wait for the turn. A caller that is cancelled takes the
// loan back and gives the turn on. If nobody wants it the handshake stays
// parked, until a call continues it, or Close or Abort ends it.
//
// So a handshake that nobody cancels costs two switches between goroutines, one
// there and one back, however many times it has to wait for the peer.
type handshake struct {
	name      string // of the server, as a client knows it
	client    bool
	callbacks bool // some callback of the tls.Config has a ctx

	turn chan struct{} // a token, held by the caller that lends
	back chan error    // the loan comes back, with the error of the transport; closed when the goroutine has ended

	err   error               // what it ended with; once ended
	panic *nursery.PanicError // or this, from a callback of the tls.Config

	// Of the holder of the turn.
	started bool
	ended   bool // without an error, and words is known
	words   int  // bytes of its last words that are still to be sent
	over    bool // for every caller, with result
	result  error

	mu      sync.Mutex
	loan    func() error // moves bytes under the ctx of the lender; nil if there is none
	inUse   bool         // it is being called
	recall  bool         // the lender wants it back after that
	lent    sync.Cond    // loan or stopped has changed
	stopped bool
	cancel  context.CancelFunc // of the ctx of the goroutine
}

func newHandshake() *handshake {
	h := &handshake{
		turn: make(chan struct{}, 1),
		back: make(chan error, 1),
	}
	h.lent.L = &h.mu
	return h
}

var errGoexit = errors.New("a callback of the TLS configuration called runtime.Goexit")

// lend lets the goroutine use move, and starts it if that is still to be done.
func (h *handshake) lend(ctx context.Context, conn *tls.Conn, move func() error) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.loan = move
	if h.started { // and perhaps ended
		h.lent.Signal()
		return nil
	}
	if h.stopped {
		return trigo.ErrClosed
	}
	h.start(ctx, conn)
	return nil
}

// start begins the handshake. Callbacks of the tls.Config see the values of ctx,
// which may belong to the call that happens to be first, and not its end: the
// handshake may outlive that call. Where there are none nobody sees a ctx, and
// crypto/tls need not watch one.
func (h *handshake) start(ctx context.Context, conn *tls.Conn) {
	shown := context.Background()
	if h.callbacks {
		shown, h.cancel = context.WithCancel(context.WithoutCancel(ctx))
	}
	h.started = true
	go h.run(shown, conn)
}

// takeBack ends the loan, and reports whether that is all. If not, it comes back
// or the handshake ends, soon.
func (h *handshake) takeBack() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.recall = h.inUse
	if h.inUse || h.loan == nil {
		return false
	}
	h.loan = nil
	return true
}

// quit ends the goroutine, or sees to it that there never is one.
func (h *handshake) quit() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.stopped = true
	if h.cancel != nil {
		h.cancel()
	}
	h.lent.Signal()
}

func (h *handshake) run(ctx context.Context, conn *tls.Conn) {
	returned := false
	defer func() {
		if !returned {
			h.err = errGoexit
			if value := recover(); value != nil {
				h.panic = &nursery.PanicError{Value: value, Stack: debug.Stack()}
			}
		}
		h.quit()
		close(h.back)
	}()
	growStack()
	h.err = conn.HandshakeContext(ctx)
	returned = true
}

// growStack makes the stack of a new goroutine as large as a handshake needs,
// while there is nothing on it. To let it grow by and by, and copy it each time,
// costs a handshake 2 % more.
//
//go:noinline
func growStack() {
	var frame [8 << 10]byte
	runtime.KeepAlive(&frame)
}

// more is called by the gate, in the goroutine, when there is no record.
func (h *handshake) more() error {
	for {
		move, err := h.borrow()
		if err == nil {
			err = move()
			h.giveBack(err)
			if err != nil {
				continue // the lender has it
			}
		}
		return err
	}
}

// borrow waits for a loan.
func (h *handshake) borrow() (move func() error, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for h.loan == nil && !h.stopped {
		h.lent.Wait()
	}
	if h.stopped {
		return nil, trigo.ErrClosed
	}
	h.inUse = true
	return h.loan, nil
}

// giveBack returns the loan if it cannot be used any more, or is wanted back.
func (h *handshake) giveBack(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.inUse = false
	if err != nil || h.recall {
		h.loan, h.recall = nil, false
		h.back <- err // has room: the lender takes it before it, or another, lends again
	}
}

// handshake does the handshake, or waits for it to be done, or returns how it
// has ended.
func (s *Stream) handshake(ctx context.Context) error {
	return s.handshakeThen(ctx, nil)
}

// handshakeThen is handshake for a caller that has something to say: if it is
// the one to send the last words of the handshake, it may call next just before,
// and what that gathers goes out with them, as far as the transport takes it at
// once. A peer that gets both need not be woken twice.
func (s *Stream) handshakeThen(ctx context.Context, next func()) error {
	h := s.shake.Load()
	if h == nil {
		return nil
	}
	select {
	case h.turn <- struct{}{}:
	case <-ctx.Done():
		return trigo.CancelError(ctx)
	}
	defer func() { <-h.turn }()
	if h.over {
		return h.result
	}
	err := s.pump(ctx, h, next)
	if err != nil && !s.brokenBy(ctx, err) {
		return err // this call's own failure; another may go on
	}
	h.over, h.result = true, err
	if err != nil {
		s.broken.Store(true)
		h.quit()
		return err
	}
	s.gate.leaveHandshake(s.conn.ConnectionState().Version)
	s.shake.Store(nil)
	return nil
}

// pump lends ctx to the handshake until that has ended and everything it wrote
// has been sent.
func (s *Stream) pump(ctx context.Context, h *handshake, next func()) error {
	if err := h.lend(ctx, s.conn, func() error { return s.move(ctx) }); err != nil {
		return err
	}
	var err error
	var running bool
	select {
	case err, running = <-h.back:
	case <-ctx.Done():
		if h.takeBack() {
			return trigo.CancelError(ctx) // it computes, or is in a callback
		}
		if err, running = <-h.back; err == nil {
			err = trigo.CancelError(ctx) // it got what it wanted, and needs us no more
		}
	}
	if !running {
		return s.conclude(ctx, h, next)
	}
	return err
}

// move sends what the handshake has written, and receives.
func (s *Stream) move(ctx context.Context) error {
	if s.gate.out.owes() {
		if err := s.gate.out.flush(ctx, s.gate.transport); err != nil {
			return err
		}
	}
	err := s.gate.fill(ctx, 0)
	if err == io.EOF {
		return s.endOfTransport()
	}
	return err
}

// conclude is pump after the goroutine has ended.
func (s *Stream) conclude(ctx context.Context, h *handshake, next func()) error {
	if h.panic != nil {
		h.over, h.result = true, trigo.Broken(h.panic)
		s.broken.Store(true)
		panic(h.panic)
	}
	if h.err == nil {
		return s.sendLastWords(ctx, h, next)
	}
	s.deliverAlert(ctx)
	if h.err == io.EOF {
		// close_notify, which proves nothing so early.
		return errClosedEarly
	}
	return trigo.Broken(explain(h.err))
}

// sendLastWords sends what the peer needs to end its handshake too, and does not
// wait for more. What next gathers may not fit into the transport: its peer may be
// in the same place, and both then receive, which must not have to wait for
// the end of the handshake. Nor does the session ticket of a server in TLS 1.3,
// which no client waits for and some never receive; it goes out before the data.
func (s *Stream) sendLastWords(ctx context.Context, h *handshake, next func()) error {
	out := &s.gate.out
	if !h.ended {
		h.ended = true
		if h.client || s.conn.ConnectionState().Version < tls.VersionTLS13 {
			h.words = out.waiting()
		}
		if h.words > 0 && next != nil && ctx.Err() == nil && prompt(s.gate.transport) != nil {
			next()
		}
	}
	sent, err := out.flushFirst(ctx, s.gate.transport, h.words)
	h.words -= sent
	return err
}

// alertGrace is how long a peer is waited for that is to take the alert which
// tells it why it was refused.
const alertGrace = 5 * time.Second

// deliverAlert sends what crypto/tls has to say about an error. The error is
// what counts, so it does not matter whether that worked. Over a transport
// without buffers the peer may be sending too, and never take it: hence the
// limit. If somebody sends just now, the alert goes out with the rest.
func (s *Stream) deliverAlert(ctx context.Context) {
	out := &s.gate.out
	if out.gathered() == 0 || !out.tryTake() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, alertGrace)
	defer cancel()
	_ = out.drain(ctx, s.gate.transport)
}
