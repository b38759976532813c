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
// than the limit, and that is no silence. So before the limit is applied, each
// direction that is sending is asked: its SendAll is cancelled, says in its error
// how much it sent, and goes on with the rest. If that is nothing, for both
// directions, the silence was real.

// probeState says where a direction stands with that question.
type probeState int

const (
	unasked  probeState = iota
	asked               // its SendAll was cancelled, and it has not noticed yet
	answered            // in this silence
)

// errProbe is the cause with which a SendAll is asked.
var errProbe = errors.New("asked for the bytes sent so far")

func probed(ctx context.Context) bool { return context.Cause(ctx) == errProbe }

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

// watch starts the watch over the silence.
func (r *run) watch() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.check()
}

// check ends the relay if it was silent for too long, or sets the timer for when
// it will have been. Called with mu held.
func (r *run) check() {
	if r.ab.end != 0 && r.ba.end != 0 {
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
		r.ab.forget()
		r.ba.forget()
		if r.timer == nil {
			r.timer = time.AfterFunc(left, r.watch)
		} else {
			r.timer.Reset(left)
		}
		return
	}
	if wait := r.ab.ask(); r.ba.ask() || wait {
		return // whoever was asked calls again
	}
	r.ab.stop(why)
	r.ba.stop(why)
}

// ask asks the direction what it has sent and reports whether an answer is due.
// Called with mu held.
func (p *pump) ask() bool {
	if p.probe == unasked && p.cancel != nil && p.sending.Load() {
		p.cancel(errProbe)
		p.probe = asked
	}
	return p.probe == asked
}

// answer ends a probe. It returns the ctx to go on with.
func (p *pump) answer(outer context.Context) context.Context {
	ctx := p.renew(outer)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.probe = answered
	p.check()
	return ctx
}

// forget makes the direction one that can be asked again. Called with mu held.
func (p *pump) forget() {
	if p.probe == answered {
		p.probe = unasked
	}
}

// halve notes that the direction has received its end of file, and returns how
// the other direction has ended, if it has.
func (p *pump) halve() End {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.halfOpen = true
	p.touch()
	p.check()
	return p.other.end
}
