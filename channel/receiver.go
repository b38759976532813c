package channel

import (
	"context"

	"trigo"
)

// Receiver is a handle by which values are received from a channel, or from a
// [Broadcast]. All its methods may be called from any number of goroutines.
//
// Trio: trio.MemoryReceiveChannel.
type Receiver[T any] struct {
	handle
	c *core[T]
}

var _ trigo.ReceiveChannel[int] = (*Receiver[int])(nil)

// Receive returns the oldest value. It waits until there is one; those who wait
// are served in the order in which they came. A cancelled Receive took nothing.
//
// It returns [trigo.ErrEndOfChannel], bare, when every sending handle is closed
// and every value was received, [trigo.ErrClosed] if this handle is or gets
// closed.
func (r *Receiver[T]) Receive(ctx context.Context) (T, error) {
	var none T
	dead := ctx.Err() != nil
	c := r.c
	if !c.mu.TryLock() { // c.mu.Lock(), inlined
		c.mu.contend()
	}
	switch {
	case r.closed:
		c.mu.Unlock()
		return none, errReceiveClosed
	case dead:
		c.mu.Unlock()
		return none, cancelled(ctx, "receive")
	}
	if v, w, ok := c.take(); ok {
		c.mu.Unlock()
		w.wake()
		return v, nil
	}
	if c.senders == 0 {
		err := c.end()
		c.mu.Unlock()
		return none, err
	}
	w, done := c.receiving.join(ctx, &r.handle)
	c.ask()
	c.mu.Unlock()
	return c.receiving.await(ctx, w, done, "receive")
}

// ReceiveNoWait is Receive that never waits: it returns [trigo.ErrWouldBlock]
// if Receive would.
func (r *Receiver[T]) ReceiveNoWait() (T, error) {
	var none T
	c := r.c
	c.mu.Lock()
	if r.closed {
		c.mu.Unlock()
		return none, errReceiveClosed
	}
	v, w, ok := c.take()
	err := error(errReceiveEmpty)
	if c.senders == 0 {
		err = c.end()
	}
	c.mu.Unlock()
	if !ok {
		return none, err
	}
	w.wake()
	return v, nil
}

// Clone returns another receiving handle of the same channel, to be closed on
// its own. Each value goes to one of them. It returns [trigo.ErrClosed] if this
// handle is closed.
func (r *Receiver[T]) Clone() (*Receiver[T], error) {
	r.c.mu.Lock()
	defer r.c.mu.Unlock()
	if r.closed {
		return nil, errCloneOfReceiver
	}
	r.c.receivers++
	return &Receiver[T]{c: r.c}, nil
}

// Close closes this handle. Whoever waits in a Receive of this handle gets
// [trigo.ErrClosed]; other handles are not affected. When the last receiving
// handle closes, the senders get [trigo.ErrBroken], and what is in the buffer
// is dropped: it is counted in [Statistics], under Lost. Who wants to have it
// first closes the senders and receives to the end. Close does not wait and
// always returns nil.
func (r *Receiver[T]) Close(context.Context) error {
	r.c.mu.Lock()
	defer r.c.mu.Unlock()
	if !r.closed {
		r.c.dropReceiver(&r.handle)
	}
	return nil
}

// Statistics returns the figures of the channel; of a broadcast's subscription,
// those of the subscription.
func (r *Receiver[T]) Statistics() Statistics {
	r.c.mu.Lock()
	defer r.c.mu.Unlock()
	return r.c.statistics()
}

func (r *Receiver[T]) String() string { return layer }
