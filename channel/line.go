package channel

import (
	"context"
	"errors"
	"sync/atomic"
	"weak"

	"trigo/internal/vigil"
)

// line is a queue of goroutines that wait, first come, first served. Its
// methods other than await are called with the lock of the channel held.
//
// Whoever settles a waiter does so under the lock: takes it out of the line and
// leaves it a value or an error. From then on the operation has happened: a
// cancel that comes later finds the waiter out of the line and has no effect.
// Then the waiter is owed a wake. On the fast path that is given when the lock
// is free, so that who wakes up does not run into it.
//
// The end of a ctx settles those who wait under it, too, if the line has it
// registered (see package vigil). Who waits under another one selects, and leaves
// the line by itself. The Done of a ctx is called under the lock, only when the call
// has to wait: one of somebody's own must not use the channel in there.
//
// Nobody in a line spins before parking, or yields: spinning made a rendezvous slower,
// as the two sides mostly share a processor, and to yield, which made it faster,
// would put who waits behind every busy goroutine of the program.
//
// Waiters are used again, or each wait would cost an allocation. They stay with
// their line, and not in a pool of the package: their channels belong to the
// synctest bubble in which they were made, and everyone who uses a channel is
// in the same one.
type line[T any] struct {
	mu         *lock // that of the channel
	head, tail *waiter[T]
	n          int
	vigil      vigil.Vigil
	free       *waiter[T]                // ready for their next use
	returned   atomic.Pointer[waiter[T]] // the same, given back without the lock
}

// waiter is one goroutine that waits to send or to receive a value.
type waiter[T any] struct {
	value      T
	err        error
	through    *handle // that it waits through; nil when it is in no line
	woken      chan struct{}
	done       <-chan struct{} // of its ctx, if the line settles it when that ends
	prev, next *waiter[T]      // in the line; next also in the free list
}

// join puts the caller at the end of the line. If it returns a Done channel, the
// caller has to look at that by itself.
func (l *line[T]) join(ctx context.Context, h *handle) (w *waiter[T], done <-chan struct{}) {
	w = l.reuse()
	w.through = h
	h.waiting++
	done = ctx.Done()
	if l.vigil.Covers(done) {
		w.done, done = done, nil
	} else if l.vigil.Worthwhile() && !l.covers() {
		l.vigil.Keep(ctx, l.ring(done))
		w.done, done = done, nil
	}
	w.prev = l.tail
	if l.tail == nil {
		l.head = w
	} else {
		l.tail.next = w
	}
	l.tail = w
	l.n++
	return w, done
}

// leave takes w out of the line, from wherever it stands.
func (l *line[T]) leave(w *waiter[T]) {
	if w.prev == nil {
		l.head = w.next
	} else {
		w.prev.next = w.next
	}
	if w.next == nil {
		l.tail = w.prev
	} else {
		w.next.prev = w.prev
	}
	w.prev, w.next = nil, nil
	w.through.waiting--
	w.through = nil
	l.n--
}

// shift takes the first out of the line; nil if nobody waits.
func (l *line[T]) shift() *waiter[T] {
	w := l.head
	if w != nil {
		l.leave(w)
	}
	return w
}

// fail settles and wakes, with err, all who wait through h, or everyone if h is
// nil.
func (l *line[T]) fail(h *handle, err error) {
	if h != nil && h.waiting == 0 {
		return
	}
	for w := l.head; w != nil; {
		next := w.next
		if h == nil || w.through == h {
			l.leave(w)
			w.err = err
			w.wake()
		}
		w = next
	}
}

// wake lets a settled waiter go on. A nil waiter is nobody.
func (w *waiter[T]) wake() {
	if w != nil {
		w.woken <- struct{}{} // never blocks: there is room for one, and nobody is settled twice
	}
}

// errGaveUp is what a waiter is left whose ctx has ended.
var errGaveUp = errors.New("gave up")

// covers reports whether anybody relies on what is registered.
func (l *line[T]) covers() bool {
	for w := l.head; w != nil; w = w.next {
		if w.done != nil {
			return true
		}
	}
	return false
}

// ring returns what settles those who wait under the ctx with this Done channel.
// It must not keep a line alive that everyone has forgotten.
func (l *line[T]) ring(done <-chan struct{}) func() {
	remembered := weak.Make(l)
	return func() {
		l := remembered.Value()
		if l == nil {
			return
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		l.vigil.Ended(done)
		for w := l.head; w != nil; {
			next := w.next
			if w.done == done {
				l.leave(w)
				w.err = errGaveUp
				w.wake()
			}
			w = next
		}
	}
}

// await waits until w is settled and returns what it was left. If ctx ends first, w
// leaves the line and op has not happened. done is what join returned. The caller
// does not hold the lock.
func (l *line[T]) await(ctx context.Context, w *waiter[T], done <-chan struct{}, op string) (T, error) {
	if done == nil {
		<-w.woken
	} else {
		select {
		case <-w.woken:
		case <-done:
			l.giveUp(w)
		}
	}
	v, err := w.value, w.err
	l.retire(w)
	if err == errGaveUp {
		err = cancelled(ctx, op)
	}
	return v, err
}

// giveUp takes w out of the line, unless it was settled.
func (l *line[T]) giveUp(w *waiter[T]) {
	l.mu.Lock()
	waits := w.through != nil
	if waits {
		l.leave(w)
	}
	l.mu.Unlock()
	if !waits { // settled just before: the wake is on its way, and must not stay behind
		<-w.woken
		return
	}
	var none T // what it had to send, it still has
	w.value, w.err = none, errGaveUp
}

// reuse returns a waiter that nobody uses.
func (l *line[T]) reuse() *waiter[T] {
	if l.free == nil {
		l.free = l.returned.Swap(nil)
	}
	w := l.free
	if w == nil {
		return &waiter[T]{woken: make(chan struct{}, 1)}
	}
	l.free, w.next = w.next, nil
	return w
}

// retire makes w ready for its next use. The caller need not hold the lock: it was
// just woken, mostly by somebody who goes on to take that again.
func (l *line[T]) retire(w *waiter[T]) {
	var none T
	w.value, w.err, w.done = none, nil, nil
	for {
		w.next = l.returned.Load()
		if l.returned.CompareAndSwap(w.next, w) {
			return
		}
	}
}
