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

	child, cancel := context.WithCancelCause(n.ctx)
	unlink := context.AfterFunc(ctx, func() { cancel(context.Cause(ctx)) })

	var (
		mu    sync.Mutex
		state = waiting
		value T
		how   outcome
		over  = make(chan struct{}) // closed when state is no longer waiting
	)
	started := func(v T) {
		mu.Lock()
		defer mu.Unlock()
		switch {
		case state == handedOver:
			panic("nursery: started called twice")
		case state == waiting && unlink(): // else ctx was first, and f stays with Start
			state, value = handedOver, v
			close(over)
		}
	}
	ended := func(o outcome) {
		defer n.end()
		defer cancel(nil)
		mu.Lock()
		defer mu.Unlock()
		if state == handedOver {
			n.settle(o)
			return
		}
		state, how = endedEarly, o
		close(over)
	}
	go watch(func() error { return f(child, started) }, ended)

	<-over
	if state == handedOver {
		return value, nil
	}
	unlink()
	how.raise()
	if ctx.Err() != nil && consistsOf(how.err, context.Canceled, context.Cause(ctx)) {
		// What f got from its own ctx says Canceled even where ours says
		// DeadlineExceeded.
		return none, CancelError(ctx)
	}
	return none, cmp.Or(how.err, CancelError(ctx), ErrNotStarted)
}

// What became of the function given to Start.
const (
	waiting    = iota // it runs and has not called started
	handedOver        // it is a child of the nursery
	endedEarly        // it ended while it was still Start's
)
