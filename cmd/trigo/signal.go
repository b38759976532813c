package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"

	"trigo"
	"trigo/nursery"
	"trigo/signals"
)

// stopper tells the command how much of a hurry there is.
type stopper struct {
	limit time.Duration // from the first signal to the cut; 0: none
	job   *job

	patient atomic.Bool   // somebody heeds drain; if not, the first signal cuts
	drain   chan struct{} // closed by the first signal
	asked   chan struct{} // somebody asks for a drain in another way
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
	listens := s.job.sides[0].Listens() || s.job.sides[1].Listens()
	orders, err := openOrders(listens)
	if err != nil {
		return err
	}
	if orders != nil {
		defer trigo.CloseForcefully(orders)
	}

	s.drain, s.asked = make(chan struct{}), make(chan struct{}, 1)
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
		n.Go(func(context.Context) error {
			if orders == nil {
				return nil
			}
			for sig, err := range orders.All(over) {
				if err != nil {
					return nil
				}
				s.job.obey(over, sig)
			}
			return nil
		})
		result = f(ctx, s)
		return nil
	})
	return cmp.Or(result, err)
}

// wait returns the cause for the cut, nil if ctx ended first.
func (s *stopper) wait(ctx context.Context, arrived *signals.Receiver) error {
	sig, err := s.first(ctx, arrived)
	if err != nil {
		return nil
	}
	if sig != nil && !s.patient.Load() {
		return signals.Stopped{Signal: sig}
	}
	close(s.drain)
	if n := s.job.conns.len(); n > 0 {
		limit := "without limit"
		if s.limit > 0 {
			limit = "up to " + s.limit.String()
		}
		s.job.out.notice(fmt.Sprintf("draining %d, %s; another signal cuts", n, limit))
	}
	if s.limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, s.limit, errDrain)
		defer cancel()
	}
	if sig, err = arrived.Receive(ctx); err == nil {
		return signals.Stopped{Signal: sig}
	}
	if context.Cause(ctx) == errDrain {
		return errDrain
	}
	return nil
}

// first waits for the first signal, or for a drain that is asked for otherwise:
// then the signal is nil.
func (s *stopper) first(ctx context.Context, arrived *signals.Receiver) (sig os.Signal, err error) {
	err = nursery.Run(ctx, func(ctx context.Context, n *nursery.Nursery) (err error) {
		n.Go(func(ctx context.Context) error {
			select {
			case <-s.asked:
				n.Cancel(nil)
			case <-ctx.Done():
			}
			return nil
		})
		defer n.Cancel(nil)
		sig, err = arrived.Receive(ctx)
		return err
	})
	return sig, err
}

// askToDrain starts the drain as the first signal does.
func (s *stopper) askToDrain() {
	select {
	case s.asked <- struct{}{}:
	default:
	}
}

// reload reads certificates and lists again. Connections go on.
func (j *job) reload(ctx context.Context) {
	for side, r := range j.recipes {
		if err := r.Reload(ctx); err != nil {
			f := opening(side, err)
			j.out.fail("reload: ", f)
			return
		}
	}
	for name, list := range map[string]*networks{"--allow": &j.allow, "--deny": &j.deny} {
		if err := list.load(); err != nil {
			j.out.fail("reload: "+name+": ", &failure{code: exitUsage, err: err})
			return
		}
	}
	j.out.notice("reloaded")
}

// list tells of each relay under way.
func (j *job) list() {
	open := j.conns.list()
	t := j.conns.totals()
	j.out.notice(fmt.Sprintf("%d open, %d ended, %d failed, sent=%s recv=%s", len(open), t.relays, t.failed, tight(t.aToB), tight(t.bToA)))
	for _, c := range open {
		j.out.notice(c.line())
	}
}
