package nursery_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"trigo/nursery"
)

func TestMoveOnAfter(t *testing.T) {
	boom := errors.New("boom")
	for _, c := range []struct {
		name    string
		d       time.Duration
		f       task
		expired bool
		err     error
		took    time.Duration
	}{
		{"in time", time.Second, fails(nil), false, nil, 0},
		{"too slow", time.Second, untilCancelled, true, nil, time.Second},
		{"too slow, ctx.Err", time.Second, func(ctx ctxt) error { <-ctx.Done(); return ctx.Err() }, true, nil, time.Second},
		{"too slow, cause", time.Second, func(ctx ctxt) error { <-ctx.Done(); return context.Cause(ctx) }, true, nil, time.Second},
		{"too slow, in a nursery", time.Second, func(ctx ctxt) error { return run(ctx, untilCancelled, untilCancelled) }, true, nil, time.Second},
		{"no time at all", 0, untilCancelled, true, nil, 0},
		{"less than no time", -time.Second, untilCancelled, true, nil, 0},
		{"success wins", time.Second, func(ctx ctxt) error { <-ctx.Done(); return nil }, false, nil, time.Second},
		{"a real error in time", time.Second, fails(boom), false, boom, 0},
		{"a real error wins", time.Second, failsWhenCancelled(boom), false, boom, time.Second},
		{"somebody else's deadline", time.Second, fails(context.DeadlineExceeded), false, context.DeadlineExceeded, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			expired, err := nursery.MoveOnAfter(t.Context(), c.d, c.f)
			if expired != c.expired || !errors.Is(err, c.err) || time.Since(began) != c.took {
				t.Errorf("%s: expired %v, %v, after %v", c.name, expired, err, time.Since(began))
			}
		})
	}
}

func TestScopesExpireIndependently(t *testing.T) {
	for _, c := range []struct{ outer, inner time.Duration }{{1, 2}, {2, 1}} {
		synctest.Test(t, func(t *testing.T) {
			var inner bool
			outer, err := nursery.MoveOnAfter(t.Context(), c.outer*time.Second, func(ctx ctxt) (err error) {
				inner, err = nursery.MoveOnAfter(ctx, c.inner*time.Second, untilCancelled)
				return err
			})
			if outer != (c.outer < c.inner) || inner != (c.inner < c.outer) || err != nil {
				t.Errorf("outer %v s, inner %v s: expired outer %v, inner %v, %v", c.outer, c.inner, outer, inner, err)
			}
		})
	}
}

func TestScopesLetAnOuterEndThrough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		expired, err := nursery.MoveOnAfter(ctx, time.Hour, untilCancelled)
		if expired || err != context.DeadlineExceeded {
			t.Errorf("deadline: expired %v, %v", expired, err)
		}
	})
	why := errors.New("why")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(why)
	expired, err := nursery.MoveOnAfter(ctx, time.Hour, untilCancelled)
	wantIs(t, "cancel", err, context.Canceled, why)
	if expired {
		t.Error("cancel: expired")
	}
	err = nursery.FailAfter(ctx, time.Hour, untilCancelled)
	wantIs(t, "cancel", err, context.Canceled, why)
	if errors.Is(err, nursery.ErrTooSlow) {
		t.Errorf("cancel: %v", err)
	}
}

func TestFailAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wantNil(t, "in time", nursery.FailAfter(t.Context(), time.Second, fails(nil)))
		for name, f := range map[string]task{
			"CancelError": untilCancelled,
			"ctx.Err":     func(ctx ctxt) error { <-ctx.Done(); return ctx.Err() },
			"cause":       func(ctx ctxt) error { <-ctx.Done(); return context.Cause(ctx) },
		} {
			wantIs(t, name, nursery.FailAfter(t.Context(), time.Second, f), nursery.ErrTooSlow, context.DeadlineExceeded)
		}
		boom := errors.New("boom")
		if err := nursery.FailAfter(t.Context(), time.Second, fails(boom)); err != boom {
			t.Errorf("a real error: %v", err)
		}
		err := nursery.FailAfter(t.Context(), 2*time.Second, func(ctx ctxt) error {
			return fmt.Errorf("receive x: %w", untilCancelled(ctx))
		})
		if want := "took too long: receive x: limit of 2s: context deadline exceeded"; err.Error() != want {
			t.Errorf("got %q, want %q", err, want)
		}
	})
}

func TestFailAfterIsNotTakenForAnEndOfTheOuterScope(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		expired, err := nursery.MoveOnAfter(t.Context(), 2*time.Second, func(ctx ctxt) error {
			err := nursery.FailAfter(ctx, time.Second, untilCancelled)
			<-ctx.Done()
			return err
		})
		wantIs(t, "outer", err, nursery.ErrTooSlow)
		if expired {
			t.Error("the outer scope swallowed it")
		}
	})
}

type key struct{}

func TestShield(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.WithValue(t.Context(), key{}, "value"))
		cancel()
		began := time.Now()
		err := nursery.Shield(ctx, time.Second, func(ctx ctxt) error {
			if ctx.Err() != nil || ctx.Value(key{}) != "value" {
				t.Errorf("within: %v, value %v", ctx.Err(), ctx.Value(key{}))
			}
			return untilCancelled(ctx)
		})
		wantIs(t, "shield", err, context.DeadlineExceeded)
		if took := time.Since(began); took != time.Second {
			t.Errorf("bounded after %v", took)
		}
		wantNil(t, "shield", nursery.Shield(ctx, time.Second, fails(nil)))
	})
}
