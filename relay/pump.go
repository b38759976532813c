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
	shown    *atomic.Int64 // the counter that the caller sees
	busy     *stopwatch    // runs while it sends; likewise

	sending atomic.Bool // a send is under way, which may have moved bytes not counted yet

	// Of the pump alone until it has ended.
	route
	load
	stage  stage
	bytes  int64
	stuck  bool // it ended with bytes received that the other side did not take
	untold bool // the other side learns of the end of file when it is closed

	// Guarded by run.mu.
	end  End
	err  error
	took time.Duration
}

// stage is what a direction does next: at the beginning of a round, what it did at
// the end of the one before.
type stage uint8

const (
	receiving  stage = iota
	sending          // what was received
	passing          // the end of file
	discarding       // what src goes on sending after the other side has failed
	over
)

// prepare makes the direction ready to run.
func (p *pump) prepare(r *run, src, dst trigo.Stream, shown *atomic.Int64, busy *stopwatch) {
	p.run, p.src, p.dst, p.shown, p.busy = r, src, dst, shown, busy
	p.route = newRoute(src, dst, r.mode)
	p.bulk = r.mode == CopySplice
	p.readOp = p.read
	p.prepareUnseen()
}

// other is the opposite direction.
func (p *pump) other() *pump {
	if p == &p.ab {
		return &p.ba
	}
	return &p.ab
}

// sides returns the names of the source and of the other side.
func (p *pump) sides() (from, to string) {
	if p == &p.ab {
		return "a", "b"
	}
	return "b", "a"
}

// errStopped is the cause with which a direction is stopped, beside ErrReaped
// and ErrIdle.
var errStopped = errors.New("the other direction failed")

// pump moves bytes until the direction ends, or the round. outer is the ctx of Run.
// Its error is always nil: how the direction ended is for the report.
func (p *pump) pump(outer, ctx context.Context) error {
	for {
		var err error
		switch p.stage {
		case receiving:
			err = p.receive(ctx)
			switch err {
			case nil:
				p.busy.run(p.touch())
				p.stage = sending
			case io.EOF:
				err = nil
				p.half(outer, ctx)
			}
		case sending:
			if err = p.send(ctx); err == nil {
				p.busy.stop(time.Duration(p.last.Load())) // of the last byte, mostly; it costs no look at the clock
				p.stage = receiving
			}
		case passing:
			if err = p.pass(ctx); err == nil {
				p.ended(outer, ctx, EOF, nil)
			}
		case discarding:
			err = p.receive(ctx)
		case over:
			p.drop()
			return nil
		}
		switch {
		case err == nil:
		case isProbe(outer, ctx) && (p.stage != sending || !p.stuck):
			return nil // the next round goes on from here
		default:
			p.fail(outer, ctx, err)
		}
	}
}

// fail ends the direction, or what it does after its end.
func (p *pump) fail(outer, ctx context.Context, err error) {
	switch p.stage {
	case receiving:
		p.ended(outer, ctx, receiveEnd(err), err)
	case sending:
		p.busy.stop(time.Duration(p.last.Load()))
		p.stuck = true
		p.ended(outer, ctx, WriteFailed, err)
	case passing:
		p.ended(outer, ctx, WriteFailed, err)
	case discarding:
		p.stage = over
	}
}

// send sends all that was received. If what is left is not known after an error, the
// direction is stuck.
func (p *pump) send(ctx context.Context) error {
	p.sending.Store(true)
	defer p.sending.Store(false)
	known, err := p.sendSome(ctx)
	p.stuck = !known
	return err
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

// sent returns how many bytes a failed SendAll moved. A stream that does not
// say so cannot be asked to go on from there.
func sent(err error) (n int, known bool) {
	var op *trigo.OpError
	if errors.As(err, &op) {
		return int(op.N), true
	}
	return 0, false
}

// half ends the receiving half of the direction.
func (p *pump) half(outer, ctx context.Context) {
	p.stage = passing
	if p.halve() == WriteFailed {
		// This direction only saved what src had sent before it failed. dst must
		// not see an end of file but the abort that follows: what it sent was lost.
		p.ended(outer, ctx, EOF, nil)
	}
}

// pass passes the end of file on.
func (p *pump) pass(ctx context.Context) error {
	if half, ok := p.dst.(trigo.HalfCloseableStream); ok {
		p.sending.Store(true)
		defer p.sending.Store(false)
		if err := half.SendEOF(ctx); !errors.Is(err, errors.ErrUnsupported) {
			return err
		}
	}
	p.untold = true
	return nil
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
	side, to := p.sides()
	if end == WriteFailed {
		side = to
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
	p.stage = over
	if end == WriteFailed {
		// A peer that is stuck in sending does not look for the answer that the
		// opposite direction may still be bringing. So it is received from until
		// that has ended too.
		p.stage, p.path = discarding, PathCopy
		p.drop()
	}
	if err != nil {
		p.blame(side, err)
	}
	if (end != EOF && end != WriteFailed) || p.other().end != 0 {
		p.stop(errStopped)
	}
	p.halfOpen = true
	p.touch()
	p.check()
}

// report is the direction's part of the report, when it has ended.
func (p *pump) report() Direction {
	d := Direction{Bytes: p.bytes, End: p.end, Err: p.err, Duration: p.took, InKernel: p.inKernel, Path: p.path, Why: p.why}
	if p.path != PathCopy && p.inKernel == 0 {
		d.Path, d.Why = PathCopy, "nothing came in bulk"
	}
	return d
}
