package nursery

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// ErrTooSlow is returned by [FailAfter] when the time was up. It is wrapped
// together with what the function returned.
var ErrTooSlow = errors.New("took too long")

// MoveOnAfter calls f with a ctx that ends after d, and reports whether that
// made f stop: expired is true and err nil if f returned nothing but this
// cancellation. Any other error is returned, expired or not. If d is not
// positive, f runs with a dead ctx.
//
// Trio: trio.move_on_after.
func MoveOnAfter(ctx context.Context, d time.Duration, f func(ctx context.Context) error) (expired bool, err error) {
	expired, err = within(ctx, d, f)
	if expired {
		err = nil
	}
	return expired, err
}

// FailAfter is like [MoveOnAfter] but returns an error if the time ran out:
// it Is [ErrTooSlow] and Is [context.DeadlineExceeded], and says what f was
// doing as far as the error of f does.
//
// Trio: trio.fail_after.
func FailAfter(ctx context.Context, d time.Duration, f func(ctx context.Context) error) error {
	expired, err := within(ctx, d, f)
	if expired {
		return &cancelError{ErrTooSlow, err}
	}
	return err
}

// within runs f for at most d. expired means that err says only that.
func within(ctx context.Context, d time.Duration, f func(ctx context.Context) error) (expired bool, err error) {
	// A value of its own tells this scope's clock from that of one around it.
	end := &expiry{d}
	scope, cancel := context.WithTimeoutCause(ctx, d, end)
	defer cancel()
	err = f(scope)
	return context.Cause(scope) == end && IsCancellation(scope, err), err
}

// expiry is the cause with which a scope ends when its time is up.
type expiry struct{ after time.Duration }

func (e *expiry) Error() string { return fmt.Sprintf("limit of %v: %v", e.after, e.Unwrap()) }
func (e *expiry) Unwrap() error { return context.DeadlineExceeded }

// Shield calls f with a ctx that does not end when ctx does, only after bound:
// for clean-up that must be allowed to wait when the rest is already
// cancelled. The values of ctx are kept.
//
// Trio: CancelScope(shield=True), which has no bound unless it is given one.
func Shield(ctx context.Context, bound time.Duration, f func(ctx context.Context) error) error {
	scope, cancel := context.WithTimeout(context.WithoutCancel(ctx), bound)
	defer cancel()
	return f(scope)
}
