package main

import (
	"cmp"
	"context"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"

	"trigo"
	"trigo/nursery"
	"trigo/signals"
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
// signals.Stopped or errDrain.
func withSignals(ctx context.Context, s *stopper, f func(ctx context.Context, s *stopper) error) error {
	heeded := []os.Signal{syscall.SIGTERM}
	if !signal.Ignored(os.Interrupt) { // as it is for what a script runs in the background
		heeded = append(heeded, os.Interrupt)
	}
	arrived, err := signals.Open(heeded...)
	if err != nil {
		return err
	}
	defer trigo.CloseForcefully(arrived)

	s.drain = make(chan struct{})
	ctx, cut := context.WithCancelCause(ctx)
	defer cut(nil)
	var result error // kept from the nursery, which would make a plain cancellation of it
	err = nursery.Run(ctx, func(ctx context.Context, n *nursery.Nursery) error {
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
func (s *stopper) wait(ctx context.Context, arrived *signals.Receiver) error {
	sig, err := arrived.Receive(ctx)
	if err != nil {
		return nil
	}
	if !s.patient.Load() {
		return signals.Stopped{Signal: sig}
	}
	close(s.drain)
	if n := s.open.Load(); n > 0 {
		s.say("draining %d, up to %v; another signal cuts", n, s.limit)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, s.limit, errDrain)
	defer cancel()
	if sig, err = arrived.Receive(ctx); err == nil {
		return signals.Stopped{Signal: sig}
	}
	if context.Cause(ctx) == errDrain {
		return errDrain
	}
	return nil
}
