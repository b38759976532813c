package trigotest

import (
	"context"
	"time"

	"trigo"
)

// call is one call under way, in a goroutine of its own.
type call struct {
	what   string
	began  chan struct{}
	id     string // of its goroutine; once begun
	done   chan struct{}
	data   []byte       // what a receive got; once done
	stream trigo.Stream // what a dial or an accept got; once done
	err    error        // once done
}

// startCall calls f in a new goroutine.
func startCall(what string, f func(c *call) error) *call {
	c := &call{what: what, began: make(chan struct{}), done: make(chan struct{})}
	go func() {
		defer close(c.done)
		c.id = ownID()
		close(c.began)
		c.err = f(c)
	}()
	return c
}

// returned reports whether the call is over.
func (c *call) returned() bool {
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

// waits reports whether the goroutine of the call is parked, in the states that
// were found.
func (c *call) waits(states map[string]goroutine) bool {
	select {
	case <-c.began:
		return states[c.id].parked()
	default:
		return false
	}
}

// settle waits until each of the calls has returned or waits for something.
// Whether it waits is for the scheduler to know: the states of the goroutines
// are looked at until they say so twice in a row, for a moment at most. It is
// not a proof, but being wrong only makes a check less strict.
func settle(ctx context.Context, calls ...*call) {
	const tries, enough = 200, 2
	for try, quiet := 0, 0; try < tries && quiet < enough; try++ {
		if all(calls, (*call).returned) {
			return
		}
		pause(ctx, calls[0].done)
		states := goroutinesByID()
		if all(calls, func(c *call) bool { return c.returned() || c.waits(states) }) {
			quiet++
		} else {
			quiet = 0
		}
	}
}

func all(calls []*call, f func(*call) bool) bool {
	for _, c := range calls {
		if !f(c) {
			return false
		}
	}
	return true
}

// pause waits for a moment in which others may work. It may be cut short.
func pause(ctx context.Context, enough <-chan struct{}) {
	timer := time.NewTimer(time.Millisecond)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-enough:
	case <-ctx.Done():
	}
}
