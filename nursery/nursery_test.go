package nursery_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"trigo/nursery"
)

type (
	ctxt = context.Context
	task = func(context.Context) error
)

// untilCancelled is a child that does as it is told, and says so.
func untilCancelled(ctx ctxt) error {
	<-ctx.Done()
	return nursery.CancelError(ctx)
}

func fails(err error) task { return func(ctxt) error { return err } }

// failsWhenCancelled is a child with trouble of its own while it stops.
func failsWhenCancelled(err error) task {
	return func(ctx ctxt) error {
		<-ctx.Done()
		return errors.Join(nursery.CancelError(ctx), err)
	}
}

// run runs children in a nursery whose body does nothing else.
func run(ctx ctxt, children ...task) error {
	return nursery.Run(ctx, func(_ ctxt, n *nursery.Nursery) error {
		for _, child := range children {
			n.Go(child)
		}
		return nil
	})
}

func wantIs(t *testing.T, what string, err error, kinds ...error) {
	t.Helper()
	for _, kind := range kinds {
		if !errors.Is(err, kind) {
			t.Errorf("%s: got %v, want an error that Is %v", what, err, kind)
		}
	}
}

func wantNil(t *testing.T, what string, err error) {
	t.Helper()
	if err != nil {
		t.Errorf("%s: %v", what, err)
	}
}

func TestRunWaitsForEveryChild(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		var ended atomic.Int64
		nap := func(ctxt) error { time.Sleep(time.Hour); ended.Add(1); return nil }
		err := nursery.Run(t.Context(), func(_ ctxt, n *nursery.Nursery) error {
			n.Go(nap)
			n.Go(func(ctxt) error { n.Go(nap); return nap(nil) }) // a child's child
			return nil
		})
		wantNil(t, "run", err)
		if ended.Load() != 3 || time.Since(began) != time.Hour {
			t.Errorf("%d children ended in %v", ended.Load(), time.Since(began))
		}
	})
}

func TestRunEndsTheContextOfItsChildren(t *testing.T) {
	var kept ctxt
	wantNil(t, "run", nursery.Run(t.Context(), func(ctx ctxt, _ *nursery.Nursery) error {
		kept = ctx
		return ctx.Err()
	}))
	if kept.Err() == nil {
		t.Error("the ctx is alive after Run")
	}
}

func TestOneErrorIsReturnedAsItIs(t *testing.T) {
	boom := errors.New("boom")
	if err := run(t.Context(), untilCancelled, fails(boom), untilCancelled); err != boom {
		t.Errorf("of a child: got %v", err)
	}
	err := nursery.Run(t.Context(), func(_ ctxt, n *nursery.Nursery) error {
		n.Go(untilCancelled)
		return boom
	})
	if err != boom {
		t.Errorf("of the body: got %v", err)
	}
}

func TestEveryErrorIsKept(t *testing.T) {
	first, second, third := errors.New("first"), errors.New("second"), errors.New("third")
	synctest.Test(t, func(t *testing.T) {
		err := nursery.Run(t.Context(), func(ctx ctxt, n *nursery.Nursery) error {
			n.Go(failsWhenCancelled(second))
			n.Go(untilCancelled)
			n.Go(func(ctx ctxt) error { <-ctx.Done(); time.Sleep(time.Second); return third })
			synctest.Wait()
			return first
		})
		wantIs(t, "run", err, first, second, third)
		var all *nursery.Errors
		if !errors.As(err, &all) || len(all.Unwrap()) != 3 {
			t.Fatalf("got %#v, want three Errors", err)
		}
		if errs := all.Unwrap(); errs[0] != first || errs[2] != third {
			t.Errorf("not in the order in which they came: %v", errs)
		}
	})
	err := &nursery.Errors{}
	if got := err.Error(); got != "0 errors: " {
		t.Errorf("none: %q", got)
	}
	synctest.Test(t, func(t *testing.T) {
		err := run(t.Context(),
			fails(first),
			func(ctxt) error { time.Sleep(time.Second); return second },
		)
		if want := "2 errors: first; second"; err.Error() != want {
			t.Errorf("got %q, want %q", err, want)
		}
	})
}

func TestAnswersToTheOwnCancelAreLeftOut(t *testing.T) {
	boom := errors.New("boom")
	for name, answer := range map[string]task{
		"ctx.Err":     func(ctx ctxt) error { <-ctx.Done(); return ctx.Err() },
		"cause":       func(ctx ctxt) error { <-ctx.Done(); return context.Cause(ctx) },
		"CancelError": untilCancelled,
		"wrapped":     func(ctx ctxt) error { return fmt.Errorf("receive: %w", untilCancelled(ctx)) },
		"joined":      func(ctx ctxt) error { return errors.Join(untilCancelled(ctx), untilCancelled(ctx)) },
		"of a scope within": func(ctx ctxt) error {
			_, err := nursery.MoveOnAfter(ctx, time.Hour, untilCancelled)
			return err
		},
		"of a nursery within": func(ctx ctxt) error { return run(ctx, untilCancelled, untilCancelled) },
	} {
		if err := run(t.Context(), answer, fails(boom)); err != boom {
			t.Errorf("%s: got %v, want %v", name, err, boom)
		}
	}
}

func TestOtherErrorsAreNotTakenForAnswers(t *testing.T) {
	boom := errors.New("boom")
	for _, other := range []error{
		io.ErrUnexpectedEOF,
		errors.Join(context.Canceled, io.ErrUnexpectedEOF),
		fmt.Errorf("%w while: %w", context.Canceled, io.ErrUnexpectedEOF),
		context.DeadlineExceeded, // somebody else's
		uncomparable{"x"},
	} {
		err := run(t.Context(), func(ctx ctxt) error { <-ctx.Done(); return other }, fails(boom))
		wantIs(t, "run", err, boom)
		if all, ok := err.(*nursery.Errors); !ok || len(all.Unwrap()) != 2 {
			t.Errorf("got %v, want %v kept", err, other)
		}
	}
}

// uncomparable is an error that == panics on.
type uncomparable []string

func (u uncomparable) Error() string { return u[0] }

// holder can be compared, or not: it depends on what it holds.
type holder struct{ what any }

func (h holder) Error() string { return fmt.Sprint(h.what) }

// Many errors of others are slices, which == panics on.
func TestErrorsThatCannotBeCompared(t *testing.T) {
	for _, err := range []error{uncomparable{"x"}, holder{[]int{1}}} {
		got := run(t.Context(), fails(err),
			func(ctx ctxt) error { <-ctx.Done(); return context.Cause(ctx) },
			func(ctx ctxt) error { <-ctx.Done(); return nursery.CancelError(ctx) },
		)
		if !reflect.DeepEqual(got, err) {
			t.Errorf("got %v, want %v alone", got, err)
		}
		got = run(t.Context(), fails(err), func(ctx ctxt) error { <-ctx.Done(); return uncomparable{"y"} })
		if all, ok := got.(*nursery.Errors); !ok || len(all.Unwrap()) != 2 {
			t.Errorf("got %v, want %v and another", got, err)
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(err)
		if !nursery.IsCancellation(ctx, nursery.CancelError(ctx)) {
			t.Errorf("a cancel with the cause %v is not taken for one", err)
		}
	}
}

func TestAnErrorThatSaysCanceledIsAnErrorAllTheSame(t *testing.T) {
	if err := run(t.Context(), fails(context.Canceled)); err != context.Canceled {
		t.Errorf("got %v", err)
	}
}

func TestOuterCancelIsReportedOnce(t *testing.T) {
	why := errors.New("why")
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(why) })
		err := run(ctx, untilCancelled, untilCancelled, func(ctx ctxt) error { <-ctx.Done(); return ctx.Err() })
		wantIs(t, "run", err, context.Canceled, why)
		if want := "context canceled: why"; err.Error() != want {
			t.Errorf("got %q, want %q", err, want)
		}
		if !nursery.IsCancellation(ctx, err) {
			t.Error("it says more than that")
		}
	})
}

func TestOuterCancelIsReportedOnceEvenIfAChildIsFirstToSee(t *testing.T) {
	// The children listen to the outer ctx, and are back before the nursery's
	// own ctx has heard of it.
	synctest.Test(t, func(t *testing.T) {
		late := newLateContext()
		hasty := func(ctxt) error { <-late.seen; return fmt.Errorf("receive: %w", late.Err()) }
		if err := run(late, hasty, hasty, untilCancelled); err != context.DeadlineExceeded {
			t.Errorf("got %v", err)
		}
	})
}

// lateContext has ended, by its Err, before its Done tells anyone.
type lateContext struct {
	context.Context
	seen chan struct{}
	done chan struct{}
	dead atomic.Bool
}

func newLateContext() *lateContext {
	c := &lateContext{Context: context.Background(), seen: make(chan struct{}), done: make(chan struct{})}
	time.AfterFunc(1*time.Second, func() { c.dead.Store(true); close(c.seen) })
	time.AfterFunc(2*time.Second, func() { close(c.done) })
	return c
}

func (c *lateContext) Done() <-chan struct{} { return c.done }
func (c *lateContext) Err() error {
	if c.dead.Load() {
		return context.DeadlineExceeded
	}
	return nil
}

func TestOuterCancelKeepsRealErrors(t *testing.T) {
	boom := errors.New("boom")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := run(ctx, untilCancelled, failsWhenCancelled(boom))
	wantIs(t, "run", err, context.Canceled, boom)
	if nursery.IsCancellation(ctx, err) {
		t.Error("a real error was taken for a cancellation")
	}
}

func TestOuterCancelThatNobodyNoticedIsNotAnError(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	wantNil(t, "run", run(ctx, fails(nil)))
}

func TestOuterDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := run(ctx, untilCancelled, untilCancelled); err != context.DeadlineExceeded {
			t.Errorf("got %v", err)
		}
	})
}

func TestOuterCancelAfterAFailureAddsNothing(t *testing.T) {
	boom := errors.New("boom")
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		err := run(ctx, fails(boom), func(ctx ctxt) error {
			<-ctx.Done()
			time.Sleep(time.Second)
			cancel()
			return nil
		})
		if err != boom {
			t.Errorf("got %v", err)
		}
	})
}

func TestCancelIsNotAnError(t *testing.T) {
	why := errors.New("why")
	for _, cause := range []error{nil, why} {
		err := nursery.Run(t.Context(), func(ctx ctxt, n *nursery.Nursery) error {
			n.Go(untilCancelled)
			n.Cancel(cause)
			n.Cancel(errors.New("too late"))
			if got := context.Cause(ctx); cause != nil && got != cause || cause == nil && got != context.Canceled {
				t.Errorf("the cause is %v, want %v", got, cause)
			}
			return untilCancelled(ctx)
		})
		wantNil(t, "run", err)
	}
}

func TestCancelKeepsRealErrors(t *testing.T) {
	boom := errors.New("boom")
	err := nursery.Run(t.Context(), func(ctx ctxt, n *nursery.Nursery) error {
		n.Go(failsWhenCancelled(boom))
		n.Cancel(nil)
		return nil
	})
	wantIs(t, "run", err, boom)
}

func TestCancelAfterTheEndDoesNothing(t *testing.T) {
	var ended *nursery.Nursery
	_ = nursery.Run(t.Context(), func(_ ctxt, n *nursery.Nursery) error { ended = n; return nil })
	ended.Cancel(errors.New("late"))
}

func TestCancelMayRaceTheEnd(t *testing.T) {
	for range 100 {
		var wg sync.WaitGroup
		_ = nursery.Run(t.Context(), func(_ ctxt, n *nursery.Nursery) error {
			n.Go(fails(nil))
			wg.Go(func() { n.Cancel(nil) })
			return nil
		})
		wg.Wait()
	}
}

func TestGoAfterTheEndPanics(t *testing.T) {
	var ended *nursery.Nursery
	_ = nursery.Run(t.Context(), func(_ ctxt, n *nursery.Nursery) error { ended = n; return nil })
	defer func() {
		if got, want := recover(), "nursery: Go in a nursery that has ended"; got != want {
			t.Errorf("recovered %v, want %q", got, want)
		}
	}()
	ended.Go(untilCancelled)
}

func TestGoIntoACancelledNurseryRunsWithADeadCtx(t *testing.T) {
	var seen error
	wantNil(t, "run", nursery.Run(t.Context(), func(_ ctxt, n *nursery.Nursery) error {
		n.Cancel(nil)
		n.Go(func(ctx ctxt) error { seen = ctx.Err(); return seen })
		return nil
	}))
	if seen != context.Canceled {
		t.Errorf("the child saw %v", seen)
	}
}

func TestGoFromOutsideWhileTheNurseryIsOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		open, ran := make(chan *nursery.Nursery), false
		go func() {
			n := <-open
			time.Sleep(time.Second)
			n.Go(func(ctxt) error { ran = true; n.Cancel(nil); return nil })
		}()
		wantNil(t, "run", nursery.Run(t.Context(), func(_ ctxt, n *nursery.Nursery) error {
			n.Go(untilCancelled)
			open <- n
			return nil
		}))
		if !ran {
			t.Error("it did not run")
		}
	})
}

func TestAThousandChildren(t *testing.T) {
	var ran atomic.Int64
	err := nursery.Run(t.Context(), func(_ ctxt, n *nursery.Nursery) error {
		for i := range 1000 {
			n.Go(func(ctx ctxt) error {
				ran.Add(1)
				if i%10 == 0 {
					n.Go(func(ctxt) error { ran.Add(1); return nil })
				}
				if i%100 == 7 {
					return fmt.Errorf("child %d", i)
				}
				return untilCancelled(ctx)
			})
		}
		return nil
	})
	var all *nursery.Errors
	if !errors.As(err, &all) || len(all.Unwrap()) != 10 {
		t.Errorf("got %v, want 10 errors", err)
	}
	if ran.Load() != 1100 {
		t.Errorf("%d ran", ran.Load())
	}
}
