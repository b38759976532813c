package channel

import (
	"context"
	"sync"
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
// Nobody spins before parking, or yields: spinning made a rendezvous slower,
// as the two sides mostly share a processor, and to yield, which made it faster,
// would put who waits behind every busy goroutine of the program.
//
// Waiters are used again, or each wait would cost an allocation. They stay with
// their line, and not in a pool of the package: their channels belong to the
// synctest bubble in which they were made, and everyone who uses a channel is
// in the same one.
type line[T any] struct {
	head, tail *waiter[T]
	n          int
	free       *waiter[T]
}

// waiter is one goroutine that waits to send or to receive a value.
type waiter[T any] struct {
	value      T
	err        error
	through    *handle // that it waits through; nil when it is in no line
	woken      chan struct{}
	prev, next *waiter[T] // in the line; next also in the free list
}

// join puts the caller at the end of the line.
func (l *line[T]) join(h *handle) *waiter[T] {
	w := l.free
	if w == nil {
		w = &waiter[T]{woken: make(chan struct{}, 1)}
	} else {
		l.free, w.next = w.next, nil
	}
	w.through = h
	h.waiting++
	w.prev = l.tail
	if l.tail == nil {
		l.head = w
	} else {
		l.tail.next = w
	}
	l.tail = w
	l.n++
	return w
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

// await waits until w is settled and returns what it was left. If ctx ends
// first, w leaves the line and op has not happened. The caller does not hold mu,
// the lock of the channel.
func (l *line[T]) await(ctx context.Context, mu *sync.Mutex, w *waiter[T], op string) (T, error) {
	gaveUp := false
	select {
	case <-w.woken:
		mu.Lock()
	case <-ctx.Done():
		mu.Lock()
		gaveUp = w.through != nil
		if gaveUp {
			l.leave(w)
		} else { // settled just before: the wake is on its way, and must not stay behind
			mu.Unlock()
			<-w.woken
			mu.Lock()
		}
	}
	v, err := w.value, w.err
	l.retire(w)
	mu.Unlock()
	if gaveUp {
		var none T
		return none, cancelled(ctx, op)
	}
	return v, err
}

// retire makes w ready for its next use.
func (l *line[T]) retire(w *waiter[T]) {
	var none T
	w.value, w.err = none, nil
	w.next, l.free = l.free, w
}
