package nursery_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"trigo/nursery"
)

// napping starts after d, with the value d, and ends after another d.
func napping(d time.Duration) func(ctxt, func(time.Duration)) error {
	return func(_ ctxt, started func(time.Duration)) error {
		time.Sleep(d)
		started(d)
		time.Sleep(d)
		return nil
	}
}

func TestStartWaitsForStartedAndRunForTheEnd(t *testing.T) {
	for _, d := range []time.Duration{time.Second, 2 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			wantNil(t, "run", nursery.Run(t.Context(), func(ctx ctxt, n *nursery.Nursery) error {
				got, err := nursery.Start(ctx, n, napping(d))
				if got != d || err != nil || time.Since(began) != d {
					t.Errorf("got %v, %v after %v", got, err, time.Since(began))
				}
				return err
			}))
			if took := time.Since(began); took != 2*d {
				t.Errorf("the nursery ended after %v, want %v", took, 2*d)
			}
		})
	}
}

func TestStartFunctionsCanBeCalledDirectly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		wantNil(t, "call", napping(3*time.Second)(t.Context(), func(time.Duration) {}))
		if took := time.Since(began); took != 6*time.Second {
			t.Errorf("took %v", took)
		}
	})
}

func TestStartedTwicePanics(t *testing.T) {
	_, panicked := howEnded(func() {
		_ = nursery.Run(t.Context(), func(ctx ctxt, n *nursery.Nursery) error {
			_, err := nursery.Start(ctx, n, func(_ ctxt, started func(int)) error {
				started(1)
				started(2)
				return nil
			})
			return err
		})
	})
	wantPanic(t, "run", panicked, "nursery: started called twice")
}

func TestStartReturnsAnErrorFromBeforeStarted(t *testing.T) {
	boom := errors.New("boom")
	wantNil(t, "run", nursery.Run(t.Context(), func(ctx ctxt, n *nursery.Nursery) error {
		_, err := nursery.Start(ctx, n, func(ctxt, func(int)) error { return boom })
		if err != boom {
			t.Errorf("start: got %v, want %v as it is", err, boom)
		}
		return ctx.Err() // the nursery lives on
	}))
}

func TestStartOfAFunctionThatNeverStarts(t *testing.T) {
	wantNil(t, "run", nursery.Run(t.Context(), func(ctx ctxt, n *nursery.Nursery) error {
		_, err := nursery.Start(ctx, n, func(ctxt, func(int)) error { return nil })
		if err != nursery.ErrNotStarted {
			t.Errorf("start: %v", err)
		}
		return ctx.Err()
	}))
}

// startCancelled starts f with a ctx that is cancelled when f says so.
func startCancelled(t *testing.T, f func(ctx ctxt, cancel func(), started func(string)) error) (value string, err error) {
	t.Helper()
	wantNil(t, "the nursery", nursery.Run(t.Context(), func(inside ctxt, n *nursery.Nursery) error {
		ctx, cancel := context.WithCancel(inside)
		value, err = nursery.Start(ctx, n, func(ctx ctxt, started func(string)) error {
			return f(ctx, cancel, started)
		})
		return inside.Err()
	}))
	return value, err
}

func TestCancelledStartIgnoresStarted(t *testing.T) {
	value, err := startCancelled(t, func(ctx ctxt, cancel func(), started func(string)) error {
		cancel()
		started("hi")
		return untilCancelled(ctx)
	})
	if value != "" || err != context.Canceled {
		t.Errorf("got %q, %v", value, err)
	}
}

func TestCancelledStartOfAFunctionThatEndsWell(t *testing.T) {
	value, err := startCancelled(t, func(_ ctxt, cancel func(), started func(string)) error {
		cancel()
		started("hi")
		return nil
	})
	if value != "" || err != context.Canceled {
		t.Errorf("got %q, %v", value, err)
	}
}

func TestCancelledStartReturnsTheErrorsFromAfterStarted(t *testing.T) {
	boom := errors.New("boom")
	_, err := startCancelled(t, func(_ ctxt, cancel func(), started func(string)) error {
		cancel()
		started("hi")
		return boom
	})
	if err != boom {
		t.Errorf("got %v", err)
	}
}

func TestCancelledStartWaitsForItsFunction(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		_, err := startCancelled(t, func(_ ctxt, cancel func(), _ func(string)) error {
			cancel()
			time.Sleep(time.Second)
			return nil
		})
		wantIs(t, "start", err, context.Canceled)
		if took := time.Since(began); took != time.Second {
			t.Errorf("returned after %v", took)
		}
	})
}

func TestStartWithADeadCtxRunsNothing(t *testing.T) {
	why := errors.New("why")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(why)
	wantNil(t, "run", nursery.Run(t.Context(), func(_ ctxt, n *nursery.Nursery) error {
		_, err := nursery.Start(ctx, n, func(ctxt, func(int)) error { t.Error("it ran"); return nil })
		wantIs(t, "start", err, context.Canceled, why)
		return nil
	}))
}

func TestStartAfterTheEndPanics(t *testing.T) {
	var ended *nursery.Nursery
	_ = nursery.Run(t.Context(), func(_ ctxt, n *nursery.Nursery) error { ended = n; return nil })
	defer func() {
		if got, want := recover(), "nursery: Start in a nursery that has ended"; got != want {
			t.Errorf("recovered %v, want %q", got, want)
		}
	}()
	_, _ = nursery.Start(t.Context(), ended, napping(time.Hour))
}

func TestStartErrorsKeepTheirCause(t *testing.T) {
	cause := errors.New("cause")
	_ = nursery.Run(t.Context(), func(ctx ctxt, n *nursery.Nursery) error {
		_, err := nursery.Start(ctx, n, func(ctxt, func(int)) error { return fmt.Errorf("cannot listen: %w", cause) })
		wantIs(t, "start", err, cause)
		return nil
	})
}

func TestStartedFunctionIsAChildOfTheNursery(t *testing.T) {
	boom := errors.New("boom")
	synctest.Test(t, func(t *testing.T) {
		err := nursery.Run(t.Context(), func(inside ctxt, n *nursery.Nursery) error {
			ctx, cancel := context.WithTimeout(inside, time.Second)
			defer cancel()
			value, err := nursery.Start(ctx, n, func(ctx ctxt, started func(string)) error {
				started("hi")
				time.Sleep(time.Hour)
				if ctx.Err() != nil {
					t.Errorf("the ctx of Start still counts: %v", ctx.Err())
				}
				return boom
			})
			if value != "hi" || err != nil {
				t.Errorf("start: %q, %v", value, err)
			}
			return untilCancelled(inside)
		})
		if err != boom {
			t.Errorf("run: got %v, want %v", err, boom)
		}
	})
}

func TestStartKeepsTheNurseryOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		started := make(chan error)
		var n *nursery.Nursery
		wantNil(t, "run", nursery.Run(t.Context(), func(_ ctxt, inner *nursery.Nursery) error {
			n = inner
			go func() {
				_, err := nursery.Start(t.Context(), n, napping(time.Second))
				started <- err
			}()
			synctest.Wait() // Start is waiting when the body ends
			return nil
		}))
		wantNil(t, "start", <-started)
		if took := time.Since(began); took != 2*time.Second {
			t.Errorf("the nursery ended after %v", took)
		}
	})
}

func TestStartInANurseryThatIsCancelled(t *testing.T) {
	why := errors.New("why")
	t.Run("before started", func(t *testing.T) {
		// The nursery is not that of the caller of Start, whose ctx is alive.
		wantNil(t, "run", nursery.Run(t.Context(), func(_ ctxt, n *nursery.Nursery) error {
			_, err := nursery.Start(t.Context(), n, func(ctx ctxt, _ func(int)) error {
				n.Cancel(why)
				return untilCancelled(ctx)
			})
			wantIs(t, "start", err, context.Canceled, why)
			return nil
		}))
	})
	t.Run("before Start", func(t *testing.T) {
		wantNil(t, "run", nursery.Run(t.Context(), func(_ ctxt, n *nursery.Nursery) error {
			n.Cancel(why)
			value, err := nursery.Start(t.Context(), n, func(ctx ctxt, started func(error)) error {
				started(ctx.Err()) // hands a child with a dead ctx over
				return untilCancelled(ctx)
			})
			if value != context.Canceled || err != nil {
				t.Errorf("start: %v, %v", value, err)
			}
			return nil
		}))
	})
	t.Run("before started, under its own ctx", func(t *testing.T) {
		wantNil(t, "run", nursery.Run(t.Context(), func(ctx ctxt, n *nursery.Nursery) error {
			value, err := nursery.Start(ctx, n, func(ctx ctxt, started func(int)) error {
				n.Cancel(why)
				started(1) // too late
				return untilCancelled(ctx)
			})
			wantIs(t, "start", err, context.Canceled, why)
			if value != 0 {
				t.Errorf("started with %d", value)
			}
			return nil
		}))
	})
	t.Run("after started", func(t *testing.T) {
		wantNil(t, "run", nursery.Run(t.Context(), func(ctx ctxt, n *nursery.Nursery) error {
			_, err := nursery.Start(ctx, n, func(ctx ctxt, started func(int)) error {
				started(1)
				return run(ctx, untilCancelled, untilCancelled)
			})
			n.Cancel(why)
			return err
		}))
	})
}

func TestPanicBeforeStartedIsRaisedByStart(t *testing.T) {
	wantNil(t, "run", nursery.Run(t.Context(), func(ctx ctxt, n *nursery.Nursery) error {
		_, panicked := howEnded(func() {
			_, _ = nursery.Start(ctx, n, func(ctx ctxt, _ func(int)) error { return theChildThatPanics(ctx) })
		})
		wantPanic(t, "start", panicked, "boom")
		return ctx.Err() // none of the nursery's business
	}))
}

func TestPanicAfterStartedIsRaisedByRun(t *testing.T) {
	_, panicked := howEnded(func() {
		_ = nursery.Run(t.Context(), func(ctx ctxt, n *nursery.Nursery) error {
			_, err := nursery.Start(ctx, n, func(ctx ctxt, started func(int)) error {
				started(1)
				return theChildThatPanics(ctx)
			})
			return err
		})
	})
	wantPanic(t, "run", panicked, "boom")
}

func TestGoexitBeforeStartedEndsTheCallerOfStart(t *testing.T) {
	wantNil(t, "run", nursery.Run(t.Context(), func(ctx ctxt, n *nursery.Nursery) error {
		returned, panicked := howEnded(func() {
			_, _ = nursery.Start(ctx, n, func(ctxt, func(int)) error { runtime.Goexit(); return nil })
		})
		if returned || panicked != nil {
			t.Errorf("returned: %v, panicked with %v", returned, panicked)
		}
		return ctx.Err()
	}))
}

func TestStartThatIsTooSlowEndsWithItsScope(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		never := func(ctx ctxt, _ func(int)) error { return fmt.Errorf("listen: %w", untilCancelled(ctx)) }
		wantNil(t, "run", nursery.Run(t.Context(), func(ctx ctxt, n *nursery.Nursery) error {
			expired, err := nursery.MoveOnAfter(ctx, time.Second, func(ctx ctxt) error {
				_, err := nursery.Start(ctx, n, never)
				wantIs(t, "start", err, context.DeadlineExceeded)
				return err
			})
			if !expired || err != nil {
				t.Errorf("expired: %v, %v", expired, err)
			}
			return ctx.Err()
		}))
	})
}

func TestStartWhenCancelAndStartedRace(t *testing.T) {
	// Whoever is first decides, and the two must agree about it.
	handedOver := 0
	for range 300 {
		_ = nursery.Run(t.Context(), func(inside ctxt, n *nursery.Nursery) error {
			ctx, cancel := context.WithCancel(inside)
			go cancel()
			value, err := nursery.Start(ctx, n, func(ctx ctxt, started func(int)) error {
				started(7)
				return nil
			})
			if (value == 7) != (err == nil) {
				t.Errorf("got %d, %v", value, err)
			}
			if err == nil {
				handedOver++
			}
			return nil
		})
	}
	t.Logf("handed over %d of 300", handedOver)
}
