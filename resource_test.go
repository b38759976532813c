package trigo_test

import (
	"context"
	"errors"
	"testing"

	"trigo"
)

// closeFunc is a Resource.
type closeFunc func(context.Context) error

func (f closeFunc) Close(ctx context.Context) error { return f(ctx) }

func TestCloseForcefullyClosesWithADeadCtx(t *testing.T) {
	called := 0
	err := trigo.CloseForcefully(closeFunc(func(ctx context.Context) error {
		called++
		<-ctx.Done()
		return nil
	}))
	if err != nil || called != 1 {
		t.Errorf("got %v after %d calls", err, called)
	}
}

func TestCloseForcefullySwallowsOnlyTheCancellation(t *testing.T) {
	real := errors.New("could not unlink")
	for _, c := range []struct {
		name  string
		close func(context.Context) error
		want  error
	}{
		{"ctx.Err", func(ctx context.Context) error { return ctx.Err() }, nil},
		{"cause", func(ctx context.Context) error { return context.Cause(ctx) }, nil},
		{"CancelError", trigo.CancelError, nil},
		{"wrapped", func(ctx context.Context) error {
			return &trigo.OpError{Op: "close", Err: trigo.CancelError(ctx)}
		}, nil},
		{"joined", func(ctx context.Context) error { return errors.Join(ctx.Err(), trigo.CancelError(ctx)) }, nil},
		{"a real error", func(context.Context) error { return real }, real},
		{"a real error joined to it", func(ctx context.Context) error {
			return errors.Join(trigo.CancelError(ctx), real)
		}, real},
		{"somebody else's deadline", func(context.Context) error { return context.DeadlineExceeded }, context.DeadlineExceeded},
	} {
		err := trigo.CloseForcefully(closeFunc(c.close))
		if c.want == nil && err != nil || !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, err, c.want)
		}
	}
}

// abortable is an Aborter.
type abortable struct {
	*calls
	name string
	err  error
}

func (a abortable) Abort() error { a.add("abort " + a.name); return a.err }

// aborting is a stream that can be aborted; wrapping is a layer that cannot.
type (
	aborting struct {
		receiveHalf
		abortable
	}
	wrapping struct {
		trigo.ReceiveStream
		closed *bool
	}
)

func (w wrapping) Underlying() any { return w.ReceiveStream }

func (w wrapping) Close(ctx context.Context) error {
	*w.closed = true
	return errors.Join(w.ReceiveStream.Close(ctx), trigo.CancelError(ctx))
}

func TestAbortOfAnAborter(t *testing.T) {
	var c calls
	failure := errors.New("abort failed")
	r := aborting{receiveHalf{calls: &c}, abortable{&c, "x", failure}}
	if err := trigo.Abort(r); err != failure {
		t.Errorf("got %v, want %v as it is", err, failure)
	}
	c.want(t, "abort x")
}

func TestAbortFindsTheAborterBelowAndReleasesWhatIsAbove(t *testing.T) {
	var c calls
	var closed bool
	r := wrapping{aborting{receiveHalf{calls: &c}, abortable{&c, "x", nil}}, &closed}
	wantNil(t, "abort", trigo.Abort(r))
	c.want(t, "abort x", "close receive") // in this order: the close must not be a goodbye
	if !closed {
		t.Error("the layer above was not closed")
	}
}

func TestAbortFallsBackToClosingForcefully(t *testing.T) {
	forceful := false
	wantNil(t, "abort", trigo.Abort(closeFunc(func(ctx context.Context) error {
		forceful = ctx.Err() != nil
		return ctx.Err()
	})))
	if !forceful {
		t.Error("closed with a live ctx")
	}
}

func TestCancelErrorIsBothTheErrorAndTheCause(t *testing.T) {
	if err := trigo.CancelError(t.Context()); err != nil {
		t.Errorf("live ctx: %v", err)
	}
	why := errors.New("why")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(why)
	wantIs(t, "cancelled", trigo.CancelError(ctx), context.Canceled, why)
}
