package trigotest

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"trigo"
)

type key struct{}

func TestAHookSeesTheCtxOfTheCall(t *testing.T) {
	ctx, cancel := context.WithDeadline(context.WithValue(t.Context(), key{}, "v"), time.Now().Add(time.Hour))
	defer cancel()
	s := NewMemorySendStream()
	s.SendAllHook = func(hook context.Context) error {
		want, _ := ctx.Deadline()
		if got, ok := hook.Deadline(); !ok || !got.Equal(want) {
			t.Errorf("deadline %v, want %v", got, want)
		}
		if got := hook.Value(key{}); got != "v" {
			t.Errorf("value %v", got)
		}
		return hook.Err()
	}
	wantErr(t, "send", s.SendAll(ctx, []byte("x")), nil)
}

// Whatever of its ctx a hook looks at first, and however late.
func TestTheCtxOfAHookEndsWithTheStream(t *testing.T) {
	looks := map[string]func(ctx context.Context) error{
		"Err": context.Context.Err,
		"Done": func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		},
		"Cause": func(ctx context.Context) error {
			wantErr(t, "cause", context.Cause(ctx), trigo.ErrClosed)
			return ctx.Err()
		},
		"a child": func(ctx context.Context) error {
			child, cancel := context.WithCancel(ctx)
			defer cancel()
			<-child.Done()
			wantErr(t, "cause of a child", context.Cause(child), trigo.ErrClosed)
			return child.Err()
		},
	}
	for name, look := range looks {
		for _, early := range []bool{false, true} {
			s := NewMemorySendStream()
			s.SendAllHook = func(ctx context.Context) error {
				if early {
					wantErr(t, "ctx before Close", ctx.Err(), nil)
				}
				s.Close(t.Context())
				wantErr(t, name, look(ctx), context.Canceled)
				return nil
			}
			wantErr(t, "send", s.SendAll(t.Context(), []byte("x")), nil)
		}
	}
}

func TestTheCtxOfAHookEndsWithTheHook(t *testing.T) {
	for _, early := range []bool{false, true} {
		s := NewMemorySendStream()
		var kept context.Context
		s.SendAllHook = func(ctx context.Context) error {
			kept = ctx
			if early {
				return ctx.Err()
			}
			return nil
		}
		wantErr(t, "send", s.SendAll(t.Context(), []byte("x")), nil)
		wantErr(t, "ctx after the hook", kept.Err(), context.Canceled)
		s.SendAllHook = nil
		wantErr(t, "send", s.SendAll(t.Context(), []byte("x")), nil)
	}
}

func TestTheCtxOfAHookEndsWithTheCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := NewMemoryReceiveStream()
		r.ReceiveSomeHook = func(ctx context.Context) error {
			<-ctx.Done()
			wantErr(t, "cause", context.Cause(ctx), errDead)
			return ctx.Err()
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		done := background(func() error { _, err := r.ReceiveSome(ctx, make([]byte, 1)); return err })
		synctest.Wait()
		cancel(errDead)
		wantErr(t, "receive", <-done, errDead)
	})
}

// lookingContext does something each time somebody looks at it.
type lookingContext struct {
	context.Context
	look func()
}

func (l lookingContext) Done() <-chan struct{} {
	l.look()
	return l.Context.Done()
}

func (l lookingContext) Err() error {
	l.look()
	return l.Context.Err()
}

// ctxThat does f in each look at the ctx, and fails the test in place of waiting for
// ever if that is under the lock.
func ctxThat(t *testing.T, mu *sync.Mutex, f func()) context.Context {
	return lookingContext{t.Context(), func() {
		if !mu.TryLock() {
			t.Error("the ctx is looked at under the lock")
			return
		}
		mu.Unlock()
		f()
	}}
}

func TestACtxMayCloseTheStreamWhoseHookLooksAtIt(t *testing.T) {
	for _, early := range []bool{false, true} {
		s := NewMemorySendStream()
		shut := func() {}
		ctx := ctxThat(t, &s.life.mu, func() { shut() })
		s.SendAllHook = func(ctx context.Context) error {
			if early {
				wantErr(t, "ctx before Close", ctx.Err(), nil)
			}
			shut = func() { s.Close(t.Context()) }
			shut()
			<-ctx.Done()
			return ctx.Err()
		}
		wantErr(t, "send", s.SendAll(ctx, []byte("x")), trigo.ErrClosed)
	}
}

// Both buffers are handed to and fro: nothing may be in two places.
func TestAPumpMovesAPieceOrEverything(t *testing.T) {
	ctx := t.Context()
	s, r := NewMemorySendStream(), NewMemoryReceiveStream()
	move := func(max int, want bool) {
		t.Helper()
		if got, err := Pump(s, r, max); got != want || err != nil {
			t.Errorf("pump: %v, %v", got, err)
		}
	}
	s.SendAll(ctx, []byte("abc"))
	move(0, true) // into an empty queue
	s.SendAll(ctx, []byte("def"))
	move(0, true) // behind what is there
	wantReceived(t, r, 4, "abcd", nil)
	s.SendAll(ctx, []byte("ghi"))
	move(2, true)
	wantReceived(t, r, 10, "efgh", nil)
	move(2, true) // the rest, which is not all of the buffer
	s.SendAll(ctx, []byte("jk"))
	wantReceived(t, r, 10, "i", nil)
	move(0, true)
	s.SendAll(ctx, []byte("lm"))
	wantReceived(t, r, 1, "j", nil)
	move(0, true)
	move(0, false)
	wantReceived(t, r, 10, "klm", nil)
}

func TestAPairAllocatesNothing(t *testing.T) {
	ctx, p := t.Context(), make([]byte, 64)
	s, r := NewMemoryOneWayPair()
	sendAndReceive := func() {
		s.SendAll(ctx, p)
		r.ReceiveSome(ctx, p)
	}
	if n := testing.AllocsPerRun(1000, sendAndReceive); n > 0 {
		t.Errorf("%v allocations to send and receive, want none", n)
	}
	own := s.SendAllHook
	s.SendAllHook = func(ctx context.Context) error { return own(ctx) }
	if n := testing.AllocsPerRun(1000, sendAndReceive); n > 1 {
		t.Errorf("%v allocations with a hook of the user, want at most 1, for its ctx", n)
	}
}
