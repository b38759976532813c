package channel

import (
	"context"

	"trigo"
)

// Sender is a handle by which values are sent into a channel. All its methods
// may be called from any number of goroutines.
//
// Trio: trio.MemorySendChannel.
type Sender[T any] struct {
	handle
	c *core[T]
}

var _ trigo.SendChannel[int] = (*Sender[int])(nil)

// Send sends v. It waits until a receiver took v or there was room for it in
// the buffer; those who wait are served in the order in which they came. A
// cancelled Send did not happen.
//
// It returns [trigo.ErrClosed] if this handle is or gets closed,
// [trigo.ErrBroken] if every receiving handle is or gets closed.
func (s *Sender[T]) Send(ctx context.Context, v T) error {
	dead := ctx.Err() != nil
	c := s.c
	if !c.mu.TryLock() { // c.mu.Lock(), inlined
		c.mu.contend()
	}
	switch {
	case s.closed:
		c.mu.Unlock()
		return errSendClosed
	case dead:
		c.mu.Unlock()
		return cancelled(ctx, "send")
	case c.receivers == 0:
		c.mu.Unlock()
		return errSendBroken
	}
	if w, ok := c.put(v); ok {
		c.mu.Unlock()
		w.wake()
		return nil
	}
	w, done := c.sending.join(ctx, &s.handle)
	w.value = v
	c.mu.Unlock()
	_, err := c.sending.await(ctx, w, done, "send")
	return err
}

// SendNoWait is Send that never waits: it returns [trigo.ErrWouldBlock] if Send
// would.
func (s *Sender[T]) SendNoWait(v T) error {
	c := s.c
	c.mu.Lock()
	switch {
	case s.closed:
		c.mu.Unlock()
		return errSendClosed
	case c.receivers == 0:
		c.mu.Unlock()
		return errSendBroken
	}
	w, ok := c.put(v)
	c.mu.Unlock()
	if !ok {
		return errSendFull
	}
	w.wake()
	return nil
}

// Clone returns another sending handle of the same channel, to be closed on its
// own. It returns [trigo.ErrClosed] if this handle is closed.
func (s *Sender[T]) Clone() (*Sender[T], error) {
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	if s.closed {
		return nil, errCloneOfSender
	}
	s.c.senders++
	return &Sender[T]{c: s.c}, nil
}

// Close closes this handle. Whoever waits in a Send of this handle gets
// [trigo.ErrClosed]; other handles are not affected. When the last sending
// handle closes, the receivers get [trigo.ErrEndOfChannel], after what is still
// in the buffer. Close does not wait and always returns nil.
func (s *Sender[T]) Close(context.Context) error {
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	if !s.closed {
		s.c.dropSender(&s.handle)
	}
	return nil
}

// Statistics returns the figures of the channel.
func (s *Sender[T]) Statistics() Statistics {
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	return s.c.statistics()
}

func (s *Sender[T]) String() string { return layer }
