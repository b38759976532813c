package trigotest

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"trigo"
)

// ErrSequenceBroken is why a step of a [Sequencer] did not take place: one that
// waited for its turn was cancelled, so that the steps after it can never come.
var ErrSequenceBroken = errors.New("the sequence is broken")

// A Sequencer makes goroutines take turns: step 1 runs when step 0 has ended,
// whoever they belong to. The zero value is a sequence at its beginning.
//
//	var seq trigotest.Sequencer
//	go seq.Step(ctx, 1, func() error { fmt.Println("second"); return nil })
//	seq.Step(ctx, 0, func() error { fmt.Println("first"); return nil })
//
// Trio: trio.testing.Sequencer.
type Sequencer struct {
	mu     sync.Mutex
	used   map[int]bool
	ended  map[int]chan struct{} // closed when the step has ended, or the sequence is broken
	broken bool
}

// Step waits until step n-1 has ended, and calls f; the first step is 0. It
// returns what f returned. The step has ended when f has, even with an error or
// a panic.
//
// If ctx ends while the step waits for its turn, the whole sequence is broken:
// this step, all others that wait and all that come later return an error that
// Is [ErrSequenceBroken], this one also that of the cancel. A step that comes a
// second time is an error of its own, and breaks nothing.
func (s *Sequencer) Step(ctx context.Context, n int, f func() error) error {
	before, after, err := s.enter(n)
	if err != nil {
		return fmt.Errorf("step %d: %w", n, err)
	}
	select {
	case <-before:
	case <-ctx.Done():
		select {
		case <-before: // a turn that has come wins over a cancel
		default:
			s.breakUp()
			return fmt.Errorf("step %d: %w: %w", n, ErrSequenceBroken, trigo.CancelError(ctx))
		}
	}
	if s.isBroken() {
		return fmt.Errorf("step %d: %w", n, ErrSequenceBroken)
	}
	defer s.end(after)
	return f()
}

var errStepUsed = errors.New("the step was already taken")

// enter takes a step and returns the ends of the one before it and of its own.
func (s *Sequencer) enter(n int) (before, after chan struct{}, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case n < 0:
		return nil, nil, errors.New("the first step is 0")
	case s.broken:
		return nil, nil, ErrSequenceBroken
	case s.used[n]:
		return nil, nil, errStepUsed
	}
	if s.used == nil {
		s.used, s.ended = make(map[int]bool), make(map[int]chan struct{})
	}
	s.used[n] = true
	before = s.endOf(n - 1)
	if n == 0 {
		close(before)
	}
	return before, s.endOf(n), nil
}

func (s *Sequencer) endOf(n int) chan struct{} {
	if s.ended[n] == nil {
		s.ended[n] = make(chan struct{})
	}
	return s.ended[n]
}

func (s *Sequencer) end(step chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.broken { // else it is closed already
		close(step)
	}
}

func (s *Sequencer) isBroken() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.broken
}

// breakUp wakes everybody.
func (s *Sequencer) breakUp() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken {
		return
	}
	s.broken = true
	for _, step := range s.ended {
		select {
		case <-step:
		default:
			close(step)
		}
	}
}
