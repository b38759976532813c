package netconn

import (
	"context"
	"os"
	"sync"
	"time"
)

// Deadlines made into contexts.
//
// A net.Conn has a deadline that can be moved while calls are under way; a
// stream has a ctx for each call, whose deadline is fixed. So each half has a
// ctx without a deadline, which is cancelled when the deadline passes during a
// call. It is the ctx of all calls, as long as it lives: streams that keep their
// registration of a ctx from call to call (those on descriptors do) register
// once in the life of the connection.
//
// To move a deadline is to move a timer, and allocates nothing. One that passes
// while there is no call only leaves a mark, and the calls after it fail without
// asking the stream. So a new ctx is made only for a call after one that was
// woken. net/http wakes its reader with a deadline in the past once in each
// request, mostly before that reader has begun to read.
//
// Rejected: a ctx with a timeout for each call. It costs some allocations each
// time, and a deadline that is set during a call would have no effect on it.

// half is one direction: whose turn it is, and until when.
type half struct {
	mu     sync.Mutex  // guards all that follows
	free   sync.Cond   // told when busy ends
	when   time.Time   // the deadline
	passed bool        // and it has passed
	timer  *time.Timer // nil until there is a deadline
	over   bool        // the connection is closed
	busy   bool        // a call is under way, with live
	live   live
}

// live is what the calls of now have for a ctx.
type live struct {
	ctx  context.Context
	wake context.CancelCauseFunc
}

func newLive() live {
	ctx, cancel := context.WithCancelCause(context.Background())
	return live{ctx, cancel}
}

func (h *half) init() {
	h.free.L = &h.mu
	h.live = newLive()
}

// begin waits for the turn of a call, and returns the ctx for it; or nil and no
// turn, if the deadline has passed. Whoever has the turn has the same deadline
// and is woken by Close, so nobody waits longer than that here.
func (h *half) begin() context.Context {
	h.mu.Lock()
	defer h.mu.Unlock()
	for h.busy {
		h.free.Wait()
	}
	if h.passed {
		h.free.Signal() // to who waits behind us
		return nil
	}
	if h.live.ctx.Err() != nil { // it has woken a call
		h.live = newLive()
	}
	h.busy = true
	return h.live.ctx
}

func (h *half) end() {
	h.mu.Lock()
	h.busy = false
	h.free.Signal()
	h.mu.Unlock()
}

func (h *half) setDeadline(t time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.over {
		return
	}
	if h.timer != nil {
		h.timer.Stop() // if it has fired, it will find a deadline that is not now
	}
	h.when, h.passed = t, false
	if t.IsZero() {
		return
	}
	switch left := time.Until(t); {
	case left <= 0:
		h.pass()
	case h.timer == nil:
		h.timer = time.AfterFunc(left, h.expire)
	default:
		h.timer.Reset(left)
	}
}

// pass is what happens when the deadline has passed.
func (h *half) pass() {
	h.passed = true
	if h.busy {
		h.live.wake(os.ErrDeadlineExceeded)
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
		h.pass()
	}
}

// retire ends all deadlines. What calls come now hear that the connection is
// closed.
func (h *half) retire() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.over = true
	if h.timer != nil {
		h.timer.Stop()
	}
}
