package nursery

import (
	"cmp"
	"context"
	"errors"
	"sync"
)

// ErrNotStarted is returned by [Start] when the function returned nil without
// having called started.
var ErrNotStarted = errors.New("nursery: returned without calling started")

// Start runs f in a new goroutine and waits until f calls started; it returns
// the value given. From then on f is a child of n like one begun by
// [Nursery.Go]. It serves to start a server and know its port:
//
//	port, err := nursery.Start(ctx, n, func(ctx context.Context, started func(int)) error {
//		return serve(ctx, started)
//	})
//
// Until started, f belongs to the call of Start: its ctx is cancelled when ctx
// is or when the nursery is, its error (or [ErrNotStarted], if that is nil) is
// returned by Start and is none of the nursery's business, its panic is raised
// by Start. Start does not return before f has started or ended. If ctx is
// cancelled before started is called, started does nothing: f stays with Start
// to its end. Calling started twice panics.
//
// While Start waits, the nursery stays open. Start panics if it has ended.
//
// Trio: Nursery.start. In Go it takes a ctx of its own, as every call that
// waits does.
func Start[T any](ctx context.Context, n *Nursery, f func(ctx context.Context, started func(T)) error) (T, error) {
	var none T
	if ctx.Err() != nil {
		return none, CancelError(ctx)
	}
	n.begin("Start")
	s := &starting[T]{n: n, f: f}
	s.over.Add(1)
	child := n.ctx
	if ctx != n.ctx { // the usual ctx ends with the nursery in any case
		child, s.cancel = context.WithCancelCause(n.ctx)
		s.unlink = context.AfterFunc(ctx, func() { s.cancel(context.Cause(ctx)) })
	}
	go watched(child, s.run, s)()

	s.over.Wait()
	if s.state == handedOver {
		return s.value, nil
	}
	if s.unlink != nil {
		s.unlink()
	}
	s.how.raise()
	if ctx.Err() != nil && consistsOf(s.how.err, context.Canceled, context.Cause(ctx)) {
		// What f got from its own ctx says Canceled even where ours says
		// DeadlineExceeded.
		return none, CancelError(ctx)
	}
	return none, cmp.Or(s.how.err, CancelError(ctx), ErrNotStarted)
}

// starting is one call of Start, and the goroutine that comes of it.
type starting[T any] struct {
	n *Nursery
	f func(ctx context.Context, started func(T)) error

	// Both are nil if Start was called with the ctx of the nursery, which is
	// then that of f too.
	cancel context.CancelCauseFunc // cancels the ctx of f
	unlink func() bool             // lets it go from the ctx of Start

	over  sync.WaitGroup // done when state is no longer waiting
	mu    sync.Mutex
	state int
	value T
	how   outcome
}

// What became of the function given to Start.
const (
	waiting    = iota // it runs and has not called started
	handedOver        // it is a child of the nursery
	endedEarly        // it ended while it was still Start's
)

func (s *starting[T]) run(ctx context.Context) error { return s.f(ctx, s.started) }

func (s *starting[T]) started(v T) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.state == handedOver:
		panic("nursery: started called twice")
	case s.state == waiting && s.release(): // else ctx was first, and f stays with Start
		s.state, s.value = handedOver, v
		s.over.Done()
	}
}

// release lets f go from the ctx of Start, unless that has ended.
func (s *starting[T]) release() bool {
	if s.unlink == nil {
		return s.n.ctx.Err() == nil
	}
	return s.unlink()
}

// ended defers nothing: with what the cancel needs, a new goroutine's stack has
// just enough room for it, and growing one costs more than all the rest.
func (s *starting[T]) ended(o outcome) {
	s.mu.Lock()
	early := s.state != handedOver
	if early {
		s.state, s.how = endedEarly, o
		s.over.Done()
	}
	s.mu.Unlock()
	if !early {
		s.n.settle(o)
	}
	if s.cancel != nil {
		s.cancel(nil)
	}
	s.n.end()
}
