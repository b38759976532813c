package netconn

import (
	"context"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// Deadlines made into contexts.
//
// A net.Conn has a deadline that can be moved while calls are under way; a
// stream has a ctx for each call, whose deadline is fixed. So each half has a
// ctx without a deadline, which is cancelled when the deadline passes. It is
// the ctx of all calls, as long as it lives: streams that keep their
// registration of a ctx from call to call (those on descriptors do) register
// once in the life of the connection.
//
// To move a deadline is to move a timer, and allocates nothing. Only a deadline
// that has passed costs a new ctx, when it is set anew.
//
// Rejected: a ctx with a timeout for each call. It costs some allocations each
// time, and a deadline that is set during a call would have no effect on it.
// Programs depend on that: net/http wakes its reader with a deadline in the past.

// half is one direction: whose turn it is, and until when.
type half struct {
	turn chan struct{} // holds a token while a call is under way
	live atomic.Pointer[live]

	mu    sync.Mutex
	when  time.Time   // the deadline; guarded by mu
	timer *time.Timer // nil until there is a deadline; guarded by mu
	over  bool        // the connection is closed; guarded by mu
}

// live is what the calls of now have for a ctx.
type live struct {
	ctx    context.Context
	expire context.CancelCauseFunc
}

func newLive() *live {
	ctx, cancel := context.WithCancelCause(context.Background())
	return &live{ctx, cancel}
}

func (h *half) init() {
	h.turn = make(chan struct{}, 1)
	h.live.Store(newLive())
}

// begin waits for the turn of a call, and returns the ctx for it. Whoever has
// the turn has the same deadline and is woken by Close, so nobody waits longer
// than that here.
func (h *half) begin() context.Context {
	h.turn <- struct{}{}
	return h.live.Load().ctx
}

func (h *half) end() { <-h.turn }

func (h *half) setDeadline(t time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.over {
		return
	}
	if h.timer != nil {
		h.timer.Stop() // if it has fired, it will find a deadline that is not now
	}
	h.when = t
	left := time.Until(t)
	if t.IsZero() || left > 0 {
		if h.live.Load().ctx.Err() != nil {
			h.live.Store(newLive())
		}
	}
	switch {
	case t.IsZero():
	case left <= 0:
		h.live.Load().expire(os.ErrDeadlineExceeded)
	case h.timer == nil:
		h.timer = time.AfterFunc(left, h.expire)
	default:
		h.timer.Reset(left)
	}
}

// expire is what the timer calls.
func (h *half) expire() {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch left := time.Until(h.when); {
	case h.over || h.when.IsZero():
	case left > 0: // the wall clock was set back, or the deadline was moved at this very moment
		h.timer.Reset(left)
	default:
		h.live.Load().expire(os.ErrDeadlineExceeded)
	}
}

// retire ends all deadlines.
func (h *half) retire() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.over = true
	if h.timer != nil {
		h.timer.Stop()
	}
}
