package nursery_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"trigo/nursery"
)

// howEnded runs f in a goroutine of its own, and tells whether it returned or
// what it panicked with. Neither: it called runtime.Goexit.
func howEnded(f func()) (returned bool, panicked any) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() { panicked = recover() }()
		f()
		returned = true
	}()
	<-done
	return returned, panicked
}

//go:noinline
func theChildThatPanics(ctxt) error { panic("boom") }

func wantPanic(t *testing.T, what string, panicked, value any) *nursery.PanicError {
	t.Helper()
	p, ok := panicked.(*nursery.PanicError)
	if !ok || p.Value != value {
		t.Fatalf("%s: panicked with %v, want a PanicError of %v", what, panicked, value)
	}
	return p
}

func TestPanicOfAChildIsRaisedWithItsStack(t *testing.T) {
	var waited atomic.Bool
	_, panicked := howEnded(func() {
		_ = run(t.Context(), theChildThatPanics, func(ctx ctxt) error {
			<-ctx.Done()
			if p, ok := context.Cause(ctx).(*nursery.PanicError); !ok || p.Value != "boom" {
				t.Errorf("the cause is %v", context.Cause(ctx))
			}
			waited.Store(true)
			return nil
		})
	})
	p := wantPanic(t, "run", panicked, "boom")
	if !bytes.Contains(p.Stack, []byte("theChildThatPanics")) {
		t.Errorf("the stack does not show the child:\n%s", p.Stack)
	}
	if !bytes.Contains([]byte(p.Error()), []byte("theChildThatPanics")) || !bytes.HasPrefix([]byte(p.Error()), []byte("panic in a nursery: boom\n")) {
		t.Errorf("the text is %q", p)
	}
	if !waited.Load() {
		t.Error("raised before the other child had ended")
	}
}

func TestPanicInANurseryWithinKeepsTheInnermostStack(t *testing.T) {
	_, panicked := howEnded(func() {
		_ = run(t.Context(), func(ctx ctxt) error {
			return run(ctx, func(ctx ctxt) error { return run(ctx, theChildThatPanics) })
		})
	})
	p := wantPanic(t, "run", panicked, "boom")
	if !bytes.Contains(p.Stack, []byte("theChildThatPanics")) {
		t.Errorf("the stack does not show the child:\n%s", p.Stack)
	}
}

func TestPanicWithAnErrorUnwraps(t *testing.T) {
	_, panicked := howEnded(func() {
		_ = run(t.Context(), func(ctxt) error { panic(io.ErrUnexpectedEOF) })
	})
	wantIs(t, "panic", wantPanic(t, "run", panicked, io.ErrUnexpectedEOF), io.ErrUnexpectedEOF)
	if errors.Unwrap(&nursery.PanicError{Value: "no error"}) != nil {
		t.Error("a value that is no error was unwrapped")
	}
}

func TestPanicOutranksErrorsAndGoexit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, panicked := howEnded(func() {
			_ = run(t.Context(),
				fails(errors.New("first")),
				func(ctxt) error { time.Sleep(time.Second); runtime.Goexit(); return nil },
				func(ctxt) error { time.Sleep(2 * time.Second); panic("boom") },
				func(ctxt) error { time.Sleep(3 * time.Second); panic("second") },
				func(ctxt) error { time.Sleep(4 * time.Second); runtime.Goexit(); return nil },
			)
		})
		wantPanic(t, "run", panicked, "boom")
	})
}

func TestPanicOfTheBodyWaitsForTheChildren(t *testing.T) {
	var waited atomic.Bool
	_, panicked := howEnded(func() {
		_ = nursery.Run(t.Context(), func(_ ctxt, n *nursery.Nursery) error {
			n.Go(func(ctx ctxt) error { <-ctx.Done(); waited.Store(true); return nil })
			panic("body")
		})
	})
	if panicked != "body" || !waited.Load() {
		t.Errorf("panicked with %v, waited: %v", panicked, waited.Load())
	}
}

func TestPanicOfTheBodyIsNotSwallowedByAGoexit(t *testing.T) {
	returned, panicked := howEnded(func() {
		_ = nursery.Run(t.Context(), func(_ ctxt, n *nursery.Nursery) error {
			n.Go(func(ctx ctxt) error { <-ctx.Done(); runtime.Goexit(); return nil })
			panic("body")
		})
	})
	if returned || panicked != "body" {
		t.Errorf("returned: %v, panicked with %v", returned, panicked)
	}
}

func TestGoexitOfAChildEndsTheParent(t *testing.T) {
	var waited atomic.Bool
	returned, panicked := howEnded(func() {
		_ = run(t.Context(),
			func(ctxt) error { runtime.Goexit(); return nil },
			func(ctx ctxt) error { <-ctx.Done(); waited.Store(true); return nil },
		)
	})
	if returned || panicked != nil || !waited.Load() {
		t.Errorf("returned: %v, panicked with %v, waited: %v", returned, panicked, waited.Load())
	}
}

func TestGoexitOfTheBodyWaitsForTheChildren(t *testing.T) {
	var waited atomic.Bool
	returned, panicked := howEnded(func() {
		_ = nursery.Run(t.Context(), func(_ ctxt, n *nursery.Nursery) error {
			n.Go(func(ctx ctxt) error { <-ctx.Done(); waited.Store(true); return nil })
			runtime.Goexit()
			return nil
		})
	})
	if returned || panicked != nil || !waited.Load() {
		t.Errorf("returned: %v, panicked with %v, waited: %v", returned, panicked, waited.Load())
	}
}

func TestGoexitOfTheBodyDoesNotHideAPanic(t *testing.T) {
	_, panicked := howEnded(func() {
		_ = nursery.Run(t.Context(), func(_ ctxt, n *nursery.Nursery) error {
			n.Go(func(ctx ctxt) error { <-ctx.Done(); panic("boom") })
			runtime.Goexit()
			return nil
		})
	})
	wantPanic(t, "run", panicked, "boom")
}

func TestSkipNowInAChildSkipsTheTest(t *testing.T) {
	t.Run("inner", func(t *testing.T) {
		defer func() {
			if !t.Skipped() {
				t.Error("not skipped")
			}
		}()
		_ = run(context.Background(), func(ctxt) error { t.SkipNow(); return nil })
		t.Error("went on after SkipNow")
	})
}
