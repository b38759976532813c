package fault

import (
	"bytes"
	"context"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"trigo"
)

// direction is one half of a stream. All of it but busy belongs to the holder
// of busy.
type direction struct {
	busy  atomic.Bool
	s     *Stream
	name  Direction
	dice  *rand.Rand
	count int64     // bytes that have passed
	free  time.Time // when the bandwidth allows more
	stuck bool      // a stall has begun

	delay, jitter, chunk, bandwidth *atomic.Int64 // how often each fired; nil if not planned
}

func (d *direction) init(s *Stream, name Direction, salt uint64) {
	d.s, d.name = s, name
	d.dice = rand.New(rand.NewPCG(s.plan.Seed, salt)) // each direction its own: they may run in any order
	p := s.plan
	d.delay = s.fired["delay="+p.Delay.String()]
	d.jitter = s.fired["jitter="+p.Jitter.String()]
	d.chunk = s.fired[p.chunk()]
	d.bandwidth = s.fired["bandwidth="+formatSize(p.Bandwidth)+"/s"]
}

// begin is how every call begins: it takes the direction for the call.
func (d *direction) begin(ctx context.Context) error {
	select {
	case <-d.s.shut:
		return trigo.ErrClosed
	default:
	}
	if err := trigo.CancelError(ctx); err != nil {
		return err
	}
	if !d.busy.CompareAndSwap(false, true) {
		return trigo.ErrBusy
	}
	return nil
}

// next waits and lets happen what comes before the next bytes, and returns how
// many of max may pass at once.
func (d *direction) next(ctx context.Context, max int) (int, error) {
	if max > 0 {
		if err := d.events(ctx); err != nil {
			return 0, err
		}
	}
	if e := d.s.ended.Load(); e != nil {
		if d.name == Send {
			return 0, e.send
		}
		return 0, e.receive
	}
	if max == 0 {
		return 0, nil
	}
	if err := d.wait(ctx); err != nil {
		return 0, err
	}
	return d.upToEvent(d.cut(max)), nil
}

// events lets happen what is due, except for flips.
func (d *direction) events(ctx context.Context) error {
	for i, e := range d.s.plan.At {
		if e.Kind == Flip || !d.concerns(e) || e.Offset > d.count {
			continue
		}
		first := d.s.events[i].CompareAndSwap(false, true)
		if first {
			d.s.fired[e.String()].Add(1)
		}
		if e.Kind == Stall && (first || d.stuck) {
			d.stuck = true
			return d.s.happen(ctx, Stall)
		}
		if first {
			if err := d.s.happen(ctx, e.Kind); err != nil {
				return err
			}
		}
	}
	return nil
}

func (d *direction) concerns(e Event) bool { return e.Direction == Either || e.Direction == d.name }

// wait waits for the delay and the bandwidth.
func (d *direction) wait(ctx context.Context) error {
	pause := d.s.plan.Delay
	if pause > 0 {
		d.delay.Add(1)
	}
	if j := d.s.plan.Jitter; j > 0 {
		if more := time.Duration(d.dice.Int64N(int64(j) + 1)); more > 0 {
			pause += more
			d.jitter.Add(1)
		}
	}
	if d.s.plan.Bandwidth > 0 {
		if busy := time.Until(d.free); busy > 0 {
			d.bandwidth.Add(1)
			pause = max(pause, busy)
		}
	}
	if pause <= 0 {
		return nil
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return trigo.CancelError(ctx)
	case <-d.s.shut:
		return trigo.ErrClosed
	}
}

// cut makes a chunk of n bytes. A bandwidth cuts too: what passes at once is
// what it allows in a hundredth of a second.
func (d *direction) cut(n int) int {
	p := d.s.plan
	if p.ChunkMax > 0 {
		size := p.ChunkMax
		if p.ChunkMin > 0 {
			size = p.ChunkMin + d.dice.IntN(p.ChunkMax-p.ChunkMin+1)
		}
		if size < n {
			d.chunk.Add(1)
			n = size
		}
	}
	if p.Bandwidth > 0 {
		n = min(n, max(1, int(p.Bandwidth/100)))
	}
	return n
}

// upToEvent keeps n bytes from passing the place of an event that is yet to
// come.
func (d *direction) upToEvent(n int) int {
	for i, e := range d.s.plan.At {
		if e.Kind != Flip && d.concerns(e) && !d.s.events[i].Load() {
			n = int(min(int64(n), e.Offset-d.count))
		}
	}
	return n
}

// flipped returns p, or a copy of it in which the bytes that a plan wants to be
// turned over are.
func (d *direction) flipped(p []byte) []byte {
	for i, e := range d.s.plan.At {
		at := e.Offset - d.count
		if e.Kind != Flip || !d.concerns(e) || at < 0 || at >= int64(len(p)) || !d.s.events[i].CompareAndSwap(false, true) {
			continue
		}
		d.s.fired[e.String()].Add(1)
		p = bytes.Clone(p)
		p[at] ^= 0xff
	}
	return p
}

// passed counts n bytes.
func (d *direction) passed(n int) {
	d.count += int64(n)
	if b := d.s.plan.Bandwidth; b > 0 && n > 0 {
		now := time.Now()
		if d.free.Before(now) {
			d.free = now
		}
		d.free = d.free.Add(time.Duration(int64(n) * int64(time.Second) / b))
	}
}
