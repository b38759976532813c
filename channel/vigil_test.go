package channel_test

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"trigo/channel"
)

// manyWaits is enough of them for a ctx to be registered.
const manyWaits = 100

// useTo has receives wait under ctx, often.
func useTo[T any](ctx context.Context, t *testing.T, s *channel.Sender[T], r *channel.Receiver[T]) {
	t.Helper()
	for range manyWaits {
		c := receiving(ctx, r)
		waitFor(r, 1)
		var v T
		if err := s.SendNoWait(v); err != nil {
			t.Fatalf("send: %v", err)
		}
		if <-c.done; c.err != nil {
			t.Fatalf("receive: %v", c.err)
		}
	}
}

// waitFor waits until n receives wait.
func waitFor[T any](r *channel.Receiver[T], n int) {
	for r.Statistics().WaitingToReceive != n {
		runtime.Gosched()
	}
}

func TestACancelWakesAllThatWaitUnderACtxUsedOften(t *testing.T) {
	for range 20 {
		ctx, cancel := context.WithCancelCause(background)
		s, r := channel.Open[int](0)
		useTo(ctx, t, s, r)
		other := receiving(background, r) // first in the line, and not concerned
		waitFor(r, 1)
		var calls []*call[int]
		for range 10 {
			calls = append(calls, receiving(ctx, r))
		}
		waitFor(r, 11)
		cancel(errReason)
		for _, c := range calls {
			if <-c.done; !errors.Is(c.err, errReason) {
				t.Errorf("receive: %v", c.err)
			}
		}
		if n := r.Statistics().WaitingToReceive; n != 1 {
			t.Errorf("%d wait, want the other one", n)
		}
		if err := s.Send(background, 7); err != nil {
			t.Error(err)
		}
		if <-other.done; other.v != 7 || other.err != nil {
			t.Errorf("the other received %v, %v", other.v, other.err)
		}
		s.Close(ctx)
		r.Close(ctx)
	}
}

// late is a ctx that shows its end only to the second look.
type late struct {
	context.Context
	hides atomic.Bool
}

func (l *late) Err() error {
	if l.hides.Swap(false) {
		return nil
	}
	return l.Context.Err()
}

func TestACtxThatEndsJustBeforeTheWaitEndsIt(t *testing.T) {
	inner, cancel := context.WithCancelCause(background)
	ctx := &late{Context: inner}
	s, r := channel.Open[int](0)
	defer s.Close(background)
	useTo(ctx, t, s, r)
	first := receiving(ctx, r)
	waitFor(r, 1)
	cancel(errReason)
	<-first.done // so whoever had to be woken was
	ctx.hides.Store(true)
	if _, err := r.Receive(ctx); !errors.Is(err, errReason) {
		t.Errorf("receive: %v", err)
	}
}

func TestNothingIsLostOrDoubledWhenACtxUsedOftenEnds(t *testing.T) {
	s, r := channel.Open[int](2)
	var wg sync.WaitGroup
	var sent, received atomic.Int64
	for range 4 {
		wg.Go(func() {
			for range 50 {
				ctx, cancel := context.WithCancel(background)
				time.AfterFunc(200*time.Microsecond, cancel)
				var both sync.WaitGroup
				both.Go(func() {
					for s.Send(ctx, 1) == nil {
						sent.Add(1)
					}
				})
				for {
					if _, err := r.Receive(ctx); err != nil {
						break
					}
					received.Add(1)
				}
				both.Wait()
			}
		})
	}
	wg.Wait()
	st := r.Statistics()
	if sent.Load() != received.Load()+int64(st.Buffered) || st.WaitingToReceive+st.WaitingToSend+st.Lost != 0 {
		t.Errorf("sent %d, received %d, %+v", sent.Load(), received.Load(), st)
	}
}

func TestAForgottenChannelIsNotKeptByACtx(t *testing.T) {
	ctx, cancel := context.WithCancel(background)
	defer cancel()
	gone := make(chan struct{})
	func() {
		s, r := channel.Open[*[64]byte](1)
		useTo(ctx, t, s, r)
		value := new([64]byte)
		runtime.AddCleanup(value, func(gone chan struct{}) { close(gone) }, gone)
		s.SendNoWait(value)
	}()
	for {
		runtime.GC()
		select {
		case <-gone:
			return
		case <-time.After(time.Millisecond):
		}
	}
}

// A ctx of the world outside may be cancelled there while a bubble waits.
func TestACtxFromOutsideABubbleCanBeCancelledThere(t *testing.T) {
	ctx, cancel := context.WithCancelCause(background)
	ctx.Done() // made here, and not by the first look in the bubble
	waits := make(chan struct{})
	go func() {
		<-waits
		cancel(errReason)
	}()
	synctest.Test(t, func(t *testing.T) {
		s, r := channel.Open[int](0)
		useTo(ctx, t, s, r)
		c := receiving(ctx, r)
		waitFor(r, 1)
		close(waits)
		if <-c.done; !errors.Is(c.err, errReason) {
			t.Errorf("receive: %v", c.err)
		}
		s.Close(ctx)
	})
}
