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

	// Of the pump alone until it has ended.
	route
	load
	bytes  int64
	stage  atomic.Uint32 // what it does next; another goroutine only reads it
	stuck  bool          // it ended with bytes received that the other side did not take
	untold bool          // the other side learns of the end of file when it is closed

	// Guarded by run.mu.
	end  End
	err  error
	took time.Duration
}

// What a direction does next: at the beginning of a round, what it did at the end of
// the one before.
const (
	receiving  uint32 = iota
	sending           // what was received
	passing           // the end of file
	discarding        // what src goes on sending after the other side has failed
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
		switch p.stage.Load() {
		case receiving, discarding:
			if p.mayRead() {
				err = p.in.ReceiveBy(ctx, p.readOp) // from here: see mayRead
			} else {
				err = p.receive(ctx)
			}
			if p.stage.Load() == receiving {
				err = p.received(outer, ctx, err)
			}
		case sending:
			if err = p.send(ctx); err == nil {
				p.sent()
			}
		case passing:
			if err = p.pass(ctx); err == nil {
				p.ended(outer, ctx, EOF, nil)
			}
		case over:
			p.drop()
			return nil
		}
		if err != nil && !p.failed(outer, ctx, err) {
			return nil // the next round goes on from here
		}
	}
}

// failed ends the direction, or what it does after its end, unless err only says that
// the round has ended.
func (p *pump) failed(outer, ctx context.Context, err error) bool {
	if isProbe(outer, ctx) && (p.stage.Load() != sending || !p.stuck) {
		return false
	}
	switch p.stage.Load() {
	case receiving:
		p.ended(outer, ctx, receiveEnd(err), err)
	case sending:
		p.busy.stop(time.Duration(p.last.Load()))
		p.stuck = true
		p.ended(outer, ctx, WriteFailed, err)
	case passing:
		p.ended(outer, ctx, WriteFailed, err)
	case discarding:
		p.stage.Store(over)
	}
	return true
}

// received looks at what became of a receive.
func (p *pump) received(outer, ctx context.Context, err error) error {
	switch err {
	case nil:
		p.busy.run(p.touch())
		p.stage.Store(sending)
	case io.EOF:
		p.half(outer, ctx)
		return nil
	}
	return err
}

// sent is received for a send.
func (p *pump) sent() {
	p.busy.stop(time.Duration(p.last.Load())) // of the last byte, mostly; it costs no look at the clock
	p.stage.Store(receiving)
}

// send sends all that was received. If what is left is not known after an error, the
// direction is stuck.
func (p *pump) send(ctx context.Context) error {
	for {
		if len(p.b) == 0 {
			if err := p.sendUnseen(ctx); err != nil || len(p.b) == 0 {
				return err
			}
		}
		err := p.dst.SendAll(ctx, p.b)
		n := len(p.b)
		if err != nil {
			n = p.sentBy(err)
		}
		p.b = p.b[n:]
		p.moved(n)
		if err != nil || p.piped == 0 {
			return err
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

// sentBy returns how many bytes a failed SendAll moved. A stream that does not
// say so cannot be asked to go on from there.
func (p *pump) sentBy(err error) int {
	var op *trigo.OpError
	if errors.As(err, &op) {
		return int(op.N)
	}
	p.stuck = true
	return 0
}

// half ends the receiving half of the direction.
func (p *pump) half(outer, ctx context.Context) {
	p.stage.Store(passing)
	if p.halve() == WriteFailed {
		// This direction only saved what src had sent before it failed. dst must
		// not see an end of file but the abort that follows: what it sent was lost.
		p.ended(outer, ctx, EOF, nil)
	}
}

// pass passes the end of file on.
func (p *pump) pass(ctx context.Context) error {
	if half, ok := p.dst.(trigo.HalfCloseableStream); ok {
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
	p.stage.Store(over)
	if end == WriteFailed {
		// A peer that is stuck in sending does not look for the answer that the
		// opposite direction may still be bringing. So it is received from until
		// that has ended too.
		p.stage.Store(discarding)
		p.path = PathCopy
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
