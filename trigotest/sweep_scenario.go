package trigotest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"trigo"
)

// A Sweep is one run of a scenario of [SweepCancel]. Through it a scenario says
// where its points are and what it promises. Its methods are for the time of
// the scenario and may be called from any goroutine of it.
type Sweep struct {
	points    *points
	patience  time.Duration
	startPeer func(f func(context.Context) error) *call

	mu         sync.Mutex
	peers      []*call
	resources  []trigo.Resource
	directions []*direction
	closed     []trigo.Resource
	checks     []func(context.Context) error
	problems   []string
}

// Call makes f, an operation that may wait, a step of the scenario: there is a
// point before it, one while it waits, and one after it. It returns what f
// returned. [Sweep.Wrap] does it for each call of a stream.
func (s *Sweep) Call(what string, f func() error) error { return s.points.around(what, f) }

// Peer runs f beside the scenario, with a ctx that the sweep leaves alone until
// the scenario has returned. Then it ends, and f must return. What f returns is
// nobody's business.
func (s *Sweep) Peer(f func(ctx context.Context) error) {
	peer := s.startPeer(f)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.peers = append(s.peers, peer)
}

// Close has r closed, forcefully, when the run is over. The sweep does that by
// itself with all streams that went through one of its methods.
func (s *Sweep) Close(r trigo.Resource) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.resources = append(s.resources, r)
}

// Closed promises that the streams are closed when the scenario returns:
// whoever uses them gets [trigo.ErrClosed]. Each is a [trigo.SendStream], a
// [trigo.ReceiveStream], or both.
func (s *Sweep) Closed(streams ...trigo.Resource) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = append(s.closed, streams...)
	s.resources = append(s.resources, streams...)
}

// Check has f called when the scenario has returned, cancelled or not, with a
// ctx that is alive. Its error fails the run. Checks come before the sweep's
// own use of the streams that were promised to be usable.
func (s *Sweep) Check(f func(ctx context.Context) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.checks = append(s.checks, f)
}

func (s *Sweep) problem(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.problems = append(s.problems, fmt.Sprintf(format, args...))
}

// await waits for c, within the patience.
func (s *Sweep) await(c *call) bool {
	timer := time.NewTimer(s.patience)
	defer timer.Stop()
	select {
	case <-c.done:
		return true
	case <-timer.C:
		s.problem("%s is still waiting after %v", c.what, s.patience)
		return false
	}
}

// awaitPeers waits for the peers, whose ctx has ended.
func (s *Sweep) awaitPeers() bool {
	s.mu.Lock()
	peers := slices.Clone(s.peers)
	s.mu.Unlock()
	all := true
	for _, p := range peers {
		all = s.await(p) && all
	}
	return all
}

// judge looks at what the scenario returned.
func (s *Sweep) judge(ctx context.Context, err error) {
	switch {
	case err == nil:
	case ctx.Err() == nil:
		s.problem("the scenario failed: %v", err)
	case !isCancellation(ctx, err):
		s.problem("the scenario failed with more than a cancellation: %v", err)
	case !errors.Is(err, errSwept):
		s.problem("the error of the scenario lost the cause of the cancel: %v", err)
	}
}

// keepPromises checks what the scenario has promised.
func (s *Sweep) keepPromises(ctx context.Context) {
	s.mu.Lock()
	checks, closed, directions := slices.Clone(s.checks), slices.Clone(s.closed), slices.Clone(s.directions)
	s.mu.Unlock()
	for _, check := range checks {
		c := startCall("a check of the scenario", func(*call) error { return check(ctx) })
		if s.await(c) && c.err != nil {
			s.problem("check: %v", c.err)
		}
	}
	for _, r := range closed {
		s.mustBeClosed(ctx, r)
	}
	for _, d := range directions {
		d.settleAccounts(ctx, s)
	}
}

func (s *Sweep) mustBeClosed(ctx context.Context, r trigo.Resource) {
	probe := func(what string, f func() error) {
		c := startCall(what+" of a stream that was promised to be closed", func(*call) error { return f() })
		if s.await(c) && !errors.Is(c.err, trigo.ErrClosed) {
			s.problem("%s: got %v, want %v", c.what, c.err, trigo.ErrClosed)
		}
	}
	sends, canSend := r.(trigo.SendStream)
	receives, canReceive := r.(trigo.ReceiveStream)
	if canSend {
		probe("SendAll", func() error { return sends.SendAll(ctx, []byte("x")) })
	}
	if canReceive {
		probe("ReceiveSome", func() error { _, err := receives.ReceiveSome(ctx, make([]byte, 1)); return err })
	}
	if !canSend && !canReceive {
		s.problem("a %T is no stream: whether it is closed is for a Check to find out", r)
	}
}

// cleanUp closes everything, with a ctx that is dead, and waits for everybody.
func (s *Sweep) cleanUp(ctx context.Context, main *call) {
	s.mu.Lock()
	resources, calls := slices.Clone(s.resources), append(slices.Clone(s.peers), main)
	s.mu.Unlock()
	for _, r := range resources {
		// What it returns is no news: the stream may be broken by now.
		calls = append(calls, startCall("a Close with a dead ctx", func(*call) error { return r.Close(ctx) }))
	}
	for _, c := range calls {
		s.await(c)
	}
}
