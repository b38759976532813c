package channel_test

import (
	"context"
	"testing"

	"trigo/channel"
)

func TestNothingIsAllocatedInSteadyState(t *testing.T) {
	ctx, cancel := context.WithCancel(background)
	defer cancel()
	t.Run("ready", func(t *testing.T) {
		s, r := channel.Open[int](4)
		pin(t, func() {
			s.Send(ctx, 1)
			s.SendNoWait(2)
			r.Receive(ctx)
			r.ReceiveNoWait()
			r.ReceiveNoWait() // nothing there
		})
	})
	t.Run("waiting", func(t *testing.T) {
		there, away := channel.Open[int](0)
		back, home := channel.Open[int](0)
		done := make(chan struct{})
		go func() {
			defer close(done)
			for {
				v, err := away.Receive(ctx)
				if err != nil || back.Send(ctx, v) != nil {
					return
				}
			}
		}()
		pin(t, func() {
			there.Send(ctx, 1)
			home.Receive(ctx)
		})
		there.Close(ctx)
		<-done
	})
	t.Run("broadcast", func(t *testing.T) {
		b := channel.OpenBroadcast[int](4, channel.DropOldest)
		r, _ := b.Subscribe()
		b.Subscribe() // it lags for ever
		pin(t, func() {
			b.Send(ctx, 1)
			r.Receive(ctx)
		})
	})
}

// pin checks that f allocates nothing once it has run for a while.
func pin(t *testing.T, f func()) {
	t.Helper()
	for range 100 {
		f()
	}
	if n := testing.AllocsPerRun(1000, f); n != 0 {
		t.Errorf("%v allocations a run", n)
	}
}
