package channel

import "trigo"

// core is the channel that senders and receivers are handles of. Its methods
// are called with mu held; those that return a waiter owe it a wake, to be given
// when mu is free.
//
// Three things hold whenever mu is free. Who waits to receive, waits because
// there is no value: nothing is buffered and nobody waits to send. Who waits to
// send, waits because the buffer is full. And an open channel has room or
// somebody to wake, never both: so a value goes to whoever waited longest, and
// nobody who comes later can take it away.
//
// The order of the fields is that of use: what every call writes is in the first
// cache line, together with the lock, and what is only read is in the last but one.
type core[T any] struct {
	own                lock
	buf                ring[T]
	senders, receivers int // open handles

	sending, receiving line[T]

	mu     *lock // own, or that of a broadcast and all its subscriptions
	size   int
	source *Broadcast[T] // if not nil: what fills the buffer, in place of senders
	asked  chan struct{} // if not nil: one token when somebody starts to wait for a value
	ending error         // what receivers get when the senders are gone; nil: ErrEndOfChannel

	peak int // most that was ever buffered
	lost int // values accepted that nobody will receive

	_ [48]byte // to a multiple of 64, or only every other core would begin with a cache line
}

// newCore returns a channel with one handle on each side. Its lock is mu, or one of
// its own if that is nil.
func newCore[T any](mu *lock, size int) *core[T] {
	c := &core[T]{mu: mu, size: size, senders: 1, receivers: 1}
	if mu == nil {
		c.mu = &c.own
	}
	c.sending.mu, c.receiving.mu = c.mu, c.mu
	return c
}

// handle is the part that senders and receivers share.
type handle struct {
	closed  bool
	waiting int // goroutines that wait through this handle
}

// put hands v to the first who waits for it, or buffers it.
func (c *core[T]) put(v T) (w *waiter[T], ok bool) {
	if w := c.receiving.shift(); w != nil {
		w.value = v
		return w, true
	}
	if c.buf.n >= c.size {
		return nil, false
	}
	c.buf.push(v)
	c.peak = max(c.peak, c.buf.n)
	return nil, true
}

// take removes the oldest value, and lets the first who waits to send have the
// room.
func (c *core[T]) take() (v T, w *waiter[T], ok bool) {
	if c.buf.n == 0 {
		w = c.sending.shift() // waits with an empty buffer only if it has no room at all
		if w == nil {
			return v, nil, false
		}
		return w.value, w, true
	}
	v = c.buf.pop()
	if w = c.sending.shift(); w != nil {
		c.buf.push(w.value)
	} else if c.source != nil {
		c.source.refill()
	}
	return v, w, true
}

// end is what a receiver gets that will never get a value.
func (c *core[T]) end() error {
	if c.ending != nil {
		return failed("receive", c.ending)
	}
	return trigo.ErrEndOfChannel
}

// ask tells the generator, if there is one, to look for who waits.
func (c *core[T]) ask() {
	if c.asked == nil {
		return
	}
	select {
	case c.asked <- struct{}{}:
	default:
	}
}

// dropSender closes the sending handle h.
func (c *core[T]) dropSender(h *handle) {
	h.closed = true
	c.sending.fail(h, errSendClosed)
	if c.senders == 1 {
		c.finish(nil)
	} else {
		c.senders--
	}
}

// finish ends the sending side: after what is buffered, receivers get err, or
// ErrEndOfChannel if that is nil.
func (c *core[T]) finish(err error) {
	c.senders = 0
	c.ending = err
	c.receiving.fail(nil, c.end())
	c.dropVigils()
}

// dropReceiver closes the receiving handle h.
func (c *core[T]) dropReceiver(h *handle) {
	h.closed = true
	c.receiving.fail(h, errReceiveClosed)
	c.receivers--
	if c.receivers > 0 {
		return
	}
	c.sending.fail(nil, errSendBroken)
	c.dropVigils()
	c.lost += c.buf.clear()
	c.ask() // there is nobody left to work for
	if c.source != nil {
		c.source.unsubscribe(c)
	}
}

// dropVigils is for when one side is gone, and so nobody will wait any more.
func (c *core[T]) dropVigils() {
	c.sending.vigil.Drop()
	c.receiving.vigil.Drop()
}

func (c *core[T]) statistics() Statistics {
	return Statistics{
		Size:             c.size,
		Buffered:         c.buf.n,
		Peak:             c.peak,
		Lost:             c.lost,
		Senders:          c.senders,
		Receivers:        c.receivers,
		WaitingToSend:    c.sending.n,
		WaitingToReceive: c.receiving.n,
	}
}
