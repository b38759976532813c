package trigotest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// The cancel sweep: what a cancel does at every moment at which it can come.
//
// # The problem
//
// A cancel test cancels where its author thought of it. The mistakes are where
// nobody did: between the two writes of a record, after the last byte was
// received and before it was handed over, in a goodbye. Chance finds them
// rarely, and not again.
//
// # The rule
//
// A scenario is run once to count its points, and then once for each point k,
// with its ctx cancelled at the k-th. Points are
//
//   - each look at the scenario's ctx, by whomever: Err before an operation,
//     Done before a wait;
//   - for each call of a wrapped stream ([Sweep.Wrap]): before it, in the
//     middle of a send, while it waits, and after it has succeeded, when whoever
//     called does not know yet.
//
// Wrap the innermost transport, and everything that the layers above it do is
// cut at each of its steps.
//
// While it waits means: the goroutine is parked. In a bubble a timer that is due
// at once tells, because virtual time passes only when everybody waits.
// Outside one, the scheduler's states are looked at, as in the rest of the kit.
//
// # What was rejected
//
// To cancel after a random time: it is the method that this one replaces. To
// explore the interleavings of goroutines as well: that needs a scheduler of
// one's own, and the race detector with many runs finds most of it.

// SweepOptions say how [SweepCancel] goes about it. Nil is the same as the zero
// value.
type SweepOptions struct {
	// Bubble makes each run in a bubble of [testing/synctest]; see
	// [CheckOptions].
	Bubble bool

	// Patience is how long anything may take that ought to happen at once. If
	// zero, 10 s.
	Patience time.Duration

	// Limit is how many points are swept. If the scenario has more, they are
	// chosen evenly. If zero, 400; with TRIGO_SOAK in the environment, all.
	Limit int
}

// SweepCancel runs scenario once to count its points, and then once for each of
// them, with ctx cancelled there. In each run
//
//   - the scenario must return, with nil (it had succeeded, or did not need
//     what was cancelled) or with an error that is a cancellation of ctx and
//     nothing else; without a cancel, with nil;
//   - what it promised through the [Sweep] must hold: bytes neither lost nor
//     doubled, streams still usable, or closed;
//   - no goroutine and no descriptor may be left once everything that the Sweep
//     knows is closed.
//
// It must not run in parallel with other tests, and not in a bubble; see
// SweepOptions for that. A test that does TLS over a wrapped transport:
//
//	trigotest.SweepCancel(t, func(ctx context.Context, s *trigotest.Sweep) error {
//		x, y := trigotest.NewLockstepPair()
//		a, b := s.Usable(client(s.Wrap(x)), server(s.Wrap(y)))
//		s.Peer(func(ctx context.Context) error { return echo(ctx, b) })
//		return ping(ctx, a)
//	}, &trigotest.SweepOptions{Bubble: true})
//
// Nothing in Trio's kit is like it.
func SweepCancel(t *testing.T, scenario func(ctx context.Context, s *Sweep) error, opts *SweepOptions) {
	t.Helper()
	sweepCancel(t, func(f func()) {
		if opts == nil || !opts.Bubble {
			f()
			return
		}
		synctest.Test(t, func(*testing.T) { f() })
	}, scenario, opts)
}

// maxBadPoints is how many failures are enough.
const maxBadPoints = 3

// sweepCancel is SweepCancel for the kit's own tests: inside makes a run in its
// bubble, or outside of any.
func sweepCancel(t sweepReporter, inside func(f func()), scenario func(context.Context, *Sweep) error, opts *SweepOptions) {
	t.Helper()
	var o SweepOptions
	if opts != nil {
		o = *opts
	}
	o.Patience = cmp.Or(o.Patience, 10*time.Second)

	run := func(target int) (r *sweepRun) {
		inside(func() { r = runSweep(scenario, target, &o) })
		return r
	}
	first := run(noTarget)
	if len(first.problems) > 0 {
		t.Errorf("without a cancel: %s", strings.Join(first.problems, "\n\t"))
		return
	}
	if first.points == 0 {
		t.Errorf("the scenario has no points: nobody looked at its ctx, and no stream is wrapped")
		return
	}
	bad, fired := 0, 0
	targets := o.targets(first.points)
	for _, k := range targets {
		r := run(k)
		if r.fired != "" {
			fired++
		}
		if len(r.problems) == 0 {
			continue
		}
		t.Errorf("%s: %s", r.describe(k, first.points), strings.Join(r.problems, "\n\t"))
		if bad++; bad == maxBadPoints {
			t.Errorf("after %d bad points the sweep goes no further", bad)
			return
		}
	}
	if fired == 0 {
		t.Errorf("none of %d points was reached again: every run goes another way", first.points)
	}
	t.Logf("%d points, %d swept, cancelled at %d", first.points, len(targets), fired)
}

// targets are the points to be swept of n.
func (o *SweepOptions) targets(n int) []int {
	limit := o.Limit
	switch {
	case limit == 0 && os.Getenv("TRIGO_SOAK") != "":
		limit = n
	case limit == 0:
		limit = 400
	}
	limit = min(limit, n)
	all := make([]int, limit)
	for i := range all {
		all[i] = i * n / limit
	}
	return all
}

// sweepReporter is the part of *testing.T that a sweep reports through.
type sweepReporter interface {
	Helper()
	Errorf(format string, args ...any)
	Logf(format string, args ...any)
}

// sweepRun is what one run has shown.
type sweepRun struct {
	points   int
	fired    string // where it was cancelled; "" if the point was not reached
	problems []string
}

func (r *sweepRun) describe(k, points int) string {
	if r.fired == "" {
		return fmt.Sprintf("point %d of %d was not reached this time, and without a cancel", k+1, points)
	}
	return fmt.Sprintf("cancelled at point %d of %d, %s", k+1, points, r.fired)
}

// errSwept is the cause of a sweep's cancels.
var errSwept = errors.New("cancelled by the sweep")

var errRunOver = errors.New("the run is over")

// runSweep makes one run, with the cancel at the point target.
func runSweep(scenario func(context.Context, *Sweep) error, target int, opts *SweepOptions) *sweepRun {
	before := takeInventory()
	swept, cancel := context.WithCancelCause(context.Background())
	beside, endPeers := context.WithCancelCause(context.Background())
	after, end := context.WithCancelCause(context.Background())
	points := &points{target: target, bubble: opts.Bubble, cancel: func() { cancel(errSwept) }}
	s := &Sweep{points: points, patience: opts.Patience, startPeer: func(f func(context.Context) error) *call {
		return startCall("a peer", func(*call) error { return f(beside) })
	}}

	main := startCall("the scenario", func(*call) error { return scenario(observed{swept, points}, s) })
	returned := s.await(main)
	points.stop()
	endPeers(errRunOver)
	if returned {
		s.judge(swept, main.err)
		if s.awaitPeers() {
			s.keepPromises(after)
		}
	}
	cancel(errRunOver)
	end(errRunOver)
	s.cleanUp(after, main)
	if len(s.problems) == 0 {
		for _, left := range before.leftovers(min(opts.Patience, leakPatience)) {
			s.problem("everything is closed, and left is %s", left)
		}
	}
	return &sweepRun{points: points.passed, fired: points.fired, problems: s.problems}
}
