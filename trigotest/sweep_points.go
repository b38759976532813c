package trigotest

import (
	"context"
	"sync"
	"time"
)

// noTarget is the target of a run without a cancel.
const noTarget = -1

// points counts the points of one run and cancels at the target.
type points struct {
	target int
	bubble bool
	cancel func()

	mu      sync.Mutex
	stopped bool // the scenario is over
	passed  int
	fired   string // the description of the target, once it was reached
}

// pass counts a point, and cancels if it is the target.
func (p *points) pass(when, what string) {
	if p.reached() {
		p.fire(when + " " + what)
	}
}

// reached counts a point and reports whether it is the target.
func (p *points) reached() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stopped {
		return false
	}
	p.passed++
	return p.passed-1 == p.target
}

func (p *points) fire(where string) {
	p.mu.Lock()
	first := p.fired == ""
	if first {
		p.fired = where
	}
	p.mu.Unlock()
	if first {
		p.cancel() // without the lock: it wakes others, who pass points
	}
}

// stop ends the counting: what comes now is the sweep's own.
func (p *points) stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stopped = true
}

// around calls f with a point before it, one while it waits, and one after it.
func (p *points) around(what string, f func() error) error {
	p.pass("before", what)
	if !p.reached() {
		err := f()
		p.pass("after", what)
		return err
	}
	w := p.watch("while it waited, in " + what)
	err := f()
	w.end()
	p.fire("after " + what) // it did not wait
	return err
}

// watcher cancels when the goroutine that made it waits.
type watcher struct {
	p     *points
	id    string // of the goroutine
	where string

	mu    sync.Mutex
	timer *time.Timer // nil: over
	quiet int         // how many times in a row it was seen to wait
}

const (
	watchStep  = time.Millisecond
	watchQuiet = 2
)

func (p *points) watch(where string) *watcher {
	w := &watcher{p: p, id: ownID(), where: where}
	w.mu.Lock()
	defer w.mu.Unlock()
	if p.bubble {
		w.timer = time.AfterFunc(1, func() { p.fire(where) })
	} else {
		w.timer = time.AfterFunc(watchStep, w.look)
	}
	return w
}

func (w *watcher) look() {
	waits := goroutinesByID()[w.id].parked()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.timer == nil {
		return
	}
	w.quiet++
	if !waits {
		w.quiet = 0
	}
	if w.quiet < watchQuiet {
		w.timer.Reset(watchStep)
		return
	}
	w.p.fire(w.where)
}

// end ends the watch. In a bubble a cancel that is under way is not waited for;
// nothing is lost by that, it will find that it comes too late.
func (w *watcher) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.timer.Stop()
	w.timer = nil
}

// observed is a ctx of which each look is a point.
type observed struct {
	context.Context
	points *points
}

// Done and Err are what others look at. The cancel comes before the look, so
// that it is seen at once.

func (o observed) Done() <-chan struct{} {
	o.points.pass("at", "a look at ctx.Done")
	return o.Context.Done()
}

func (o observed) Err() error {
	o.points.pass("at", "a look at ctx.Err")
	return o.Context.Err()
}
