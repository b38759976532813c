package relay

import (
	"context"
	"errors"
	"io"
	"sync/atomic"
	"time"

	"trigo"
	"trigo/nursery"
)

// pump is one direction.
type pump struct {
	*run
	src, dst trigo.Stream
	from, to string // the names of the sides
	other    *pump
	shown    *atomic.Int64 // the counter that the caller sees
	busy     *stopwatch    // runs while it sends; likewise

	sending atomic.Bool // a send is under way, which may have moved bytes not counted yet

	// Of the pump alone until it has ended.
	route
	load
	bytes  int64
	stuck  bool // it ended with bytes received that the other side did not take
	untold bool // the other side learns of the end of file when it is closed

	// Guarded by run.mu.
	cancel  context.CancelCauseFunc // of the operation under way; nil if there is none
	stopped error                   // why the direction must stop
	probe   probeState
	end     End
	err     error
	took    time.Duration
}

// errStopped is the cause with which a direction is stopped, beside ErrReaped
// and ErrIdle.
var errStopped = errors.New("the other direction failed")

// pump moves bytes until the direction ends. Its error is always nil: how it
// ended is for the report.
func (p *pump) pump(outer context.Context) error {
	defer p.drop()
	ctx := p.renew(outer)
	for {
		err := p.receive(ctx)
		switch {
		case err == nil:
			p.busy.run(p.touch())
			ctx, err = p.send(outer, ctx)
			p.busy.stop(time.Duration(p.last.Load())) // of the last byte, mostly; it costs no look at the clock
			if err != nil {
				p.ended(outer, ctx, WriteFailed, err)
				p.discard(outer)
				return nil
			}
		case err == io.EOF:
			p.pass(outer, ctx)
			return nil
		case probed(ctx):
			ctx = p.answer(outer)
		default:
			p.ended(outer, ctx, receiveEnd(err), err)
			return nil
		}
	}
}

// send sends all that was received. It returns the ctx to go on with.
func (p *pump) send(outer, ctx context.Context) (context.Context, error) {
	p.sending.Store(true)
	defer p.sending.Store(false)
	for {
		known, err := p.sendSome(ctx)
		switch {
		case err == nil:
			return ctx, nil
		case !known || !probed(ctx):
			p.stuck = true
			return ctx, err
		}
		ctx = p.answer(outer)
	}
}

// sendSome sends all that was received, unless there is an error. It reports
// whether what is left is known then.
func (p *pump) sendSome(ctx context.Context) (known bool, err error) {
	for {
		if len(p.b) == 0 {
			if err := p.sendUnseen(ctx); err != nil || len(p.b) == 0 {
				return true, err
			}
		}
		err := p.dst.SendAll(ctx, p.b)
		n, known := len(p.b), true
		if err != nil {
			n, known = sent(err)
		}
		p.b = p.b[n:]
		p.moved(n)
		if err != nil || p.piped == 0 {
			return known, err
		}
	}
}

// moved counts bytes that the other side took.
func (p *pump) moved(n int) {
	if n > 0 {
		p.bytes += int64(n)
		p.shown.Add(int64(n))
		p.touch()
	}
}

// discard receives and drops what src goes on sending after the other side has
// failed. A peer that is stuck in sending does not look for the answer that the
// opposite direction is still bringing. It ends with that direction.
func (p *pump) discard(outer context.Context) {
	if p.end != WriteFailed {
		return
	}
	p.drop()
	p.path = PathCopy
	ctx := p.renew(outer)
	for p.receive(ctx) == nil {
	}
}

// sent returns how many bytes a failed SendAll moved. A stream that does not
// say so cannot be asked to go on from there.
func sent(err error) (n int, known bool) {
	var op *trigo.OpError
	if errors.As(err, &op) {
		return int(op.N), true
	}
	return 0, false
}

// pass passes the end of file on.
func (p *pump) pass(outer, ctx context.Context) {
	half, ok := p.dst.(trigo.HalfCloseableStream)
	if p.halve() == WriteFailed {
		// This direction only saved what src had sent before it failed. dst must
		// not see an end of file but the abort that follows: what it sent was lost.
		p.ended(outer, ctx, EOF, nil)
		return
	}
	p.sending.Store(true)
	defer p.sending.Store(false)
	for ok {
		err := half.SendEOF(ctx)
		switch {
		case err == nil:
			p.ended(outer, ctx, EOF, nil)
			return
		case errors.Is(err, errors.ErrUnsupported):
			ok = false
		case probed(ctx):
			ctx = p.answer(outer)
		default:
			p.ended(outer, ctx, WriteFailed, err)
			return
		}
	}
	p.untold = true
	p.ended(outer, ctx, EOF, nil)
}

// receiveEnd classifies a failed receive.
func receiveEnd(err error) End {
	switch {
	case errors.Is(err, trigo.ErrTruncated):
		return Truncated
	case errors.Is(err, trigo.ErrBroken):
		return Broken
	}
	return Failed
}

// ended records the end of the direction and decides what it means for the
// other one.
func (p *pump) ended(outer, ctx context.Context, end End, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	side := p.from
	if end == WriteFailed {
		side = p.to
	}
	if nursery.IsCancellation(ctx, err) {
		why := context.Cause(ctx)
		if why == errProbe {
			_, why = p.limit()
		}
		switch {
		case outer.Err() != nil:
			end, err, side = Cancelled, trigo.CancelError(outer), ""
		case why == ErrReaped:
			end, err = Reaped, why
		case why == ErrIdle:
			end, err, side = Idle, why, ""
		case why == errStopped:
			end, err = Stopped, nil
		}
	}
	p.end, p.err, p.took = end, err, time.Since(p.start)
	p.cancel(nil)
	p.cancel = nil
	p.probe = unasked

	if err != nil {
		p.blame(side, err)
	}
	if end != EOF && end != WriteFailed { // after a WriteFailed the other direction may save an answer
		p.other.stop(errStopped)
	}
	if p.other.end != 0 { // nothing to discard for any more
		p.stop(errStopped)
		p.other.stop(errStopped)
	}
	p.halfOpen = true
	p.touch()
	p.check()
}

// stop ends the direction, if it has not ended. Called with mu held.
func (p *pump) stop(why error) {
	if p.stopped == nil {
		p.stopped = why
	}
	if p.cancel != nil {
		p.cancel(why)
	}
}

// renew returns the ctx for the operations to come.
func (p *pump) renew(outer context.Context) context.Context {
	ctx, cancel := context.WithCancelCause(outer)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cancel != nil {
		p.cancel(nil)
	}
	p.cancel = cancel
	if p.stopped != nil {
		cancel(p.stopped)
	}
	return ctx
}

// report is the direction's part of the report, when it has ended.
func (p *pump) report() Direction {
	d := Direction{Bytes: p.bytes, End: p.end, Err: p.err, Duration: p.took, InKernel: p.inKernel, Path: p.path, Why: p.why}
	if p.path != PathCopy && p.inKernel == 0 {
		d.Path, d.Why = PathCopy, "nothing came in bulk"
	}
	return d
}
