package pollio

import (
	"context"
	"errors"
	"net"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"trigo"
)

// half is one direction of a descriptor and the registration of its ctx. All
// fields but busy and closed are owned by the holder of busy.
type half struct {
	raw         syscall.RawConn
	writing     bool // waits with raw.Write, not raw.Read
	setDeadline func(time.Time) error
	closed      *atomic.Bool // the descriptor's

	busy atomic.Bool

	// The call under way.
	ctx context.Context
	op  func(sysfd int) error
	err error
	try func(sysfd uintptr) bool // calls op

	// The registration.
	done     <-chan struct{} // Done channel of the last call that waited
	stop     func() bool     // non-nil while a callback is registered for done
	onCancel func()          // method value of expire
	expired  chan struct{}   // one token for each callback that ran
}

func (h *half) init(raw syscall.RawConn, writing bool, setDeadline func(time.Time) error, closed *atomic.Bool) {
	h.raw, h.writing, h.setDeadline, h.closed = raw, writing, setDeadline, closed
	h.onCancel = h.expire
	h.expired = make(chan struct{}, 1)
	h.try = func(sysfd uintptr) bool { return h.attempt(h.op(int(sysfd))) }
}

// begin takes the half for one call. The order of the checks is the contract's:
// what is closed is closed, a dead ctx does nothing, a second caller is told so.
func (h *half) begin(ctx context.Context) error {
	if h.closed.Load() {
		return trigo.ErrClosed
	}
	if ctx.Err() != nil {
		return trigo.CancelError(ctx)
	}
	if !h.busy.CompareAndSwap(false, true) {
		return trigo.ErrBusy
	}
	if h.stop != nil && h.done != ctx.Done() {
		h.unregister() // of another ctx, which must not disturb this call
	}
	return nil
}

// end gives the half back.
func (h *half) end() {
	h.busy.Store(false)
	// A Close that found the half busy left the registration to us.
	if h.closed.Load() {
		h.retire()
	}
}

// retire drops the registration of a closed descriptor, unless a call is under
// way: that call then does it when it ends.
func (h *half) retire() {
	if h.busy.CompareAndSwap(false, true) {
		if h.stop != nil {
			h.unregister()
		}
		h.busy.Store(false)
	}
}

// do calls op until it returns something else than EAGAIN, waiting for
// readiness in between, and returns what it returned.
func (h *half) do(ctx context.Context, op func(sysfd int) error) error {
	if err := h.begin(ctx); err != nil {
		return err
	}
	h.op = op
	err := h.run(ctx, h.try)
	h.op = nil
	h.end()
	return err
}

// run calls try, for the holder of the half, in the runtime's wait loop: until
// try returns true. try ends by calling attempt.
func (h *half) run(ctx context.Context, try func(sysfd uintptr) bool) error {
	before := h.done
	h.ctx = ctx
	var err error
	if h.writing {
		err = h.raw.Write(try)
	} else {
		err = h.raw.Read(try)
	}
	h.ctx = nil
	if err == nil {
		err = h.err
	}
	if err == nil && before == h.done {
		return nil // as settle would find
	}
	return h.settle(ctx, before, err)
}

// hold calls f, which does not wait, with the half held.
func (h *half) hold(ctx context.Context, f func() error) error {
	if err := h.begin(ctx); err != nil {
		return err
	}
	err := f()
	h.end()
	return err
}

// block calls f, which waits by itself under the half's deadline (Accept does),
// with the ctx registered from the start.
func (h *half) block(ctx context.Context, f func() error) error {
	if err := h.begin(ctx); err != nil {
		return err
	}
	before := h.done
	h.register(ctx)
	err := h.settle(ctx, before, f())
	h.end()
	return err
}

// attempt takes the result of one try and reports whether it is final. If it is
// not, the runtime parks the goroutine next.
func (h *half) attempt(err error) bool {
	h.err = err
	if err != errAgain {
		return true
	}
	h.register(h.ctx)
	return false
}

// register sees to it that a cancel of ctx wakes this half.
func (h *half) register(ctx context.Context) {
	if h.stop != nil { // kept from the call before, or made by an earlier attempt
		return
	}
	h.done = ctx.Done()
	if h.done != nil {
		h.stop = context.AfterFunc(ctx, h.onCancel)
	}
}

// expire is the callback: it wakes whoever waits, now or from now on.
func (h *half) expire() {
	h.setDeadline(past)
	h.expired <- struct{}{}
}

var past = time.Unix(1, 0)

// unregister ends the registration. If its callback has begun, it waits for
// the end of it and undoes its effect.
func (h *half) unregister() {
	if !h.stop() {
		<-h.expired
		h.setDeadline(time.Time{})
	}
	h.stop = nil
}

// settle ends the part of a call that may have waited: it decides about the
// registration and turns the error into one of the kinds, or leaves it.
func (h *half) settle(ctx context.Context, before <-chan struct{}, err error) error {
	// Dropped when this Done channel is new here, and whenever something went
	// wrong: that may have been its callback. A callback that fires during a
	// call that succeeds all the same is found by a later call, in begin.
	if h.stop != nil && (before != h.done || err != nil) {
		h.unregister()
	}
	switch {
	case err == nil:
		return nil
	case errors.Is(err, os.ErrDeadlineExceeded) && ctx.Err() != nil:
		return trigo.CancelError(ctx)
	case errors.Is(err, net.ErrClosed), errors.Is(err, os.ErrClosed), h.closed.Load():
		// The last for an *os.File, whose SyscallConn says it with an error
		// that is neither.
		return trigo.ErrClosed
	}
	return err
}
