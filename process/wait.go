package process

import (
	"context"
	"time"

	"trigo"
)

// Wait waits until the child has ended, and returns how. Any number of callers
// may wait at the same time; a cancelled Wait changes nothing. The pipes may be
// open still: see [Process.Stdout].
//
// On Linux a Wait takes neither a thread nor a goroutine. One of the callers
// watches the child's pidfd, through the runtime's poller; the others wait for
// him, and one of them takes over if he is cancelled. In the first 2 ms of a
// child he may wait on his thread, and see a cancel only when they are over.
func (p *Process) Wait(ctx context.Context) (Status, error) {
	for ctx.Err() == nil {
		select {
		case <-p.exited:
			return p.status, nil
		case <-ctx.Done():
		case p.turn <- struct{}{}:
			p.watch(ctx)
			<-p.turn
			// An end that was seen wins over a cancel that came with it.
			if s, exited := p.Poll(); exited {
				return s, nil
			}
		}
	}
	return Status{}, &trigo.OpError{Op: "wait for", Layer: p.name, Err: trigo.CancelError(ctx)}
}

// watch returns when the child may have ended, or ctx has.
func (p *Process) watch(ctx context.Context) {
	p.mu.Lock()
	pidfd := p.pidfd
	p.mu.Unlock()
	// If Poll finds the end first, it closes the pidfd, and that wakes us too.
	if pidfd != nil && pidfd.wait(ctx) == nil {
		return
	}
	poll(ctx, func() bool {
		_, exited := p.Poll()
		return exited
	})
}

// The intervals of poll.
const (
	firstInterval = time.Millisecond
	lastInterval  = 50 * time.Millisecond
)

// poll asks until done or the end of ctx. It is for those ends of which the
// kernel does not tell. It reports whether done was true.
func poll(ctx context.Context, done func() bool) bool {
	var timer *time.Timer
	for interval := firstInterval; !done(); interval = min(interval*2, lastInterval) {
		if timer == nil {
			timer = time.NewTimer(interval)
			defer timer.Stop()
		} else {
			timer.Reset(interval)
		}
		select {
		case <-ctx.Done():
			return done()
		case <-timer.C:
		}
	}
	return true
}

// observe looks whether the child has ended. p.mu is held.
func (p *Process) observe() {
	if p.known {
		return
	}
	status, exited := peek(p.pid)
	if !exited {
		return
	}
	p.status, p.known = status, true
	if !p.supervised || !p.needsZombie() {
		p.reap()
	}
	if !p.supervised {
		p.closePidfd()
	}
	close(p.exited)
}

// reap lets go of the child's number. p.mu is held.
func (p *Process) reap() {
	if !p.reaped {
		p.reaped = true
		reap(p.pid)
	}
}

func (p *Process) closePidfd() {
	if p.pidfd != nil {
		p.pidfd.close()
	}
}

// release ends the supervision of a child that has ended.
func (p *Process) release() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reap()
	p.closePidfd()
}
