package file

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestTenThousandSlowCallsAreNeverMoreThanTheLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := limiter{limit: 64}
		under, most, done := make(chan int, 1), 0, make(chan struct{})
		under <- 0
		for range 10_000 {
			go func() {
				if err := l.acquire(t.Context()); err != nil {
					t.Error(err)
				}
				n := <-under + 1
				most = max(most, n)
				under <- n
				time.Sleep(time.Millisecond)
				under <- <-under - 1
				l.release()
				done <- struct{}{}
			}()
		}
		start := time.Now()
		for range 10_000 {
			<-done
		}
		if most != 64 {
			t.Errorf("%d calls at a time, want 64", most)
		}
		if got, want := time.Since(start), 157*time.Millisecond; got != want {
			t.Errorf("all of them took %v, want %v", got, want)
		}
	})
}

func TestWaitForAPlaceEndsWithItsCtxAndKeepsTheLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := limiter{limit: 1}
		if err := l.acquire(t.Context()); err != nil {
			t.Fatal(err)
		}
		why := errors.New("why")
		ctx, cancel := context.WithCancelCause(t.Context())
		var order []int
		gone := make(chan error, 1)
		go func() { gone <- l.acquire(ctx) }()
		synctest.Wait()
		for i := range 3 {
			go func() {
				l.acquire(t.Context())
				order = append(order, i)
				l.release()
			}()
			synctest.Wait()
		}
		cancel(why)
		if err := <-gone; !errors.Is(err, why) || !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled: %v", err)
		}
		l.release()
		synctest.Wait()
		if len(order) != 3 || order[0] != 0 || order[1] != 1 || order[2] != 2 {
			t.Errorf("served in the order %v", order)
		}
		if l.used != 0 || l.line.Len() != 0 {
			t.Errorf("left: %d places, %d waiting", l.used, l.line.Len())
		}
	})
}

func TestDeadCtxTakesNoPlace(t *testing.T) {
	l := limiter{limit: 1}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := l.acquire(ctx); !errors.Is(err, context.Canceled) || l.used != 0 {
		t.Errorf("err = %v, %d places used", err, l.used)
	}
}

func TestPlaceGivenToACancelledCallGoesToTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := limiter{limit: 1}
		l.acquire(t.Context())
		ctx, cancel := context.WithCancel(t.Context())
		first, second := make(chan error, 1), make(chan error, 1)
		go func() { first <- l.acquire(ctx) }()
		synctest.Wait()
		go func() { second <- l.acquire(t.Context()) }()
		synctest.Wait()

		l.mu.Lock()
		cancel() // it has seen that, and cannot say so yet
		l.used--
		l.admit()
		l.mu.Unlock()
		if err := <-first; !errors.Is(err, context.Canceled) {
			t.Errorf("the first: %v", err)
		}
		if err := <-second; err != nil {
			t.Errorf("the second: %v", err)
		}
	})
}

func TestRaisedLimitAdmitsThoseWhoWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := limiter{limit: 1}
		var admitted atomic.Int64
		for range 5 {
			go func() { l.acquire(t.Context()); admitted.Add(1) }()
		}
		for limit, want := range []int{1, 3, 5} {
			if limit > 0 {
				if old := l.resize(want); old != 2*limit-1 {
					t.Errorf("the old limit was %d", old)
				}
			}
			synctest.Wait()
			if n := admitted.Load(); n != int64(want) {
				t.Errorf("admitted %d, want %d", n, want)
			}
		}
	})
}

func TestLimitBelowOneIsAMistake(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	SetLimit(0)
}

func TestFreePlaceCostsNoAllocation(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if n := testing.AllocsPerRun(100, func() {
		if enter(ctx) == nil {
			leave()
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
