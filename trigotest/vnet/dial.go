package vnet

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"syscall"
	"time"

	"trigo"
)

// Of a connection that nobody answers: the first SYN is repeated after a
// second, then after two, and so on, six times.
const (
	firstRetry = time.Second
	retries    = 6
)

// dial makes one connection, as connect(2) does, from local, of which the
// address, the port or both may be missing.
func (h *Host) dial(ctx context.Context, local, remote netip.AddrPort) (*end, error) {
	d, err := h.newDialling(ctx, local, remote)
	if err != nil {
		return nil, err
	}
	for try := range retries + 1 {
		e, err := d.attempt(ctx)
		if err != nil {
			return nil, err
		}
		if e != nil {
			// The dice may make the answer take any number of seconds.
			if err := e.awaitAnswer(ctx, time.Now().Add(firstRetry<<(retries+1))); err != nil {
				trigo.CloseForcefully(e)
				return nil, err
			}
			return e, nil
		}
		if err := sleep(ctx, firstRetry<<try); err != nil {
			return nil, err
		}
	}
	return nil, syscall.ETIMEDOUT
}

// dialling is one call of dial.
type dialling struct {
	from, to *Host
	local    netip.AddrPort
	remote   netip.AddrPort
	flow     string
	dice     *rand.Rand
}

func (h *Host) newDialling(ctx context.Context, local, remote netip.AddrPort) (*dialling, error) {
	if err := trigo.CancelError(ctx); err != nil {
		return nil, err
	}
	defer h.n.lock()()
	remote = destination(netip.AddrPortFrom(remote.Addr().Unmap(), remote.Port()))
	src, err := h.source(local.Addr(), remote.Addr())
	if err != nil {
		return nil, err
	}
	port := local.Port()
	if port == 0 {
		if port, err = h.dialPort(src, remote); err != nil {
			return nil, err
		}
	}
	d := &dialling{from: h, to: h.peer(remote.Addr()), local: netip.AddrPortFrom(src, port), remote: remote}
	d.flow = flowName(d.local, d.remote)
	d.dice = h.n.dice("dial " + d.flow)
	if d.to == nil {
		h.n.note(d.flow, "finds no such host")
		return nil, syscall.EHOSTUNREACH
	}
	h.n.note(d.flow, "dials")
	return d, nil
}

func flowName(from, to netip.AddrPort) string { return fmt.Sprintf("%v>%v", from, to) }

// attempt sends a SYN. It returns nil, nil if that, or the room in the backlog
// for it, is missing.
func (d *dialling) attempt(ctx context.Context) (*end, error) {
	if arrived, err := d.cross(ctx, d.from, d.to); !arrived {
		return nil, err
	}
	if e, refused := d.knock(); !refused {
		return e, nil
	}
	if arrived, err := d.cross(ctx, d.to, d.from); !arrived {
		return nil, err // the refusal got lost
	}
	return nil, syscall.ECONNREFUSED
}

// knock is what becomes of a SYN that has arrived: a connection, or nothing if there
// is no room for one.
func (d *dialling) knock() (e *end, refused bool) {
	n := d.from.n
	defer n.lock()()
	l := d.to.listenerAt(d.remote)
	switch {
	case l == nil:
		n.note(d.flow, "is refused")
		return nil, true
	case len(l.pending) >= l.backlog:
		n.note(d.flow, "finds the backlog full")
		return nil, false
	}
	return n.connect(d, l), false
}

// cross takes a packet from one host to another and reports whether it arrived: a
// partition that begins meanwhile keeps it.
func (d *dialling) cross(ctx context.Context, from, to *Host) (arrived bool, err error) {
	n := from.n
	n.mu.Lock()
	way := n.between(from, to)
	partings := way.partings
	delay, ok := n.travel(way, d.dice, d.flow)
	arrives := time.Now().Add(delay)
	n.mu.Unlock()
	if !ok {
		return false, nil
	}
	if err := sleep(ctx, delay); err != nil {
		return false, err
	}
	defer n.lock()()
	if way.partings != partings && way.partedAt.Before(arrives) {
		n.counts.Parted++
		n.note(d.flow, "meets a partition")
		return false, nil
	}
	return true, nil
}

// travel returns how long a packet takes, and whether it arrives at all; n.mu is
// held.
func (n *Network) travel(l *link, dice *rand.Rand, flow string) (time.Duration, bool) {
	delay := l.delay(dice)
	switch {
	case l.parted:
		n.counts.Parted++
		n.note(flow, "meets a partition")
		return 0, false
	case dice.Float64() < l.Loss:
		n.counts.Lost++
		n.note(flow, "is lost")
		return 0, false
	}
	return delay, true
}

func (l *link) delay(dice *rand.Rand) time.Duration {
	d := l.Latency
	if l.Jitter > 0 {
		d += time.Duration(dice.Int64N(int64(l.Jitter) + 1))
	}
	return d
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return trigo.CancelError(ctx)
	}
}
