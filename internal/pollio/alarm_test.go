package pollio

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"
)

// waiting returns how many halves would be woken by done.
func waiting(done <-chan struct{}) (n int) {
	table := alarmsOf(done)
	table.mu.Lock()
	defer table.mu.Unlock()
	if a := table.of[done]; a != nil {
		n = len(a.halves)
	}
	return n
}

func TestDescriptorsUnderOneContextShareOneRegistration(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	w := watch(ctx)
	var readers []*FD
	var waits []func() error
	for range 5 {
		a, b := pair(t)
		for _, fd := range []*FD{a, b} {
			readers = append(readers, fd)
			waits = append(waits, async(t, func() error { _, err := fd.Read(w, make([]byte, 1)); return err }))
		}
	}
	for waiting(w.Done()) < len(readers) {
		runtime.Gosched()
	}
	if n := w.registered.Load(); n != 1 {
		t.Errorf("%d registrations for %d reads under one ctx, want 1", n, len(readers))
	}
	cancel()
	for i, wait := range waits {
		if err := wait(); !errors.Is(err, context.Canceled) {
			t.Errorf("read %d: %v", i, err)
		}
	}
	if waiting(w.Done()) != 0 {
		t.Error("an alarm that has rung is still in the table")
	}
	for i := 0; i < len(readers); i += 2 { // nothing is left of it
		a, b := readers[i], readers[i+1]
		wait := async(t, func() error { _, err := a.Read(bounded(t), make([]byte, 1)); return err })
		if _, err := b.Write(bounded(t), []byte("x")); err != nil {
			t.Fatal(err)
		}
		if err := wait(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestLastToLeaveDropsTheSharedRegistration(t *testing.T) {
	for _, order := range [][]int{{0, 1, 2}, {2, 1, 0}, {1, 0, 2}, {1, 2, 0}} {
		ctx, cancel := context.WithCancel(context.Background())
		w := watch(ctx)
		var writers []*FD
		var waits []func() error
		for range order {
			a, b := pair(t)
			writers = append(writers, b)
			waits = append(waits, async(t, func() error { _, err := a.Read(w, make([]byte, 1)); return err }))
		}
		for waiting(w.Done()) < len(order) {
			runtime.Gosched()
		}
		for k, i := range order {
			if s, n := w.stopped.Load(), waiting(w.Done()); s != 0 || n != len(order)-k {
				t.Errorf("order %v: %d of %d have left; %d wait, %d dropped", order, k, len(order), n, s)
			}
			if _, err := writers[i].Write(bounded(t), []byte("x")); err != nil {
				t.Fatal(err)
			}
			if err := waits[i](); err != nil {
				t.Fatal(err)
			}
		}
		if r, s := w.registered.Load(), w.stopped.Load(); r != 1 || s != 1 || waiting(w.Done()) != 0 {
			t.Errorf("order %v: %d registrations, %d dropped, want 1 and 1", order, r, s)
		}
		cancel()
	}
}

// TestLeavingRacesTheAlarm: some of those that wait under one ctx get their byte at
// about the moment that it is cancelled. None is lost, and none waits for ever.
func TestLeavingRacesTheAlarm(t *testing.T) {
	var ends [][2]*FD
	for range 8 {
		a, b := pair(t)
		ends = append(ends, [2]*FD{a, b})
	}
	for round := range 300 {
		ctx, cancel := context.WithCancel(context.Background())
		var all sync.WaitGroup
		for i, end := range ends {
			want := byte(round + i)
			all.Go(func() {
				buf := make([]byte, 1)
				n, err := end[0].Read(ctx, buf)
				if errors.Is(err, context.Canceled) && n == 0 {
					n, err = end[0].Read(bounded(t), buf)
				}
				if n != 1 || err != nil || buf[0] != want {
					t.Errorf("round %d, descriptor %d: %d, %v, byte %d, want %d", round, i, n, err, buf[0], want)
				}
			})
			all.Go(func() {
				if _, err := end[1].Write(context.Background(), []byte{want}); err != nil {
					t.Error(err)
				}
			})
			if i == round%len(ends) {
				all.Go(cancel)
			}
		}
		all.Wait()
		cancel()
		if waiting(ctx.Done()) != 0 {
			t.Fatalf("round %d: somebody still waits for a dead ctx", round)
		}
	}
}
