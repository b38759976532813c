package pollio

import (
	"context"
	"hash/maphash"
	"sync"
)

// An alarm is the registration of a context.AfterFunc at one Done channel, for all
// the halves that have to be woken by it. So a ctx that ten thousand calls wait
// under starts one goroutine when it ends and not ten thousand, and a half that
// waits costs a pointer here.
type alarm struct {
	stop   func() bool // of the AfterFunc
	halves []*half     // those to be woken; each knows its place
	one    [1]*half    // room for the first
}

// rung is the alarm of halves that were woken: their deadline is in the past.
var rung = new(alarm)

// alarms are all there are that have not rung. A Done channel has its alarm in
// one of several tables, so that calls under different ctxs rarely meet.
var (
	alarms     [32]alarmTable
	alarmsSeed = maphash.MakeSeed()
)

type alarmTable struct {
	mu sync.Mutex // guards the table, and the halves of its alarms with their places
	of map[<-chan struct{}]*alarm
	_  [48]byte // to the next cache line
}

func alarmsOf(done <-chan struct{}) *alarmTable {
	return &alarms[maphash.Comparable(alarmsSeed, done)%uint64(len(alarms))]
}

// join has h woken, when its Done channel is closed. That is ctx's.
func (h *half) join(ctx context.Context) {
	table := alarmsOf(h.done)
	table.mu.Lock()
	a := table.of[h.done]
	found := a != nil
	if !found {
		a = new(alarm)
		a.halves = a.one[:0]
		if table.of == nil {
			table.of = make(map[<-chan struct{}]*alarm)
		}
		table.of[h.done] = a
	}
	h.place = int32(len(a.halves))
	a.halves = append(a.halves, h)
	h.alarm.Store(a)
	table.mu.Unlock()

	if !found {
		// Without the lock: the ctx has locks of its own. Nobody needs the
		// stop function before we leave.
		done := h.done
		a.stop = context.AfterFunc(ctx, func() { a.ring(done) })
	}
}

// leave undoes join, and reports whether it was in time: if not, h was woken.
func (h *half) leave() bool {
	if h.alarm.Load() == rung { // as after a cancel: thousands would want the lock
		return false
	}
	table := alarmsOf(h.done)
	table.mu.Lock()
	a := h.alarm.Load()
	if a == rung {
		table.mu.Unlock()
		return false
	}
	end := len(a.halves) - 1
	last := a.halves[end]
	a.halves[h.place], last.place = last, h.place
	a.halves[end] = nil
	a.halves = a.halves[:end]
	unused := end == 0 && table.of[h.done] == a
	if unused {
		delete(table.of, h.done)
	}
	table.mu.Unlock()
	if unused {
		a.stop() // or it rings for nobody
	}
	return true
}

// ring is the callback: it wakes them all. The lock is given up after each, for
// those who want to leave. Who finds that h was woken knows that ring has done with
// it, and may undo what it did.
func (a *alarm) ring(done <-chan struct{}) {
	table := alarmsOf(done)
	table.mu.Lock()
	if table.of[done] == a {
		delete(table.of, done)
	}
	for end := len(a.halves) - 1; end >= 0; end = len(a.halves) - 1 {
		h := a.halves[end]
		a.halves[end] = nil
		a.halves = a.halves[:end]
		h.setDeadline(past)
		h.alarm.Store(rung)
		table.mu.Unlock()
		table.mu.Lock()
	}
	table.mu.Unlock()
}
