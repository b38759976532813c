package netconn

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync/atomic"
	"time"

	"trigo"
)

// A guard lends a ctx to calls that know only deadlines, one call at a time: a
// cancel sets a deadline in the past. The callback that does so is joined before
// the deadline is cleared, so that it never hits a later call.
//
// Unlike internal/pollio it cannot try first and register only when the call
// has to wait, because a Read of a net.Conn does both. So a ctx that can be
// cancelled costs a registration for each call.
type guard struct {
	busy        atomic.Bool
	closed      *atomic.Bool
	setDeadline func(time.Time) error
	able        bool          // the connection is known to have deadlines
	expired     chan struct{} // one token for each callback that ran
}

func (g *guard) init(closed *atomic.Bool, setDeadline func(time.Time) error) {
	g.closed, g.setDeadline = closed, setDeadline
	g.expired = make(chan struct{}, 1)
}

// begin takes the guard for a call. The order of the checks is the contract's.
func (g *guard) begin(ctx context.Context) error {
	if g.closed.Load() {
		return trigo.ErrClosed
	}
	if err := trigo.CancelError(ctx); err != nil {
		return err
	}
	if !g.busy.CompareAndSwap(false, true) {
		return trigo.ErrBusy
	}
	return nil
}

func (g *guard) end() { g.busy.Store(false) }

// start sees to it that a cancel of ctx wakes the call of the holder; release
// ends that. It fails if the connection has no deadlines.
func (g *guard) start(ctx context.Context) (stop func() bool, err error) {
	if ctx.Done() == nil {
		return nil, nil
	}
	if !g.able {
		if err := g.setDeadline(time.Time{}); err != nil {
			if errors.Is(err, net.ErrClosed) || errors.Is(err, io.ErrClosedPipe) {
				return nil, nil // the call itself will say what has happened
			}
			return nil, fmt.Errorf("%w: no deadlines: %w", errors.ErrUnsupported, err)
		}
		g.able = true
	}
	return context.AfterFunc(ctx, g.expire), nil
}

func (g *guard) expire() {
	g.setDeadline(past)
	g.expired <- struct{}{}
}

var past = time.Unix(1, 0)

func (g *guard) release(stop func() bool) {
	if stop != nil && !stop() {
		<-g.expired
		g.setDeadline(time.Time{})
	}
}

// kind returns what an error of the connection means for a call under ctx.
// lasting says whether it will not change any more.
func (g *guard) kind(ctx context.Context, err error) (_ error, lasting bool) {
	switch {
	case g.closed.Load(), errors.Is(err, net.ErrClosed):
		return trigo.ErrClosed, false
	case errors.Is(err, os.ErrDeadlineExceeded) && ctx.Err() != nil:
		return trigo.CancelError(ctx), false
	case errors.Is(err, os.ErrDeadlineExceeded): // of a deadline that somebody else has set
		return err, false
	case errors.Is(err, io.ErrUnexpectedEOF): // crypto/tls, of an end inside a record
		return fmt.Errorf("%w: %w", trigo.ErrTruncated, err), true
	}
	return trigo.Broken(err), true
}
