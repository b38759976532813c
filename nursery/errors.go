package nursery

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"runtime/debug"
	"strings"
)

// Errors are the errors of a nursery in which more than one thing went wrong,
// in the order in which they were returned. [errors.Is] and [errors.As] look
// through all of them.
type Errors struct {
	errs []error
}

func (e *Errors) Error() string {
	texts := make([]string, len(e.errs))
	for i, err := range e.errs {
		texts[i] = err.Error()
	}
	return fmt.Sprintf("%d errors: %s", len(e.errs), strings.Join(texts, "; "))
}

func (e *Errors) Unwrap() []error { return e.errs }

// PanicError is what [Run] and [Start] panic with when a child panicked.
type PanicError struct {
	Value any    // what the child panicked with
	Stack []byte // of the child, as runtime/debug.Stack gives it
}

func newPanicError(value any) *PanicError {
	if p, ok := value.(*PanicError); ok { // from a nursery within: its stack is the one to see
		return p
	}
	return &PanicError{value, debug.Stack()}
}

func (p *PanicError) Error() string {
	return fmt.Sprintf("panic in a nursery: %v\n\n%s", p.Value, p.Stack)
}

// Unwrap returns the value of the panic if it was an error.
func (p *PanicError) Unwrap() error {
	err, _ := p.Value.(error)
	return err
}

// CancelError returns the error of a call that ctx cancelled: it Is ctx.Err()
// and Is [context.Cause](ctx). It returns nil while ctx is alive.
func CancelError(ctx context.Context) error {
	err := ctx.Err()
	if err == nil {
		return nil
	}
	cause := context.Cause(ctx)
	if errors.Is(cause, err) {
		return cause
	}
	return &cancelError{err, cause}
}

type cancelError struct{ err, cause error }

func (e *cancelError) Error() string   { return e.err.Error() + ": " + e.cause.Error() }
func (e *cancelError) Unwrap() []error { return []error{e.err, e.cause} }

// IsCancellation reports whether err says nothing but that ctx was cancelled:
// every error in its tree is, or wraps, ctx.Err() or context.Cause(ctx). A
// nil err is not a cancellation.
func IsCancellation(ctx context.Context, err error) bool {
	return ctx.Err() != nil && consistsOf(err, ctx.Err(), context.Cause(ctx))
}

// consistsOf reports whether every leaf of the tree of err is one of known. It
// goes down the branches of joined errors, where [errors.Is] would be content
// with one of them: a real failure joined to a cancellation is still a failure.
func consistsOf(err error, known ...error) bool {
	if err == nil {
		return false
	}
	for _, k := range known {
		if same(err, k) {
			return true
		}
	}
	switch u := err.(type) {
	case interface{ Unwrap() error }:
		return consistsOf(u.Unwrap(), known...)
	case interface{ Unwrap() []error }:
		branches := u.Unwrap()
		for _, b := range branches {
			if !consistsOf(b, known...) {
				return false
			}
		}
		return len(branches) > 0
	}
	return false
}

// same is a == b, and the like of that for errors on which == panics: those that are
// slices, say.
func same(a, b error) bool {
	if b == nil || reflect.ValueOf(b).Comparable() {
		return a == b
	}
	return reflect.DeepEqual(a, b)
}
