package trigotest

import (
	"context"
	"sync"
	"sync/atomic"

	"trigo"
)

// lifeline is whether one end is closed, and the hook that Close has to
// interrupt.
type lifeline struct {
	closed atomic.Bool

	mu        sync.Mutex              // not held where a ctx is looked at, or ended
	interrupt context.CancelCauseFunc // non-nil while a hook runs that looks at its ctx
}

// cut marks the end closed, interrupts its hook, and reports whether this was
// the first time.
func (l *lifeline) cut() bool {
	l.mu.Lock()
	first := !l.closed.Swap(true)
	interrupt := l.interrupt
	l.mu.Unlock()
	if first && interrupt != nil {
		interrupt(trigo.ErrClosed)
	}
	return first
}

// begin is how every call begins. The order of the checks is that of all
// streams: what is closed is closed, and a dead ctx does nothing.
func (l *lifeline) begin(ctx context.Context) error {
	if l.closed.Load() {
		return trigo.ErrClosed
	}
	return trigo.CancelError(ctx)
}

// run calls hook, if there is one, with a ctx that ends with ctx and with cut, and
// without the lock that the caller holds. If the ctx made the hook fail, the error
// says so.
func (l *lifeline) run(ctx context.Context, hook func(context.Context) error, held *sync.Mutex) error {
	if hook == nil {
		return nil
	}
	held.Unlock()
	defer held.Lock()
	inner := &hookContext{Context: ctx, life: l}
	defer inner.end()
	err := hook(inner)
	switch {
	case err == nil:
		return nil
	case l.closed.Load():
		return trigo.ErrClosed
	case isCancellation(ctx, err):
		return trigo.CancelError(ctx) // a hook may have returned a bare ctx.Err()
	}
	return err
}

// hookContext is the ctx of a hook. Most hooks do not look at theirs, so what
// ends with the call's and with cut is made for those that do.
type hookContext struct {
	context.Context // of the call
	life            *lifeline
	over            bool // the hook has returned

	once sync.Once
	real context.Context
}

// look returns the ctx that the hook shall see.
func (h *hookContext) look() context.Context {
	h.once.Do(func() {
		real, cancel := context.WithCancelCause(h.Context)
		h.real = real
		if ended, cause := h.enter(cancel); ended {
			cancel(cause) // without the lock: that looks at the ctx of the call
		}
	})
	return h.real
}

// enter makes cancel what Close interrupts the hook with, unless it comes too late.
func (h *hookContext) enter(cancel context.CancelCauseFunc) (ended bool, cause error) {
	h.life.mu.Lock()
	defer h.life.mu.Unlock()
	switch {
	case h.life.closed.Load():
		return true, trigo.ErrClosed
	case h.over:
		return true, nil
	}
	h.life.interrupt = cancel
	return false, nil
}

// end cancels the ctx of a hook that has returned.
func (h *hookContext) end() {
	h.life.mu.Lock()
	interrupt := h.life.interrupt
	h.over, h.life.interrupt = true, nil
	h.life.mu.Unlock()
	if interrupt != nil {
		interrupt(nil)
	}
}

func (h *hookContext) Done() <-chan struct{} { return h.look().Done() }
func (h *hookContext) Err() error            { return h.look().Err() }

// Value looks too: that is how context.Cause finds the cause.
func (h *hookContext) Value(key any) any { return h.look().Value(key) }
