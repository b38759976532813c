package local

import (
	"context"
	"errors"
	"io"
	"slices"
	"sync"

	"trigo"
)

// ErrLagged is what a member of a hub fails with that receives too slowly.
var ErrLagged = errors.New("fell too far behind the others")

// defaultLag is how far a member of a hub may fall behind.
const defaultLag = 1 << 20

// A Hub joins streams: what one member sends, all others receive.
//
// What is sent by one SendAll stays together, and reaches everybody in the
// same order. Sending never waits. Each member has a queue for what it has not
// received yet. Who falls behind by more than the limit, and by more than one
// SendAll, loses the queue and receives an error that Is [ErrLagged] and
// [trigo.ErrBroken] from then on. Bytes are never left out silently, and a slow
// member never holds up the others.
//
// Members come and go: a member that sends its end of file or is closed only
// stops to send. Members receive an end of file when the hub is closed.
type Hub struct {
	limit int

	mu      sync.Mutex
	closed  bool
	members []*member
}

var _ trigo.Resource = (*Hub)(nil)

// NewHub returns a hub without members. A member may fall behind by limit bytes;
// if that is 0, by 1 MiB.
func NewHub(limit int) *Hub {
	if limit <= 0 {
		limit = defaultLag
	}
	return &Hub{limit: limit}
}

// member is a stream of a hub. Its hub's mu guards what is not of end.
type member struct {
	end
	hub    *Hub
	queue  []byte
	lagged bool
	wake   chan struct{} // a token if there may be something new for the receiver
}

// Join returns a new member. It receives what is sent from now on; nothing but
// the end of file, if the hub is closed.
func (h *Hub) Join() trigo.HalfCloseableStream {
	m := &member{end: newEnd("hub"), hub: h, wake: make(chan struct{}, 1)}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.members = append(h.members, m)
	return m
}

// Close ends the hub: its members receive what is still in their queues, and
// then the end of file. What they send from then on goes nowhere, and their
// sends are [trigo.ErrBroken].
func (h *Hub) Close(ctx context.Context) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for _, m := range h.members {
		m.notify()
	}
	return nil
}

var errHubClosed = errors.New("the hub is closed")

func (m *member) SendAll(ctx context.Context, p []byte) error {
	if err := m.beginSend(ctx); err != nil {
		return m.fail("send", 0, err)
	}
	defer m.sending.Store(false)
	m.hub.mu.Lock()
	defer m.hub.mu.Unlock()
	if m.hub.closed {
		return m.fail("send", 0, trigo.Broken(errHubClosed))
	}
	for _, other := range m.hub.members {
		if other != m && !other.lagged && len(p) > 0 {
			other.put(p)
		}
	}
	return nil
}

// put adds p to what m has yet to receive.
func (m *member) put(p []byte) {
	if len(m.queue) > 0 && len(m.queue)+len(p) > m.hub.limit {
		m.queue, m.lagged = nil, true
	} else {
		m.queue = append(m.queue, p...)
	}
	m.notify()
}

func (m *member) notify() {
	select {
	case m.wake <- struct{}{}:
	default:
	}
}

func (m *member) ReceiveSome(ctx context.Context, p []byte) (int, error) {
	if err := m.beginReceive(ctx, p); err != nil {
		return 0, m.fail("receive", 0, err)
	}
	defer m.receiving.Store(false)
	for {
		if n, err := m.get(p); n > 0 || err != nil {
			return n, m.fail("receive", 0, err)
		}
		select {
		case <-m.wake:
		case <-m.closed:
			return 0, m.fail("receive", 0, trigo.ErrClosed)
		case <-ctx.Done():
			return 0, m.fail("receive", 0, trigo.CancelError(ctx))
		}
	}
}

// get takes what there is: nothing, bytes, or an end.
func (m *member) get(p []byte) (int, error) {
	m.hub.mu.Lock()
	defer m.hub.mu.Unlock()
	switch {
	case m.lagged:
		return 0, trigo.Broken(ErrLagged)
	case len(m.queue) > 0:
		n := copy(p, m.queue)
		if m.queue = m.queue[n:]; len(m.queue) == 0 {
			m.queue = nil // its room goes with the burst that needed it
		}
		return n, nil
	case m.hub.closed:
		return 0, io.EOF
	}
	return 0, nil
}

// Close leaves the hub. It never waits.
func (m *member) Close(ctx context.Context) error {
	m.end.Close(ctx)
	m.hub.mu.Lock()
	defer m.hub.mu.Unlock()
	m.queue = nil
	m.hub.members = slices.DeleteFunc(m.hub.members, func(other *member) bool { return other == m })
	return nil
}
