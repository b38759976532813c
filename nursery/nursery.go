package nursery

import (
	"context"
	"errors"
	"sync"
)

// A Nursery owns goroutines. It is made by [Run] and lives as long as that
// call. Its methods may be called from any goroutine.
type Nursery struct {
	ctx    context.Context // the children's: a nursery is a scope, and this is what it scopes
	cancel context.CancelCauseFunc

	mu       sync.Mutex
	idle     sync.Cond // told when pending reaches 0: nothing may start any more
	pending  int       // the body, the children, and Start calls not yet handed over
	own      bool      // cancelled by this nursery, not from outside
	ownCause error
	origin   int // index in errs of the error that cancelled it; -1: it was no error
	errs     []error
	abrupt   outcome // a child's panic or Goexit
}

// Run calls body with a new nursery and returns when body and every child
// started in the nursery have returned. Their ctx is cancelled when one of them
// fails, when ctx is, and when Run returns.
//
// Run returns nil if all returned nil, or if the nursery was cancelled by
// [Nursery.Cancel] and nobody had anything else to say. If ctx was cancelled and
// somebody noticed, the error Is ctx.Err() and Is context.Cause(ctx). Waiting for the
// children cannot be cut short: they are told by their ctx, and must listen.
func Run(ctx context.Context, body func(ctx context.Context, n *Nursery) error) error {
	n := &Nursery{pending: 1, origin: -1}
	n.idle.L = &n.mu
	n.ctx, n.cancel = context.WithCancelCause(ctx)

	// Deferred, so that it also happens while a panic or a Goexit of the body
	// passes through. Such a panic is not recovered: it keeps its own stack.
	returned := false
	defer func() {
		if !returned {
			n.Cancel(errBodyGone)
			n.end()
			n.wait()
			n.abrupt.goexit = false // we are leaving already, and a Goexit would swallow a panic
		}
		n.cancel(nil)
		n.abrupt.raise()
	}()

	err := body(n.ctx, n)
	n.fail(err)
	n.end()
	n.wait()
	returned = true
	return n.result(ctx)
}

// The causes with which a nursery cancels itself when there is no error to give.
var (
	errBodyGone = errors.New("nursery: the body panicked or exited")
	errGoexit   = errors.New("nursery: a child called runtime.Goexit")
)

// Go runs f in a goroutine of its own, with the context of the nursery. An error of
// f cancels the nursery. In a nursery that is already cancelled f still runs,
// with a dead ctx, so that it can release what it was given.
//
// Go may be called by the body, by children, and by anyone else who knows that
// the nursery is still open. It panics once Run has nothing left to wait for.
func (n *Nursery) Go(f func(ctx context.Context) error) {
	n.begin("Go")
	go watched(n.ctx, f, n)()
}

// ended makes a Nursery the owner of the children that Go begins.
func (n *Nursery) ended(o outcome) {
	n.settle(o)
	n.end()
}

// Cancel cancels the context of the body and of every child; cause, which may
// be nil, is what context.Cause then returns. The first cause stays. Cancel is
// not an error: errors that only report it are left out of what Run returns.
func (n *Nursery) Cancel(cause error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.cancelLocked(cause)
}

// cancelLocked cancels the children and reports whether that was news.
func (n *Nursery) cancelLocked(cause error) bool {
	if n.own || n.ctx.Err() != nil {
		return false
	}
	n.own = true
	n.cancel(cause)
	n.ownCause = context.Cause(n.ctx)
	return true
}

func (n *Nursery) begin(what string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.pending == 0 {
		panic("nursery: " + what + " in a nursery that has ended")
	}
	n.pending++
}

func (n *Nursery) end() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.pending--
	if n.pending == 0 {
		n.idle.Signal()
	}
}

// wait waits until the body and every child have ended.
func (n *Nursery) wait() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for n.pending > 0 {
		n.idle.Wait()
	}
}

// fail records an error and cancels everyone else.
func (n *Nursery) fail(err error) {
	if err == nil {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.errs = append(n.errs, err)
	if n.cancelLocked(err) {
		n.origin = len(n.errs) - 1
	}
}

// settle records how a child ended.
func (n *Nursery) settle(o outcome) {
	n.fail(o.err)
	if o.panicked == nil && !o.goexit {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.abrupt.panicked == nil { // the first panic stays; a panic outranks a Goexit
		n.abrupt = o
	}
	if o.goexit {
		n.cancelLocked(errGoexit)
	} else {
		n.cancelLocked(o.panicked)
	}
}

// result is what Run returns, once nobody runs any more.
func (n *Nursery) result(outer context.Context) error {
	var kept []error
	cancelled := false
	for i, err := range n.errs {
		switch {
		case n.own && i != n.origin && consistsOf(err, context.Canceled, n.ownCause):
			// the answer to our own cancel
		case IsCancellation(outer, err):
			cancelled = true
		default:
			kept = append(kept, err)
		}
	}
	if cancelled { // said once, however many said it
		kept = append(kept, CancelError(outer))
	}
	switch len(kept) {
	case 0:
		return nil
	case 1:
		return kept[0]
	}
	return &Errors{kept}
}
