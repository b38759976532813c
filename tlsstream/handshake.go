package tlsstream

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"runtime/debug"
	"sync"
	"time"

	"trigo"
	"trigo/nursery"
)

// handshake is a handshake of crypto/tls that can be left and resumed. Its
// goroutine computes against the memory of the gate, and parks when it lacks
// input. The caller that holds the turn moves the bytes; others wait for the
// turn. A caller that is cancelled gives it on. If nobody wants it the
// handshake stays parked, until a call continues it, or Close or Abort ends it.
//
// The goroutine and the holder of the turn never touch the gate at the same
// time: the one has it from fed to starved, the other from starved to fed.
type handshake struct {
	turn    chan struct{} // a token, held by the caller that moves the bytes
	starved chan struct{} // the goroutine has parked
	fed     chan struct{} // it may go on
	ended   chan struct{} // closed: it has ended

	err   error               // what it ended with; once ended
	panic *nursery.PanicError // or this, from a callback of the tls.Config

	// Of the holder of the turn.
	started bool
	parked  bool // it waits for fed
	over    bool // for every caller, with result
	result  error

	mu      sync.Mutex
	stopped bool
	cancel  context.CancelFunc // of the ctx of the goroutine
}

func newHandshake() *handshake {
	return &handshake{
		turn:    make(chan struct{}, 1),
		starved: make(chan struct{}, 1),
		fed:     make(chan struct{}, 1),
		ended:   make(chan struct{}),
	}
}

var errGoexit = errors.New("a callback of the TLS configuration called runtime.Goexit")

// start begins the handshake. Callbacks of the tls.Config see the values of ctx,
// which may belong to the call that happens to be first, and not its end: the
// handshake may outlive that call.
func (h *handshake) start(ctx context.Context, conn *tls.Conn, g *gate) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.stopped {
		return trigo.ErrClosed
	}
	inner, cancel := context.WithCancel(context.WithoutCancel(ctx))
	h.started, h.cancel = true, cancel
	g.park = func() error { return h.park(inner) }
	go h.run(inner, conn)
	return nil
}

// quit ends the goroutine, or sees to it that there never is one.
func (h *handshake) quit() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.stopped = true
	if h.cancel != nil {
		h.cancel()
	}
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
		close(h.ended)
	}()
	h.err = conn.HandshakeContext(ctx)
	returned = true
}

// park is called by the gate, in the goroutine, when there is no record.
func (h *handshake) park(ctx context.Context) error {
	h.starved <- struct{}{} // has room: it was emptied before fed was filled
	select {
	case <-h.fed:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// handshake does the handshake, or waits for it to be done, or returns how it
// has ended.
func (s *Stream) handshake(ctx context.Context) error {
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
	err := s.pump(ctx, h)
	if err != nil && !s.brokenBy(ctx, err) {
		return err // this call's own failure; another may go on
	}
	h.over, h.result = true, err
	if err != nil {
		s.broken.Store(true)
		return err
	}
	s.gate.park = nil
	s.shake.Store(nil)
	return nil
}

// pump moves bytes until the handshake has ended and everything that it wrote
// has been sent.
func (s *Stream) pump(ctx context.Context, h *handshake) error {
	if !h.started {
		if err := h.start(ctx, s.conn, &s.gate); err != nil {
			return err
		}
	}
	for {
		if !h.parked {
			select {
			case <-h.starved:
				h.parked = true
			case <-h.ended:
				return s.conclude(ctx, h)
			case <-ctx.Done():
				return trigo.CancelError(ctx)
			}
		}
		if err := s.gate.out.flush(ctx, s.transport); err != nil {
			return err
		}
		if err := s.gate.fill(ctx, s.transport); err != nil {
			if err == io.EOF {
				return s.endOfTransport()
			}
			return err
		}
		h.parked = false
		h.fed <- struct{}{}
	}
}

// conclude is pump after the goroutine has ended.
func (s *Stream) conclude(ctx context.Context, h *handshake) error {
	if h.panic != nil {
		h.over, h.result = true, trigo.Broken(h.panic)
		s.broken.Store(true)
		panic(h.panic)
	}
	if h.err == nil {
		return s.gate.out.flush(ctx, s.transport)
	}
	s.deliverAlert(ctx)
	if h.err == io.EOF {
		// close_notify, which proves nothing so early.
		return errClosedEarly
	}
	return trigo.Broken(explain(h.err))
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
	_ = out.drain(ctx, s.transport)
}
