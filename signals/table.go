package signals

import (
	"os"
	"os/signal"
	"slices"
	"sync"
	"syscall"
)

// table is what the process knows about its signals: dispositions belong to the
// process, so there is one.
//
// Package os/signal never waits for the channels that it sends to: what does
// not fit is dropped. To lose nothing, each signal has a channel of its own,
// with room for one. If that is full the same signal is still to be received,
// and the two count as one; so a flood of one signal cannot push out another,
// and no goroutine has to stand by. What is lost that way is the order in which
// different signals arrived. For that each receiver has one more channel, which
// gets a copy of everything and is used for nothing else: a signal has arrived
// when it is in its own channel. (Copies reach the channels in no certain order,
// so whoever counted both would count some signals twice.)
//
// The alternative was a goroutine that empties one large channel all the time.
// It would belong to no call, and a large channel too can be full before the
// goroutine gets its turn.
var table = signalTable{watched: make(map[syscall.Signal]*watch)}

type signalTable struct {
	sync.Mutex
	watched map[syscall.Signal]*watch
}

// watch is a signal that has receivers.
type watch struct {
	arrived   chan os.Signal // room for one
	receivers []*Receiver    // the last one gets it
	ignored   bool           // before the first of them
}

func (w *watch) top() *Receiver { return w.receivers[len(w.receivers)-1] }

// putBack undoes a receive of n by r, and wakes who is to have it now if that is
// somebody else.
func (w *watch) putBack(n syscall.Signal, r *Receiver) {
	select {
	case w.arrived <- n:
	default: // it has arrived once more, and that counts as one
	}
	if top := w.top(); top != r {
		top.wake()
	}
}

// push makes r the receiver of n. What has arrived so far goes to the one that
// it comes before.
func (t *signalTable) push(n syscall.Signal, r *Receiver) {
	w := t.watched[n]
	if w == nil {
		w = &watch{arrived: make(chan os.Signal, 1), receivers: []*Receiver{r}, ignored: signal.Ignored(n)}
		t.watched[n] = w
		signal.Notify(w.arrived, n)
		return
	}
	w.top().collect()
	w.receivers = append(w.receivers, r)
}

// pop takes r off n. If it was the last receiver it restores the disposition;
// arrived is true if the signal came as late as that.
func (t *signalTable) pop(n syscall.Signal, r *Receiver) (arrived bool) {
	w := t.watched[n]
	if len(w.receivers) > 1 {
		t.remove(w, r)
		return false
	}
	delete(t.watched, n)
	signal.Stop(w.arrived) // returns when nothing is on its way any more
	if w.ignored {
		signal.Ignore(n)
	}
	return len(w.arrived) > 0
}

// remove takes r from among the receivers of w, of which there are others.
func (t *signalTable) remove(w *watch, r *Receiver) {
	w.receivers = slices.DeleteFunc(w.receivers, func(other *Receiver) bool { return other == r })
	w.top().collect() // or its hints of what r received would count for what comes later
	w.top().wake()
}
