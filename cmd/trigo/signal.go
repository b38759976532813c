package main

import (
	"cmp"
	"context"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"

	"trigo/nursery"
)

// stopper tells the command how much of a hurry there is, and is told what is
// going on.
type stopper struct {
	limit time.Duration // from the first signal to the cut
	say   func(format string, args ...any)

	patient atomic.Bool   // somebody heeds drain; if not, the first signal cuts
	drain   chan struct{} // closed by the first signal
	open    atomic.Int64  // relays under way
}

// withSignals calls f with a ctx that ends when f is to be cut: the cause is a
// signalled or errDrain.
func withSignals(ctx context.Context, s *stopper, f func(ctx context.Context, s *stopper) error) error {
	// Room for two, so that no signal is lost that counts.
	arrived := make(chan os.Signal, 2)
	signal.Notify(arrived, syscall.SIGTERM)
	if !signal.Ignored(os.Interrupt) { // as it is for what a script runs in the background
		signal.Notify(arrived, os.Interrupt)
	}
	defer signal.Stop(arrived)

	s.drain = make(chan struct{})
	ctx, cut := context.WithCancelCause(ctx)
	defer cut(nil)
	var result error // kept from the nursery, which would make a plain cancellation of it
	err := nursery.Run(ctx, func(ctx context.Context, n *nursery.Nursery) error {
		over, end := context.WithCancel(ctx)
		defer end()
		n.Go(func(context.Context) error {
			cut(s.wait(over, arrived))
			return nil
		})
		result = f(ctx, s)
		return nil
	})
	return cmp.Or(result, err)
}

// wait returns the cause for the cut, nil if ctx ended first.
func (s *stopper) wait(ctx context.Context, arrived <-chan os.Signal) error {
	select {
	case <-ctx.Done():
		return nil
	case sig := <-arrived:
		if !s.patient.Load() {
			return signalled{sig}
		}
		close(s.drain)
	}
	if n := s.open.Load(); n > 0 {
		s.say("draining %d, up to %v; another signal cuts", n, s.limit)
	}
	limit := time.NewTimer(s.limit)
	defer limit.Stop()
	select {
	case <-ctx.Done():
		return nil
	case sig := <-arrived:
		return signalled{sig}
	case <-limit.C:
		return errDrain
	}
}
