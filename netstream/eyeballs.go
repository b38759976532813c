package netstream

import (
	"context"
	"errors"
	"net/netip"
	"sync"
	"time"

	"trigo/nursery"
)

// Happy eyeballs: how one connection is made to a name with many addresses.
//
// # The problem
//
// Some addresses of a name may not answer, often all those of one family, and
// TCP takes minutes to notice. Tried one after the other, a dead first address
// costs those minutes; tried all at once, every connection costs the server as
// many as it has addresses.
//
// # The rule
//
// The attempts are staggered. The next one starts when the latest one has
// failed, or has not answered for a while (250 ms: more than a round trip to
// most places, less than people notice). The first connection wins and the
// other attempts are cancelled. Only the failure of the latest attempt hurries
// the next: when an older one fails at last, nothing new was learnt about the
// one that is being waited for.
//
// The families take turns (RFC 8305, section 4), because addresses mostly fail
// by family.
//
// # What was rejected
//
//   - net.Dialer's own race: it has two lanes, one for each family, and goes
//     through each of them strictly one by one (RFC 6555). Two dead addresses of
//     one family cost two whole timeouts.
//   - To return at once and let the losers end in the background: nothing
//     outlives its call. A cancelled attempt ends in microseconds.
//   - To look up the families separately and start with the one that answers
//     first: the system's resolver answers for both together.

// Why attempts ended that nothing was wrong with.
var (
	errOutrun     = errors.New("another address was first")
	errUnanswered = errors.New("no answer")
)

// interleave reorders addresses so that the families take turns, beginning with
// that of the first. Within a family the order stays.
func interleave(addrs []netip.Addr) []netip.Addr {
	var same, other []netip.Addr
	for _, a := range addrs {
		if a.Is4() == addrs[0].Is4() {
			same = append(same, a)
		} else {
			other = append(other, a)
		}
	}
	turns := make([]netip.Addr, 0, len(addrs))
	for i := range max(len(same), len(other)) {
		if i < len(same) {
			turns = append(turns, same[i])
		}
		if i < len(other) {
			turns = append(turns, other[i])
		}
	}
	return turns
}

// race dials the addresses in order, staggered by delay (negative: each waits
// for the failure of the one before), and returns the first connection, if
// there is one, and what became of each attempt. It returns when every attempt
// has ended; connections that came too late are discarded. If dial panics, so
// does race, with nothing left open.
func race[C any](
	ctx context.Context,
	addrs []netip.AddrPort,
	delay time.Duration,
	dial func(context.Context, netip.AddrPort) (C, error),
	discard func(C),
) (winner C, attempts []DialAttempt, won bool) {
	if len(addrs) == 1 {
		return alone(ctx, addrs[0], dial)
	}
	r := &racing[C]{addrs: addrs, delay: delay, dial: dial, discard: discard, began: time.Now()}
	r.attempts = make([]DialAttempt, 0, len(addrs)) // never grown: each attempt writes to its own
	settled := false
	defer func() {
		if !settled && r.won { // a panic passes through
			discard(r.winner)
		}
	}()
	nursery.Run(ctx, func(ctx context.Context, n *nursery.Nursery) error {
		r.n = n
		r.from(ctx, 0)
		return nil
	})
	settled = true
	return r.winner, r.attempts, r.won
}

// racing is a race under way. Attempts are made in the goroutine of the one before,
// when that has failed, or in a new one, when it is overdue: where nothing is
// dead, no goroutine is started.
type racing[C any] struct {
	addrs   []netip.AddrPort
	delay   time.Duration
	dial    func(context.Context, netip.AddrPort) (C, error)
	discard func(C)
	began   time.Time
	n       *nursery.Nursery

	attempts []DialAttempt // grows with each that is started, one after the other

	mu     sync.Mutex // guards the rest
	winner C
	won    bool
}

// from makes the attempts from the ith on.
func (r *racing[C]) from(ctx context.Context, i int) {
	for i < len(r.addrs) && ctx.Err() == nil && r.failed(ctx, i) {
		i++
	}
}

// failed makes the ith attempt and reports whether it has failed, and before it was
// overdue. If it is overdue, the rest goes on beside it.
func (r *racing[C]) failed(ctx context.Context, i int) (inTime bool) {
	r.attempts = append(r.attempts, DialAttempt{Address: r.addrs[i], Start: time.Since(r.began)})
	a := &r.attempts[i]
	if r.delay >= 0 && i+1 < len(r.addrs) {
		overdue := make(chan struct{})
		timer := time.AfterFunc(r.delay, func() {
			defer close(overdue)
			if ctx.Err() == nil {
				r.n.Go(func(ctx context.Context) error {
					r.from(ctx, i+1)
					return nil
				})
			}
		})
		defer func() {
			if !timer.Stop() {
				<-overdue // the nursery must be open until then
				inTime = false
			}
		}()
	}
	conn, err := r.dial(ctx, a.Address)
	a.Duration = time.Since(r.began) - a.Start
	if err != nil {
		a.Err = whyFailed(ctx, err)
		return true
	}
	r.mu.Lock()
	late := r.won
	if !late {
		r.winner, r.won, a.Won = conn, true, true
		r.n.Cancel(errOutrun)
	}
	r.mu.Unlock()
	if late {
		a.Err = errOutrun
		r.discard(conn)
	}
	return false
}

// alone is the race of one: it needs no goroutine.
func alone[C any](
	ctx context.Context,
	addr netip.AddrPort,
	dial func(context.Context, netip.AddrPort) (C, error),
) (winner C, attempts []DialAttempt, won bool) {
	if ctx.Err() != nil {
		return winner, nil, false
	}
	began := time.Now()
	conn, err := dial(ctx, addr)
	a := DialAttempt{Address: addr, Duration: time.Since(began), Won: err == nil}
	if err != nil {
		a.Err = whyFailed(ctx, err)
		return winner, []DialAttempt{a}, false
	}
	return conn, []DialAttempt{a}, true
}

// whyFailed tells an attempt that failed from one that was given up.
func whyFailed(ctx context.Context, err error) error {
	switch {
	case !nursery.IsCancellation(ctx, err):
		return err
	case context.Cause(ctx) == errOutrun:
		return errOutrun
	}
	return errUnanswered
}
