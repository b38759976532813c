// Package vigil saves those who wait in memory, again and again, the select on
// ctx.Done().
//
// # The problem
//
// A goroutine that waits for another of the same process, and for its ctx,
// receives from two channels at once. That select takes the locks of both and
// stands in both their queues, and the channel of a ctx is shared by everything
// that runs under it: of the time that a value takes from one goroutine to
// another, two fifths went there.
//
// # The rule
//
// Who waits receives from a channel of its own and nothing else. For the end of
// the ctx there is a context.AfterFunc, which wakes all that wait under that ctx
// in one place, such as one line of a channel. It is registered once and kept
// from wait to wait, for as long as the same Done channel comes back:
//
//  1. Only when the last [worthwhile] waits had the same Done channel is it
//     registered, in place of the one before. Where each call brings a ctx of its
//     own, nothing ever is. Who waits under a ctx that is not registered uses the
//     select.
//  2. It holds on to nothing. A function that is kept at a long-lived ctx must
//     not keep alive a channel that was forgotten without being closed, so
//     [Vigil.Keep] is given one that does not reach its owner, except through a
//     weak pointer. When the owner is collected, the registration is dropped.
//  3. In a bubble of testing/synctest nothing is registered. A ctx may come from
//     outside and be cancelled there; the function would run there too, and to
//     wake somebody in a bubble from outside is a fatal error. A select can be in
//     both worlds.
//
// Registrations are compared by Done channel and never by context: contexts may
// be of a type that == panics on, and those made with context.WithValue share
// their channel with the one below.
//
// # What was rejected
//
//   - One function for all places that wait under a ctx, as package pollio has.
//     The table of those would keep the forgotten alive.
//   - Having one of those who wait do the select for all. In a line they leave in
//     the order in which they came, so each would be woken twice: once to take
//     over, once for its value.
package vigil

import (
	"context"
	"runtime"
	"time"
)

// worthwhile is how many waits in a row have the same ctx before it is
// registered. That costs about as much as ten selects.
const worthwhile = 16

// A Vigil is the registration of one place where goroutines wait. The zero value
// has none. All methods are called with the lock of the place held, or by the one
// who alone may wait there. Keep and Drop take locks of the ctx under it; that is
// safe because a ctx never rings while it holds them, but from a goroutine of its
// own.
type Vigil struct {
	kept  *registration
	last  <-chan struct{} // Done channel of the last wait that had to select
	times int             // how many in a row had that
}

// registration is an object of its own so that the end of it is noticed.
type registration struct {
	done <-chan struct{}
	stop func() bool
}

// Covers is asked before each wait. It reports whether who waits will be woken
// when this Done channel is closed, and need not look at it.
func (v *Vigil) Covers(done <-chan struct{}) bool {
	if done == nil {
		return true
	}
	if v.kept != nil && v.kept.done == done {
		v.times = 0
		return true
	}
	if v.last != done {
		v.last, v.times = done, 0
	}
	v.times++
	return false
}

// Worthwhile reports, after Covers was false, whether to Keep that ctx. It is not
// to be kept while somebody waits who is covered by another one.
func (v *Vigil) Worthwhile() bool {
	if v.times < worthwhile {
		return false
	}
	v.times = 0 // if it is not kept, do not ask again at once
	return !inBubble()
}

// Keep registers ring, which is called in a goroutine of its own when ctx ends,
// in place of what was registered before. From then on the ctx is covered. What
// ring refers to lives as long as ctx, unless the vigil is dropped or collected.
func (v *Vigil) Keep(ctx context.Context, ring func()) {
	v.Drop()
	v.kept = &registration{ctx.Done(), context.AfterFunc(ctx, ring)}
	runtime.AddCleanup(v.kept, func(stop func() bool) { stop() }, v.kept.stop)
	v.last = nil
}

// Ended is how a ring begins that is the only way to learn of the end: who comes
// after it, with a ctx that was alive a moment ago, is covered no more.
func (v *Vigil) Ended(done <-chan struct{}) {
	if v.kept != nil && v.kept.done == done {
		v.Drop()
	}
}

// Drop ends the registration, if there is one. A ring that is already on its way
// still comes.
func (v *Vigil) Drop() {
	if v.kept != nil {
		v.kept.stop()
		v.kept = nil
	}
}

// inBubble reports whether the caller runs in a bubble of testing/synctest. There,
// and only there, the time has no monotonic clock.
func inBubble() bool {
	now := time.Now()
	return now == now.Round(0)
}
