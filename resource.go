package trigo

import (
	"context"
	"errors"

	"trigo/nursery"
)

// Resource is something that must be released, perhaps with a goodbye to
// someone else.
//
// Close releases the resource, gracefully if ctx allows it: it may do I/O (a
// TLS goodbye, say) and wait for it until ctx ends. Whatever happens, when
// Close returns the resource is released. An error from Close says that grace
// was not achieved, never that something is still open. With a dead ctx Close
// does not wait for anything.
//
// Closing again is silent success. Close may be called at any time, from any
// goroutine: pending and later calls on the resource return [ErrClosed].
//
// Trio: trio.abc.AsyncResource.
type Resource interface {
	Close(ctx context.Context) error
}

// CloseForcefully closes r without waiting for any goodbye: it calls Close
// with a dead ctx and swallows the cancellation that follows from it. Other
// errors are returned. The peer may take it for a clean end; see [Abort].
//
// Trio: trio.aclose_forcefully.
func CloseForcefully(r Resource) error {
	if err := r.Close(dead); !nursery.IsCancellation(dead, err) {
		return err
	}
	return nil
}

// andClose closes r forcefully and returns err, joined to what the closing said if it
// failed.
func andClose(err error, r Resource) error {
	if closing := CloseForcefully(r); closing != nil {
		return errors.Join(err, closing)
	}
	return err
}

// dead is the context of forceful closing.
var dead = func() context.Context {
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(errForced)
	return ctx
}()

var errForced = errors.New("closed forcefully")

// Aborter is implemented by resources that can tell their peer that this is
// not a clean end: a TCP stream sends RST, a TLS stream ends without
// close_notify, a child process is killed. Abort releases the resource at once
// and never waits. Aborting a closed resource does nothing.
type Aborter interface {
	Abort() error
}

// Abort ends r so that its peer cannot mistake it for a clean end. It uses the
// outermost [Aborter] among the layers of r (see [As]) and then releases the
// layers above it; without one it falls back to [CloseForcefully].
func Abort(r Resource) error {
	a, ok := As[Aborter](r)
	if !ok {
		return CloseForcefully(r)
	}
	if own, ok := r.(Aborter); ok {
		return own.Abort()
	}
	return errors.Join(a.Abort(), CloseForcefully(r))
}

// CancelError returns the error that a call cancelled by ctx returns: it Is
// ctx.Err() and Is [context.Cause](ctx). It returns nil while ctx is alive.
func CancelError(ctx context.Context) error { return nursery.CancelError(ctx) }
