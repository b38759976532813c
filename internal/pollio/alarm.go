package pollio

import (
	"context"
	"hash/maphash"
	"sync"
)

// An alarm is the registration of a context.AfterFunc at one Done channel, for all
// the halves that have to be woken by it. So a ctx that ten thousand calls wait
// under starts one goroutine when it ends and not ten thousand, and a half that
// waits costs two pointers.
type alarm struct {
	stop  func() bool // of the AfterFunc
	first *half       // those to be woken, linked by next
}

// alarms are all there are that have not rung. A Done channel has its alarm in
// one of several tables, so that calls under different ctxs rarely meet.
var (
	alarms     [32]alarmTable
	alarmsSeed = maphash.MakeSeed()
)

type alarmTable struct {
	mu sync.Mutex // guards the table, and the lists of its alarms until they ring
	of map[<-chan struct{}]*alarm
	_  [48]byte // to the next cache line
}

func alarmsOf(done <-chan struct{}) *alarmTable {
	return &alarms[maphash.Comparable(alarmsSeed, done)%uint64(len(alarms))]
}

// join has h woken, with expire, when its Done channel is closed. That is ctx's.
func (h *half) join(ctx context.Context) {
	table := alarmsOf(h.done)
	table.mu.Lock()
	a := table.of[h.done]
	found := a != nil
	if !found {
		a = new(alarm)
		if table.of == nil {
			table.of = make(map[<-chan struct{}]*alarm)
		}
		table.of[h.done] = a
	}
	h.alarm, h.next = a, a.first
	if a.first != nil {
		a.first.prev = h
	}
	a.first = h
	table.mu.Unlock()

	if !found {
		// Without the lock: the ctx has locks of its own. Nobody needs the
		// stop function before we leave.
		done := h.done
		a.stop = context.AfterFunc(ctx, func() { a.ring(done) })
	}
}

// leave undoes join, and reports whether it was in time: if not, expire is called,
// or was.
func (h *half) leave() bool {
	table := alarmsOf(h.done)
	table.mu.Lock()
	a := h.alarm
	if table.of[h.done] != a {
		table.mu.Unlock()
		return false
	}
	if h.prev != nil {
		h.prev.next = h.next
	} else {
		a.first = h.next
	}
	if h.next != nil {
		h.next.prev = h.prev
	}
	h.next, h.prev = nil, nil
	last := a.first == nil
	if last {
		delete(table.of, h.done)
	}
	table.mu.Unlock()
	if last {
		a.stop() // or it rings for nobody
	}
	return true
}

// ring is the callback: it wakes them all.
func (a *alarm) ring(done <-chan struct{}) {
	table := alarmsOf(done)
	table.mu.Lock()
	if table.of[done] == a {
		delete(table.of, done)
	}
	h := a.first
	table.mu.Unlock()
	for h != nil {
		next := h.next
		h.next, h.prev = nil, nil
		h.expire() // after which it may join again
		h = next
	}
}
