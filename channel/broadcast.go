package channel

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"trigo"
)

// Lag says what a [Broadcast] does about a subscription whose buffer is full.
// Values that a subscription loses are counted in its [Statistics].
type Lag int

const (
	Wait         Lag = iota // Send waits until every subscription has room: the slowest sets the pace
	DropOldest              // the subscription loses its oldest value
	DropNewest              // the subscription loses the value that is sent
	SkipToNewest            // the subscription loses all its values, and gets the one that is sent
	CutOff                  // the subscription ends: after its values it gets trigo.ErrBroken
)

func (l Lag) String() string {
	names := [...]string{"wait", "drop oldest", "drop newest", "skip to newest", "cut off"}
	if l < 0 || int(l) >= len(names) {
		return fmt.Sprintf("Lag(%d)", int(l))
	}
	return names[l]
}

var errLagged = trigo.Broken(errors.New("cut off for lagging behind the broadcast"))

// Broadcast sends each value to all its subscriptions. Each of them is a
// channel of its own, with its own buffer and its own pace; what becomes of one
// that is too slow was decided when the broadcast was opened. All methods may
// be called from any number of goroutines; all subscriptions get the same
// values in the same order.
type Broadcast[T any] struct {
	handle
	mu      lock // also that of every subscription
	size    int
	lag     Lag
	open    []*core[T] // subscriptions
	sending line[T]
}

var _ trigo.SendChannel[int] = (*Broadcast[int])(nil)

// OpenBroadcast returns a new broadcast without subscriptions. Each will have a
// buffer for size values; it must be at least 1, or OpenBroadcast panics.
func OpenBroadcast[T any](size int, lag Lag) *Broadcast[T] {
	if size < 1 {
		panic(fmt.Sprintf("channel: broadcast of size %d", size))
	}
	if lag < Wait || lag > CutOff {
		panic(fmt.Sprintf("channel: no such policy: %v", lag))
	}
	b := &Broadcast[T]{size: size, lag: lag}
	b.sending.mu = &b.mu
	return b
}

// Subscribe returns a receiver of what is sent from now on. Its clones share
// the subscription: each value goes to one of them. Closing the last of them
// ends it. Subscribe returns [trigo.ErrClosed] if the broadcast is closed.
func (b *Broadcast[T]) Subscribe() (*Receiver[T], error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return nil, failed("subscribe", trigo.ErrClosed)
	}
	c := newCore[T](&b.mu, b.size)
	c.source = b
	b.open = append(b.open, c)
	return &Receiver[T]{c: c}, nil
}

// Send sends v to every subscription; if there is none, to nobody. With the
// policy [Wait] it waits until every subscription has room, after those who
// came earlier; with the others it never waits. A cancelled Send has reached no
// subscription. It returns [trigo.ErrClosed] if the broadcast is or gets
// closed.
func (b *Broadcast[T]) Send(ctx context.Context, v T) error {
	dead := ctx.Err() != nil
	b.mu.Lock()
	switch {
	case b.closed:
		b.mu.Unlock()
		return errSendClosed
	case dead:
		b.mu.Unlock()
		return cancelled(ctx, "send")
	case b.hasRoom():
		b.deliver(v)
		b.mu.Unlock()
		return nil
	}
	w, done := b.sending.join(ctx, &b.handle)
	w.value = v
	b.mu.Unlock()
	_, err := b.sending.await(ctx, w, done, "send")
	return err
}

// SendNoWait is Send that never waits: it returns [trigo.ErrWouldBlock] if Send
// would.
func (b *Broadcast[T]) SendNoWait(v T) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.closed:
		return errSendClosed
	case !b.hasRoom():
		return errSendFull
	}
	b.deliver(v)
	return nil
}

// Close ends the broadcast: the subscriptions get [trigo.ErrEndOfChannel] after
// what is in their buffers, whoever waits in Send gets [trigo.ErrClosed]. Close
// does not wait and always returns nil.
func (b *Broadcast[T]) Close(context.Context) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	b.sending.fail(nil, errSendClosed)
	b.sending.vigil.Drop()
	for _, c := range b.open {
		c.finish(nil)
	}
	b.open = nil
	return nil
}

func (b *Broadcast[T]) String() string { return "broadcast" }

// hasRoom reports whether a value can be sent now.
func (b *Broadcast[T]) hasRoom() bool {
	if b.lag != Wait {
		return true
	}
	return !slices.ContainsFunc(b.open, func(c *core[T]) bool { return c.buf.n >= c.size })
}

// deliver sends v to every subscription. What it wakes runs into the lock, but
// only for a moment.
func (b *Broadcast[T]) deliver(v T) {
	lagging := false
	for _, c := range b.open {
		if w, ok := c.put(v); ok {
			w.wake()
			continue
		}
		switch b.lag {
		case DropNewest:
			c.lost++
		case DropOldest:
			c.buf.pop()
			c.buf.push(v)
			c.lost++
		case SkipToNewest:
			c.lost += c.buf.clear()
			c.buf.push(v)
		case CutOff:
			c.lost++
			c.finish(errLagged)
			lagging = true
		}
	}
	if lagging {
		b.open = slices.DeleteFunc(b.open, func(c *core[T]) bool { return c.senders == 0 })
	}
}

// refill lets those who wait in Send go on, as far as there is room.
func (b *Broadcast[T]) refill() {
	for b.sending.n > 0 && b.hasRoom() {
		w := b.sending.shift()
		b.deliver(w.value)
		w.wake()
	}
}

func (b *Broadcast[T]) unsubscribe(c *core[T]) {
	b.open = slices.DeleteFunc(b.open, func(other *core[T]) bool { return other == c })
	b.refill()
}
