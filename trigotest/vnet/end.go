package vnet

import (
	"bytes"
	"math/rand/v2"
	"net/netip"
	"slices"
	"syscall"
	"time"

	"trigo"
)

// A connection, without goroutines: what is sent is put down at the other end
// with the time at which it arrives, and whoever receives waits until then. So
// nothing happens in the network but what a caller does, and there is nothing
// to clean up.

const (
	segmentSize = 1460     // what one packet carries
	windowSize  = 64 << 10 // how far a sender may be ahead of the receiver's program
	firstResend = 200 * time.Millisecond
	maxResends  = 8
)

// conn is a connection; the first end is the one that has dialled.
type conn struct{ ends [2]*end }

// end is one end of a connection. Everything in it is guarded by the network.
type end struct {
	n             *Network
	host          *Host
	peer          *end
	local, remote netip.AddrPort
	flow          string     // from here to the peer
	link          *link      // likewise
	dice          *rand.Rand // likewise

	in          []segment // from the peer, under way or not received yet; in the order of arrival
	lastArrival time.Time // of what is in, or was
	reset       *arrival  // of a RST

	unread    int   // bytes that the peer has sent and this end has not received
	broken    error // why nothing works any more
	ended     bool  // the peer's end of file was received
	sentEOF   bool
	deaf      bool // its receiving side is shut down
	closed    bool
	bound     *listener // what keeps the local address, if it was chosen before
	sending   bool
	receiving bool

	toSender, toReceiver chan struct{} // one token: look again
}

// segment is a packet that arrives for sure, if late.
type segment struct {
	arrival
	kind kind
	data []byte
}

// arrival is when something arrives; not while it is held back.
type arrival struct {
	at   time.Time
	held bool
}

func (a arrival) due(now time.Time) bool { return !a.held && !now.Before(a.at) }

type kind int

const (
	data kind = iota
	fin
	answer // to a SYN
)

// connect makes a connection that l may accept; n.mu is held.
func (n *Network) connect(d *dialling, l *listener) *end {
	newEnd := func(host, to *Host, local, remote netip.AddrPort) *end {
		flow := flowName(local, remote)
		return &end{
			n: n, host: host, local: local, remote: remote,
			flow: flow, link: n.between(host, to), dice: n.dice("tcp " + flow),
			toSender: make(chan struct{}, 1), toReceiver: make(chan struct{}, 1),
		}
	}
	near, far := newEnd(d.from, d.to, d.local, d.remote), newEnd(d.to, d.from, d.remote, d.local)
	near.peer, far.peer = far, near
	n.conns = append(n.conns, &conn{[2]*end{near, far}})
	n.note(d.flow, "connects")
	far.emit(answer, nil)
	l.pending = append(l.pending, far)
	signal(l.changed)
	return near
}

// emit sends a segment to the peer. It owns p.
func (e *end) emit(k kind, p []byte) {
	e.n.note(e.flow, "%s", describe(k, len(p)))
	arrives := arrival{e.link.leave(time.Now(), len(p)).Add(e.link.delay(e.dice)), e.link.parted}
	resend := firstResend
	if k == answer {
		resend = firstRetry
	}
	for range maxResends {
		if e.dice.Float64() >= e.link.Loss {
			break
		}
		e.n.counts.Lost++
		e.n.note(e.flow, "is lost and sent again after %v", resend)
		arrives.at = arrives.at.Add(resend)
		resend *= 2
	}
	if e.link.parted {
		e.n.counts.Parted++
		e.n.note(e.flow, "is held back by a partition")
	}
	switch {
	case k == data && e.dice.Float64() < e.link.Reset:
		e.n.counts.Reset++
		e.n.note(e.flow, "meets a reset")
		e.peer.resetAt(arrives)
		e.resetAt(arrives)
	case e.peer.closed:
		if k == data {
			e.resetAt(arrives.later(e.peer.link.Latency))
		}
	default:
		e.peer.arrive(segment{arrives, k, p})
	}
}

func describe(k kind, n int) string {
	switch k {
	case fin:
		return "sends the end"
	case answer:
		return "answers"
	}
	return "sends " + plural(n)
}

func (a arrival) later(d time.Duration) arrival { return arrival{a.at.Add(d), a.held} }

// arrive puts a segment into what this end will receive.
func (e *end) arrive(s segment) {
	if s.at.Before(e.lastArrival) {
		s.at = e.lastArrival // what was sent later does not come earlier
	}
	e.lastArrival = s.at
	e.unread += len(s.data)
	e.in = append(e.in, s)
	signal(e.toReceiver)
}

// resetAt has a RST arrive at this end.
func (e *end) resetAt(a arrival) {
	if e.reset != nil || e.closed {
		return
	}
	e.reset = &a
	signal(e.toSender)
	signal(e.toReceiver)
}

// poll lets a RST that has arrived take effect.
func (e *end) poll(now time.Time) {
	if e.reset == nil || e.broken != nil || !e.reset.due(now) {
		return
	}
	e.n.note(e.flow, "is reset")
	e.broken = trigo.Broken(syscall.ECONNRESET)
	e.in, e.unread = nil, 0
	signal(e.toSender)
	signal(e.toReceiver)
}

// next returns when something will happen at this end, as far as is known. The
// zero time is never.
func (e *end) next(receives bool) time.Time {
	var at time.Time
	if e.reset != nil && !e.reset.held && e.broken == nil {
		at = e.reset.at
	}
	if receives && len(e.in) > 0 && !e.in[0].held && (at.IsZero() || e.in[0].at.Before(at)) {
		at = e.in[0].at
	}
	return at
}

// readable reports whether receiving would not wait.
func (e *end) readable(now time.Time) bool {
	return e.broken != nil || e.ended || e.deaf || len(e.in) > 0 && e.in[0].due(now)
}

// peek copies what take would take.
func (e *end) peek(p []byte, now time.Time) int {
	n := 0
	for i := 0; n < len(p) && i < len(e.in) && e.in[i].kind == data && e.in[i].due(now); i++ {
		n += copy(p[n:], e.in[i].data)
	}
	return n
}

// take takes up to len(p) bytes of what has arrived.
func (e *end) take(p []byte, now time.Time) int {
	n := 0
	for n < len(p) && len(e.in) > 0 && e.in[0].kind == data && e.in[0].due(now) {
		s := &e.in[0]
		m := copy(p[n:], s.data)
		n += m
		if s.data = s.data[m:]; len(s.data) == 0 {
			e.in = e.in[1:]
		}
	}
	if n > 0 {
		e.unread -= n
		signal(e.peer.toSender)
		e.n.note(e.flow, "receives %s", plural(n))
	}
	return n
}

// takeMark takes the next segment if it is of this kind and has arrived.
func (e *end) takeMark(k kind, now time.Time) bool {
	if len(e.in) == 0 || e.in[0].kind != k || !e.in[0].due(now) {
		return false
	}
	e.in = e.in[1:]
	return true
}

// room is how many bytes may be sent now.
func (e *end) room() int { return windowSize - e.peer.unread }

// shut closes this end, as close(2) does.
func (e *end) shut() {
	if e.closed {
		return
	}
	now := time.Now()
	e.poll(now)
	e.closed = true
	if e.broken == nil {
		back := arrival{now.Add(e.link.delay(e.dice)), e.link.parted}
		at := slices.IndexFunc(e.in, func(s segment) bool { return s.kind == data })
		switch {
		case at >= 0 && e.in[at].due(now):
			e.n.note(e.flow, "closes with input unread, which is a reset")
			e.peer.resetAt(back)
		case !e.sentEOF:
			e.emit(fin, nil)
			fallthrough
		default:
			if at >= 0 {
				e.peer.resetAt(e.in[at].later(e.link.Latency))
			}
		}
	}
	e.leave()
}

// abort closes this end with a RST.
func (e *end) abort() {
	if e.closed {
		return
	}
	e.closed = true
	e.n.note(e.flow, "aborts")
	e.peer.resetAt(arrival{time.Now().Add(e.link.delay(e.dice)), e.link.parted})
	e.leave()
}

// leave is what shut and abort end with.
func (e *end) leave() {
	e.in = nil
	signal(e.toSender)
	signal(e.toReceiver)
	if e.bound != nil {
		e.bound.shut()
	}
	if e.peer.closed {
		e.n.conns = slices.DeleteFunc(e.n.conns, func(c *conn) bool { return c.ends[0] == e || c.ends[1] == e })
	}
}

// onPartition holds back what is on its way to this end, or lets it go.
func (e *end) onPartition(parted bool) {
	now := time.Now()
	e.poll(now)
	// Senders do not try again in step: two that did would arrive in the same
	// instant, and nobody could say which of them is first.
	again := time.Duration(e.peer.dice.Int64N(int64(firstResend)))
	apply := func(a *arrival, n int) {
		switch {
		case parted && a.at.After(now):
			a.held = true
			e.n.counts.Parted++
		case !parted && a.held:
			a.held = false
			a.at = e.peer.link.leave(now, n).Add(again + e.peer.link.Latency)
			e.lastArrival = a.at
		}
	}
	for i := range e.in {
		apply(&e.in[i].arrival, len(e.in[i].data))
	}
	if e.reset != nil {
		apply(e.reset, 0)
	}
	signal(e.toSender)
	signal(e.toReceiver)
}

// packets cuts p into segments, and says how much it was; no more than max.
func packets(p []byte, max int) (segments [][]byte, n int) {
	for len(p) > 0 && n < max {
		size := min(len(p), segmentSize, max-n)
		segments = append(segments, bytes.Clone(p[:size]))
		p, n = p[size:], n+size
	}
	return segments, n
}
