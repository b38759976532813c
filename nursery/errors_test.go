package nursery_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"trigo/nursery"
)

func TestIsCancellation(t *testing.T) {
	why := errors.New("why")
	ctx, cancel := context.WithCancelCause(t.Context())
	if nursery.IsCancellation(ctx, context.Canceled) {
		t.Error("of a live ctx")
	}
	cancel(why)
	for _, c := range []struct {
		err  error
		want bool
	}{
		{nil, false},
		{context.Canceled, true},
		{why, true},
		{nursery.CancelError(ctx), true},
		{fmt.Errorf("send: %w", why), true},
		{errors.Join(why, context.Canceled), true},
		{io.ErrUnexpectedEOF, false},
		{context.DeadlineExceeded, false},
		{errors.Join(context.Canceled, io.ErrUnexpectedEOF), false},
		{fmt.Errorf("%w: %w", io.ErrUnexpectedEOF, why), false},
		{fmt.Errorf("a: %w", errors.Join(why, fmt.Errorf("b: %w", io.EOF))), false},
		{&nursery.Errors{}, false}, // of nothing it does not consist
	} {
		if got := nursery.IsCancellation(ctx, c.err); got != c.want {
			t.Errorf("%v: %v, want %v", c.err, got, c.want)
		}
	}
}

func TestCancelError(t *testing.T) {
	why := errors.New("why")
	live := t.Context()
	plain, cancel := context.WithCancel(live)
	cancel()
	caused, cancelCause := context.WithCancelCause(live)
	cancelCause(why)
	wrapped, cancelWrapped := context.WithCancelCause(live)
	wrapping := fmt.Errorf("stopped: %w", context.Canceled)
	cancelWrapped(wrapping)
	for _, c := range []struct {
		ctx  ctxt
		text string
	}{
		{plain, "context canceled"},
		{caused, "context canceled: why"},
		{wrapped, "stopped: context canceled"}, // the cause says both
	} {
		err := nursery.CancelError(c.ctx)
		wantIs(t, c.text, err, context.Canceled, context.Cause(c.ctx))
		if err.Error() != c.text {
			t.Errorf("got %q, want %q", err, c.text)
		}
	}
	if err := nursery.CancelError(live); err != nil {
		t.Errorf("live: %v", err)
	}
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, why)
		defer cancel()
		<-ctx.Done()
		wantIs(t, "timeout", nursery.CancelError(ctx), context.DeadlineExceeded, why)
	})
}
