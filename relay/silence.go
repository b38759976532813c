package relay

import (
	"context"
	"errors"
	"time"
)

// # Silence
//
// Two limits bound a silence: Options.Idle always, and Options.Linger once a
// direction has ended. Every byte would move a timer; instead a byte only leaves
// its time behind (one atomic store), and the one timer of a relay, when it
// fires, looks at that time and is set again for what is left. So it fires at
// the limit exactly, and seldom otherwise.
//
// One thing is invisible from outside: a SendAll that has moved some of its
// bytes and waits for the rest. To a slow reader one buffer may take longer
// than the limit, and that is no silence. So before the limit is applied, a
// direction that is sending is asked: its SendAll is cancelled, says in its error
// how much it sent, and goes on with the rest. If that is nothing, for both
// directions, the silence was real.
//
// Both directions work under one ctx, that of a nursery. To ask is to cancel that
// and, when both have come back, to begin another round with another nursery. A
// direction that was receiving then loses nothing, and is not asked for its own
// sake. A ctx for each direction, renewed each time, would do as well; it would cost
// every connection half a kilobyte, for what few relays ever do.

// probeState says where a silence stands with that question.
type probeState int

const (
	unasked  probeState = iota
	asked               // the round was cancelled, and has not ended yet
	answered            // in this silence
)

// errProbe is the cause with which a round is ended.
var errProbe = errors.New("asked for the bytes sent so far")

// isProbe reports whether ctx, that of a round, ended with it. outer, that of Run,
// may have ended with another relay's.
func isProbe(outer, ctx context.Context) bool {
	return context.Cause(ctx) == errProbe && outer.Err() == nil
}

// touch notes that something moved, and returns when: the time since the start.
func (r *run) touch() time.Duration {
	now := time.Since(r.start)
	r.last.Store(int64(now))
	return now
}

// limit returns how long a silence may last now, and what it is called then.
// Called with mu held. Zero: for ever.
func (r *run) limit() (time.Duration, error) {
	if r.halfOpen && r.linger > 0 && (r.idle == 0 || r.linger <= r.idle) {
		return r.linger, ErrReaped
	}
	return r.idle, ErrIdle
}

// watch is what the timer calls.
func (r *run) watch() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.check()
}

// check ends the relay if it was silent for too long, or sets the timer for when
// it will have been. Called with mu held.
func (r *run) check() {
	if !r.open() {
		if r.timer != nil {
			r.timer.Stop()
		}
		return
	}
	limit, why := r.limit()
	if limit == 0 {
		return
	}
	if left := limit - (time.Since(r.start) - time.Duration(r.last.Load())); left > 0 {
		if r.probe == answered {
			r.probe = unasked
		}
		if r.timer == nil {
			r.timer = time.AfterFunc(left, r.watch)
		} else {
			r.timer.Reset(left)
		}
		return
	}
	if r.probe == unasked && (r.ab.mayHaveSent() || r.ba.mayHaveSent()) {
		r.probe = asked
		r.round.Cancel(errProbe)
	}
	if r.probe != asked { // else the next round calls again
		r.stop(why)
	}
}

// mayHaveSent reports whether bytes may have moved that are not counted yet. Called
// with mu held.
func (p *pump) mayHaveSent() bool {
	stage := p.stage.Load()
	return p.end == 0 && (stage == sending || stage == passing)
}

// halve notes that the direction has received its end of file, and returns how
// the other direction has ended, if it has.
func (p *pump) halve() End {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.halfOpen = true
	p.touch()
	p.check()
	return p.other().end
}
