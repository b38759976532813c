package pollio

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"
)

func TestDeadContextDoesNothing(t *testing.T) {
	a, b := pair(t)
	if _, err := b.Write(context.Background(), []byte("x")); err != nil {
		t.Fatal(err)
	}
	cause := errors.New("the cause")
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(cause)
	buf := make([]byte, 1)
	for name, call := range map[string]func() error{
		"Read":      func() error { _, err := a.Read(ctx, buf); return err },
		"Write":     func() error { _, err := a.Write(ctx, buf); return err },
		"WaitRead":  func() error { return a.WaitRead(ctx) },
		"WaitWrite": func() error { return a.WaitWrite(ctx) },
		"HoldWrite": func() error { return a.HoldWrite(ctx, func() error { t.Error("called"); return nil }) },
	} {
		if err := call(); !errors.Is(err, context.Canceled) || !errors.Is(err, cause) {
			t.Errorf("%s: got %v, want context.Canceled with its cause", name, err)
		}
	}
	// The byte is still there.
	if n, err := a.Read(bounded(t), buf); n != 1 || err != nil || buf[0] != 'x' {
		t.Fatalf("got %d, %v", n, err)
	}
}

func TestReadyCallRegistersNothing(t *testing.T) {
	a, b := pair(t)
	if _, err := b.Write(bounded(t), []byte("xyz")); err != nil {
		t.Fatal(err)
	}
	if err := a.WaitRead(bounded(t)); err != nil {
		t.Fatal(err)
	}
	w := watch(bounded(t))
	buf := make([]byte, 1)
	for range 3 {
		if _, err := a.Read(w, buf); err != nil {
			t.Fatal(err)
		}
	}
	if n := w.registered.Load(); n != 0 {
		t.Errorf("%d registrations for calls that need not wait", n)
	}
}

func TestOneRegistrationServesAllCallsUnderOneContext(t *testing.T) {
	a, b := pair(t)
	w := watch(bounded(t))
	const rounds = 20
	for i := range rounds {
		wait := async(t, func() error { _, err := a.Read(w, make([]byte, 1)); return err })
		if i == 0 {
			untilParked(t, &w.registered)
		} else {
			for !a.r.parkedForTest() {
				runtime.Gosched()
			}
		}
		if _, err := b.Write(bounded(t), []byte("x")); err != nil {
			t.Fatal(err)
		}
		if err := wait(); err != nil {
			t.Fatal(err)
		}
	}
	// The first call cannot know that the ctx will come back, the second can.
	if n := w.registered.Load(); n > 2 {
		t.Errorf("%d registrations in %d calls under one ctx, want at most 2", n, rounds)
	}
	a.Close()
	if r, s := w.registered.Load(), w.stopped.Load(); r != s {
		t.Errorf("%d registrations, %d dropped after Close", r, s)
	}
}

func TestContextThatChangesIsDroppedAfterEachCall(t *testing.T) {
	a, b := pair(t)
	for range 20 {
		ctx, cancel := context.WithCancel(context.Background())
		w := watch(ctx)
		wait := async(t, func() error { _, err := a.Read(w, make([]byte, 1)); return err })
		untilParked(t, &w.registered)
		if _, err := b.Write(bounded(t), []byte("x")); err != nil {
			t.Fatal(err)
		}
		if err := wait(); err != nil {
			t.Fatal(err)
		}
		if r, s := w.registered.Load(), w.stopped.Load(); r != 1 || s != 1 {
			t.Fatalf("%d registrations, %d dropped, want 1 and 1", r, s)
		}
		cancel()
	}
}

func TestDerivedContextsShareOneRegistration(t *testing.T) {
	a, b := pair(t)
	base, cancel := context.WithCancel(context.Background())
	defer cancel()
	w := watch(base)
	for i := range 10 {
		type key struct{}
		derived := &watched{context.WithValue(base, key{}, i), w.counts} // another context, the same Done channel
		n := w.registered.Load()
		wait := async(t, func() error { _, err := a.Read(derived, make([]byte, 1)); return err })
		if i < 2 {
			for w.registered.Load() == n {
				runtime.Gosched()
			}
		}
		if _, err := b.Write(bounded(t), []byte("x")); err != nil {
			t.Fatal(err)
		}
		if err := wait(); err != nil {
			t.Fatal(err)
		}
	}
	if n := w.registered.Load(); n > 2 {
		t.Errorf("%d registrations for contexts with one Done channel, want at most 2", n)
	}
}

// uncomparable is a context whose dynamic type makes == panic.
type uncomparable struct {
	context.Context
	_ []int
}

func TestUncomparableContext(t *testing.T) {
	a, b := pair(t)
	base, cancel := context.WithCancel(context.Background())
	ctx := uncomparable{Context: base}
	for range 3 {
		wait := async(t, func() error { _, err := a.Read(ctx, make([]byte, 1)); return err })
		if _, err := b.Write(ctx, []byte("x")); err != nil {
			t.Fatal(err)
		}
		if err := wait(); err != nil {
			t.Fatal(err)
		}
	}
	wait := async(t, func() error { _, err := a.Read(ctx, make([]byte, 1)); return err })
	cancel()
	if err := wait(); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
}

func TestCancelWhileWaiting(t *testing.T) {
	for _, kept := range []bool{false, true} { // registration made by this call, or kept from one before
		a, b := pair(t)
		ctx, cancel := context.WithCancel(context.Background())
		w := watch(ctx)
		read := func() error { _, err := a.Read(w, make([]byte, 1)); return err }
		if kept {
			for i := range 2 {
				wait := async(t, read)
				for w.registered.Load() <= int32(i) {
					runtime.Gosched()
				}
				b.Write(bounded(t), []byte("x"))
				if err := wait(); err != nil {
					t.Fatal(err)
				}
			}
		}
		wait := async(t, read)
		for !a.r.parkedForTest() || w.registered.Load() == 0 {
			runtime.Gosched()
		}
		cancel()
		if err := wait(); !errors.Is(err, context.Canceled) {
			t.Fatalf("kept %v: got %v", kept, err)
		}
		// The descriptor is as it was: a waiting read works.
		again := async(t, func() error { _, err := a.Read(bounded(t), make([]byte, 1)); return err })
		b.Write(bounded(t), []byte("x"))
		if err := again(); err != nil {
			t.Fatalf("kept %v: read after a cancelled one: %v", kept, err)
		}
	}
}

// TestLateCallback: the ctx of the call before is cancelled when that call has
// long succeeded; its callback must not disturb the next call.
func TestLateCallback(t *testing.T) {
	a, b := pair(t)
	buf := make([]byte, 1)
	long, cancelLong := context.WithCancel(context.Background())
	read := func(ctx context.Context) error { _, err := a.Read(ctx, buf); return err }
	for range 2 { // twice, so that the registration is kept
		w := watch(long)
		wait := async(t, func() error { return read(w) })
		untilParked(t, &w.registered)
		b.Write(bounded(t), []byte("x"))
		if err := wait(); err != nil {
			t.Fatal(err)
		}
	}
	if a.r.alarm.Load() == nil {
		t.Fatal("the registration was not kept; the test tests nothing")
	}
	cancelLong() // the callback runs now, or soon, on its own goroutine
	for range 100 {
		wait := async(t, func() error { return read(bounded(t)) })
		b.Write(bounded(t), []byte("x"))
		if err := wait(); err != nil {
			t.Fatalf("poisoned by a late callback: %v", err)
		}
	}
}

// TestCancelRacesSuccess cancels at about the moment that data arrives. A byte
// is either returned or still there, and nobody is disturbed afterwards.
func TestCancelRacesSuccess(t *testing.T) {
	a, b := pair(t)
	buf := make([]byte, 1)
	var got, cancelled int
	for i := range 2000 {
		ctx, cancel := context.WithCancel(context.Background())
		start := make(chan struct{})
		var wg sync.WaitGroup
		wg.Go(func() { <-start; cancel() })
		wg.Go(func() {
			<-start
			if _, err := b.Write(context.Background(), []byte{byte(i)}); err != nil {
				t.Error(err)
			}
		})
		close(start)
		n, err := a.Read(ctx, buf)
		switch {
		case err == nil && n == 1:
			got++
		case errors.Is(err, context.Canceled) && n == 0:
			cancelled++
			if n, err = a.Read(bounded(t), buf); err != nil || n != 1 {
				t.Fatalf("round %d: after the cancel: %d, %v", i, n, err)
			}
		default:
			t.Fatalf("round %d: %d, %v", i, n, err)
		}
		if buf[0] != byte(i) {
			t.Fatalf("round %d: got byte %d: one was lost or doubled", i, buf[0])
		}
		wg.Wait()
		cancel()
	}
	t.Logf("%d rounds returned data, %d were cancelled", got, cancelled)
}
