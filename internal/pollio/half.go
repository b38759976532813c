package pollio

import (
	"context"
	"errors"
	"net"
	"os"
	"sync/atomic"
	"time"

	"trigo"
)

// half is one direction of a descriptor and the registration of its ctx. All
// that is its own but busy is owned by the holder of busy; place is the alarm's.
//
// There may be a great many of these that nobody uses just now. What only a call
// under way needs is in a call.
type half struct {
	fd      *FD
	busy    atomic.Bool
	place   int32                 // in the alarm
	done    <-chan struct{}       // Done channel of the last call that waited
	alarm   atomic.Pointer[alarm] // non-nil while registered for done; rung once that was closed
	strange uint8                 // registrations in a row that were not reused, 3 at most
}

// writing tells which half it is.
func (h *half) writing() bool { return h == &h.fd.w }

// begin takes the half for one call. The order of the checks is the contract's:
// what is closed is closed, a dead ctx does nothing, a second caller is told so.
func (h *half) begin(ctx context.Context) (*call, error) {
	if err := h.take(ctx); err != nil {
		return nil, err
	}
	c := calls.Get().(*call)
	c.h, c.ctx = h, ctx
	return c, nil
}

// take is begin for what needs no call.
func (h *half) take(ctx context.Context) error {
	if h.fd.closed.Load() {
		return trigo.ErrClosed
	}
	if ctx.Err() != nil {
		return trigo.CancelError(ctx)
	}
	if !h.busy.CompareAndSwap(false, true) {
		return trigo.ErrBusy
	}
	if h.alarm.Load() != nil {
		if h.done == ctx.Done() {
			h.strange = 0
		} else {
			h.unregister() // of another ctx, which must not disturb this call
		}
	}
	return nil
}

// end gives the half back.
func (h *half) end() {
	h.busy.Store(false)
	// A Close that found the half busy left the registration to us.
	if h.fd.closed.Load() {
		h.retire()
	}
}

// retire drops the registration of a closed descriptor, unless a call is under
// way: that call then does it when it ends.
func (h *half) retire() {
	if h.busy.CompareAndSwap(false, true) {
		if h.alarm.Load() != nil {
			h.unregister()
		}
		h.busy.Store(false)
	}
}

// do calls op until it returns something else than EAGAIN, waiting for
// readiness in between, and returns what it returned.
func (h *half) do(ctx context.Context, op func(sysfd int) error) error {
	c, err := h.begin(ctx)
	if err != nil {
		return err
	}
	c.op = op
	err = c.run()
	c.end()
	return err
}

// hold calls f, which does not wait, with the half held.
func (h *half) hold(ctx context.Context, f func() error) error {
	if err := h.take(ctx); err != nil {
		return err
	}
	err := h.settle(ctx, h.done, f()) // a Close may have come in between
	h.end()
	return err
}

// block calls f, which waits by itself under the half's deadline (Accept does),
// with the ctx registered from the start.
func (h *half) block(ctx context.Context, f func() error) error {
	if err := h.take(ctx); err != nil {
		return err
	}
	before := h.done
	h.register(ctx)
	err := h.settle(ctx, before, f())
	h.end()
	return err
}

// register sees to it that a cancel of ctx wakes this half.
func (h *half) register(ctx context.Context) {
	if h.alarm.Load() != nil { // kept from the call before, or made by an earlier attempt
		return
	}
	h.done = ctx.Done()
	if h.done != nil {
		h.strange = min(h.strange+1, 3)
		h.join(ctx)
	}
}

// outside reports whether ctx is to be registered from outside the runtime's wait
// loop. Not where each call brings its own ctx: there the second try costs more
// than the stack is worth.
func (h *half) outside(ctx context.Context) bool {
	return h.alarm.Load() == nil && h.strange < 3 && ctx.Done() != nil
}

var past = time.Unix(1, 0)

func (h *half) setDeadline(t time.Time) {
	if h.writing() {
		h.fd.src.SetWriteDeadline(t)
	} else {
		h.fd.src.SetReadDeadline(t)
	}
}

// unregister ends the registration, and undoes its effect if the alarm has rung.
func (h *half) unregister() {
	if !h.leave() {
		h.setDeadline(time.Time{})
	}
	h.alarm.Store(nil)
}

// settle ends the part of a call that may have waited: it decides about the
// registration and turns the error into one of the kinds, or leaves it.
func (h *half) settle(ctx context.Context, before <-chan struct{}, err error) error {
	// Dropped when this Done channel is new here, and whenever something went
	// wrong: that may have been its callback. A callback that fires during a
	// call that succeeds all the same is found by a later call, in begin.
	if h.alarm.Load() != nil && (before != h.done || err != nil) {
		h.unregister()
	}
	switch {
	case err == nil:
		return nil
	case errors.Is(err, os.ErrDeadlineExceeded) && ctx.Err() != nil:
		return trigo.CancelError(ctx)
	case errors.Is(err, net.ErrClosed), errors.Is(err, os.ErrClosed), h.fd.closed.Load():
		// The last for an *os.File, whose SyscallConn says it with an error
		// that is neither.
		return trigo.ErrClosed
	}
	return err
}
