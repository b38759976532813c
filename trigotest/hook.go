package trigotest

import (
	"context"
	"sync"

	"trigo"
)

// lifeline is whether one end is closed, and the hook that Close has to
// interrupt.
type lifeline struct {
	mu        sync.Mutex
	closed    bool
	interrupt context.CancelCauseFunc // non-nil while a hook runs
}

func (l *lifeline) isClosed() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.closed
}

// cut marks the end closed, interrupts its hook, and reports whether this was
// the first time.
func (l *lifeline) cut() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return false
	}
	l.closed = true
	if l.interrupt != nil {
		l.interrupt(trigo.ErrClosed)
	}
	return true
}

// begin is how every call begins. The order of the checks is that of all
// streams: what is closed is closed, and a dead ctx does nothing.
func (l *lifeline) begin(ctx context.Context) error {
	if l.isClosed() {
		return trigo.ErrClosed
	}
	return trigo.CancelError(ctx)
}

// run calls hook, if there is one, with a ctx that ends with ctx and with cut.
// If that made the hook fail, the error says so.
func (l *lifeline) run(ctx context.Context, hook func(context.Context) error) error {
	if hook == nil {
		return nil
	}
	inner, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if !l.arm(cancel) {
		return trigo.ErrClosed
	}
	err := hook(inner)
	l.arm(nil)
	switch {
	case err == nil:
		return nil
	case l.isClosed():
		return trigo.ErrClosed
	case isCancellation(ctx, err):
		return trigo.CancelError(ctx) // a hook may have returned a bare ctx.Err()
	}
	return err
}

// arm sets what cut interrupts, unless it is too late for that.
func (l *lifeline) arm(interrupt context.CancelCauseFunc) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.interrupt = interrupt
	return !l.closed
}
