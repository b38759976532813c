package channel_test

import (
	"context"
	"errors"
	"os"
	"slices"
	"testing"
	"testing/synctest"

	"pgregory.net/rapid"

	"trigo"
	"trigo/channel"
)

// TestAChannelBehavesAsItsModel does random things to a channel and to a
// model of it, and compares after each of them what every call returned, who
// still waits, and the statistics. In a bubble it is known when nothing more
// will happen.
func TestAChannelBehavesAsItsModel(t *testing.T) {
	steps, target := 0, 3_000
	if os.Getenv("TRIGO_SOAK") != "" {
		target = 100_000
	}
	synctest.Test(t, func(t *testing.T) {
		for steps < target && !t.Failed() {
			// A bubble has no deadline, and rapid must not ask for one.
			rapid.Check(struct{ testing.TB }{t}, func(t *rapid.T) {
				m := newModel(rapid.IntRange(0, 3).Draw(t, "size"))
				defer m.end()
				t.Repeat(map[string]func(*rapid.T){
					"send":                 m.send,
					"send without waiting": m.sendNoWait,
					"receive":              m.receive,
					"receive with no wait": m.receiveNoWait,
					"cancel":               m.cancel,
					"hand over, cancel":    m.handOverAndCancel,
					"take, cancel":         m.takeAndCancel,
					"call with a dead ctx": m.callDead,
					"close a sender":       m.closeSender,
					"close a receiver":     m.closeReceiver,
					"clone a sender":       m.cloneSender,
					"clone a receiver":     m.cloneReceiver,
					"":                     func(t *rapid.T) { steps++; m.check(t) },
				})
			})
		}
	})
	t.Logf("%d steps", steps)
}

// model is a channel as simple as can be: everything in plain slices.
type model struct {
	size             int
	buf              []int
	sends, receives  []*modelCall // that wait
	over             []*modelCall // that have to have returned by the next check
	senders          []*modelHandle[*channel.Sender[int]]
	receivers        []*modelHandle[*channel.Receiver[int]]
	next, peak, lost int
	s                *channel.Sender[int] // for the statistics
}

type modelHandle[H any] struct {
	h      H
	closed bool
}

type modelCall struct {
	*call[int]
	cancel  context.CancelCauseFunc
	through any // a *modelHandle
	v       int
	kind    error
}

func newModel(size int) *model {
	m := &model{size: size}
	s, r := channel.Open[int](size)
	m.s = s
	m.senders = append(m.senders, &modelHandle[*channel.Sender[int]]{h: s})
	m.receivers = append(m.receivers, &modelHandle[*channel.Receiver[int]]{h: r})
	return m
}

func (m *model) end() {
	for _, s := range m.senders {
		s.h.Close(background)
	}
	for _, r := range m.receivers {
		r.h.Close(background)
	}
	for _, c := range slices.Concat(m.sends, m.receives, m.over) {
		<-c.done
		c.cancel(nil)
	}
}

func openOf[H any](handles []*modelHandle[H]) (n int) {
	for _, h := range handles {
		if !h.closed {
			n++
		}
	}
	return n
}

// settle says how a call that waits, or has just begun, must end.
func (m *model) settle(c *modelCall, v int, kind error) {
	c.v, c.kind = v, kind
	m.over = append(m.over, c)
	isIt := func(other *modelCall) bool { return other == c }
	m.sends = slices.DeleteFunc(m.sends, isIt)
	m.receives = slices.DeleteFunc(m.receives, isIt)
}

// put is what sending does: the kind of error, or none if it has to wait.
func (m *model) put(s *modelHandle[*channel.Sender[int]], v int) (kind error, wait bool) {
	switch {
	case s.closed:
		return trigo.ErrClosed, false
	case openOf(m.receivers) == 0:
		return trigo.ErrBroken, false
	case len(m.receives) > 0:
		m.settle(m.receives[0], v, nil)
		return nil, false
	case len(m.buf) < m.size:
		m.buf = append(m.buf, v)
		m.peak = max(m.peak, len(m.buf))
		return nil, false
	}
	return nil, true
}

func (m *model) take(r *modelHandle[*channel.Receiver[int]]) (v int, kind error, wait bool) {
	if r.closed {
		return 0, trigo.ErrClosed, false
	}
	if len(m.sends) > 0 { // the first of them goes behind what is buffered
		m.buf = append(m.buf, m.sends[0].v)
		m.settle(m.sends[0], m.sends[0].v, nil)
	}
	switch {
	case len(m.buf) > 0:
		v, m.buf = m.buf[0], m.buf[1:]
		return v, nil, false
	case openOf(m.senders) == 0:
		return 0, trigo.ErrEndOfChannel, false
	}
	return 0, nil, true
}

func (m *model) begin(through any, f func(ctx context.Context) (int, error)) *modelCall {
	ctx, cancel := context.WithCancelCause(background)
	return &modelCall{begin(func() (int, error) { return f(ctx) }), cancel, through, 0, nil}
}

func (m *model) send(t *rapid.T) {
	s := rapid.SampledFrom(m.senders).Draw(t, "sender")
	m.next++
	v := m.next
	c := m.begin(s, func(ctx context.Context) (int, error) { return v, s.h.Send(ctx, v) })
	kind, wait := m.put(s, v)
	if wait {
		c.v = v
		m.sends = append(m.sends, c)
	} else {
		m.settle(c, v, kind)
	}
}

func (m *model) receive(t *rapid.T) {
	r := rapid.SampledFrom(m.receivers).Draw(t, "receiver")
	c := m.begin(r, r.h.Receive)
	v, kind, wait := m.take(r)
	if wait {
		m.receives = append(m.receives, c)
	} else {
		m.settle(c, v, kind)
	}
}

func (m *model) sendNoWait(t *rapid.T) {
	s := rapid.SampledFrom(m.senders).Draw(t, "sender")
	m.next++
	kind, wait := m.put(s, m.next)
	if wait {
		kind = trigo.ErrWouldBlock
	}
	if err := s.h.SendNoWait(m.next); !errors.Is(err, kind) {
		t.Fatalf("SendNoWait: %v, want %v", err, kind)
	}
}

func (m *model) receiveNoWait(t *rapid.T) {
	r := rapid.SampledFrom(m.receivers).Draw(t, "receiver")
	want, kind, wait := m.take(r)
	if wait {
		kind = trigo.ErrWouldBlock
	}
	if v, err := r.h.ReceiveNoWait(); v != want || !errors.Is(err, kind) {
		t.Fatalf("ReceiveNoWait: %v, %v, want %v, %v", v, err, want, kind)
	}
}

func (m *model) cancel(t *rapid.T) {
	waiting := slices.Concat(m.sends, m.receives)
	if len(waiting) == 0 {
		t.Skip("nobody waits")
	}
	c := rapid.SampledFrom(waiting).Draw(t, "call")
	m.settle(c, 0, errReason)
	c.cancel(errReason)
}

// handOverAndCancel cancels a receive that has its value already, but has had
// no time to notice.
func (m *model) handOverAndCancel(t *rapid.T) {
	if len(m.receives) == 0 {
		t.Skip("nobody waits")
	}
	c := m.receives[0]
	m.sendNoWait(t)
	c.cancel(errReason)
	if slices.Contains(m.receives, c) { // it was sent by a closed handle
		m.settle(c, 0, errReason)
	}
}

func (m *model) takeAndCancel(t *rapid.T) {
	if len(m.sends) == 0 {
		t.Skip("nobody waits")
	}
	c := m.sends[0]
	m.receiveNoWait(t)
	c.cancel(errReason)
	if slices.Contains(m.sends, c) {
		m.settle(c, 0, errReason)
	}
}

func (m *model) callDead(t *rapid.T) {
	s := rapid.SampledFrom(m.senders).Draw(t, "sender")
	r := rapid.SampledFrom(m.receivers).Draw(t, "receiver")
	kindOf := func(closed bool) error {
		if closed {
			return trigo.ErrClosed
		}
		return errReason
	}
	if err := s.h.Send(dead(), -1); !errors.Is(err, kindOf(s.closed)) {
		t.Fatalf("Send with a dead ctx: %v", err)
	}
	if _, err := r.h.Receive(dead()); !errors.Is(err, kindOf(r.closed)) {
		t.Fatalf("Receive with a dead ctx: %v", err)
	}
}

// seldom skips most of the steps that leave little to do for those after them.
func (m *model) seldom(t *rapid.T) {
	if rapid.IntRange(0, 5).Draw(t, "chance") > 0 {
		t.Skip("not this time")
	}
}

func (m *model) closeSender(t *rapid.T) {
	m.seldom(t)
	s := rapid.SampledFrom(m.senders).Draw(t, "sender")
	s.h.Close(background)
	s.closed = true
	m.failThrough(s)
	if openOf(m.senders) == 0 {
		for len(m.receives) > 0 {
			m.settle(m.receives[0], 0, trigo.ErrEndOfChannel)
		}
	}
}

func (m *model) closeReceiver(t *rapid.T) {
	m.seldom(t)
	r := rapid.SampledFrom(m.receivers).Draw(t, "receiver")
	r.h.Close(background)
	r.closed = true
	m.failThrough(r)
	if openOf(m.receivers) == 0 {
		m.lost += len(m.buf)
		m.buf = nil
		for len(m.sends) > 0 {
			m.settle(m.sends[0], 0, trigo.ErrBroken)
		}
	}
}

// failThrough ends the calls that wait through a handle which was closed.
func (m *model) failThrough(handle any) {
	for _, c := range slices.Concat(m.sends, m.receives) {
		if c.through == handle {
			m.settle(c, 0, trigo.ErrClosed)
		}
	}
}

func (m *model) cloneSender(t *rapid.T) {
	s := rapid.SampledFrom(m.senders).Draw(t, "sender")
	h, err := s.h.Clone()
	if s.closed != errors.Is(err, trigo.ErrClosed) {
		t.Fatalf("Clone: %v", err)
	}
	if err == nil {
		m.senders = append(m.senders, &modelHandle[*channel.Sender[int]]{h: h})
	}
}

func (m *model) cloneReceiver(t *rapid.T) {
	r := rapid.SampledFrom(m.receivers).Draw(t, "receiver")
	h, err := r.h.Clone()
	if r.closed != errors.Is(err, trigo.ErrClosed) {
		t.Fatalf("Clone: %v", err)
	}
	if err == nil {
		m.receivers = append(m.receivers, &modelHandle[*channel.Receiver[int]]{h: h})
	}
}

func (m *model) check(t *rapid.T) {
	synctest.Wait()
	for _, c := range m.over {
		select {
		case <-c.done:
		default:
			t.Fatalf("a call waits that should have returned %v, %v", c.v, c.kind)
		}
		if !errors.Is(c.err, c.kind) || c.kind == nil && c.call.v != c.v {
			t.Fatalf("a call returned %v, %v, want %v, %v", c.call.v, c.err, c.v, c.kind)
		}
		c.cancel(nil)
	}
	m.over = nil
	for _, c := range slices.Concat(m.sends, m.receives) {
		select {
		case <-c.done:
			t.Fatalf("a call returned %v, %v, that should wait", c.call.v, c.err)
		default:
		}
	}
	want := channel.Statistics{
		Size: m.size, Buffered: len(m.buf), Peak: m.peak, Lost: m.lost,
		Senders: openOf(m.senders), Receivers: openOf(m.receivers),
		WaitingToSend: len(m.sends), WaitingToReceive: len(m.receives),
	}
	if got := m.s.Statistics(); got != want {
		t.Fatalf("statistics:\n got %+v\nwant %+v", got, want)
	}
}
