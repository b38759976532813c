package channel

import (
	"context"
	"errors"
	"iter"

	"trigo"
	"trigo/nursery"
)

// FromSeq calls use with a receiver of the values of an iterator that runs in a
// goroutine of its own. When use returns, the iterator is cancelled and waited
// for, with its deferred calls: FromSeq returns only then. So nothing leaks,
// however the loop over the values is left; and several goroutines may share
// one iterator, each with a clone of the receiver.
//
//	err := channel.FromSeq(ctx, ticks, func(ctx context.Context, r *channel.Receiver[Tick]) error {
//		for tick, err := range trigo.Values(ctx, r) {
//			...
//		}
//	})
//
// The iterator does not run ahead: it is started, and resumed, only when
// somebody waits in [Receiver.Receive]. A value whose receiver was cancelled in
// the meantime goes to the next. An iterator that ends makes an end of channel.
// One that yields an error ends there: the ctx of use is cancelled, and FromSeq
// returns the error. An error of use is returned too; if there are both, they
// come as [nursery.Errors]. When every receiver is closed the iterator is
// stopped at its next yield, and use may go on. A panic of either comes out of
// FromSeq. A clone that is still open when FromSeq returns is of no use any
// more: it gets [trigo.ErrClosed], or the end of channel if that is what
// happened.
//
// Trio: trio.as_safe_channel.
func FromSeq[T any](
	ctx context.Context,
	seq func(ctx context.Context) iter.Seq2[T, error],
	use func(ctx context.Context, values *Receiver[T]) error,
) error {
	s, r := Open[T](0)
	c := s.c
	c.asked = make(chan struct{}, 1)
	defer func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.senders > 0 {
			c.finish(trigo.ErrClosed)
		}
	}()
	return nursery.Run(ctx, func(ctx context.Context, n *nursery.Nursery) error {
		n.Go(func(ctx context.Context) error { return generate(ctx, seq, s) })
		defer r.Close(ctx)
		if err := use(ctx, r); err != nil {
			return err // it cancels the iterator, and must not be taken for an answer to that
		}
		n.Cancel(errUsed)
		return nil
	})
}

// errUsed is the cause with which the iterator is cancelled at the end.
var errUsed = errors.New("the values are not needed any more")

// generate sends the values of the iterator, each when somebody waits for it.
// Only an end that is one is told as such: if the iterator fails, the channel
// stays as it is and the cancel that follows from the error wakes everyone.
func generate[T any](ctx context.Context, seq func(context.Context) iter.Seq2[T, error], s *Sender[T]) error {
	needed, err := s.c.awaitDemand(ctx)
	if !needed {
		return err
	}
	for v, err := range seq(ctx) {
		if err != nil {
			return err
		}
		if err := s.Send(ctx, v); errors.Is(err, trigo.ErrBroken) {
			return nil
		} else if err != nil {
			return err
		}
		needed, err := s.c.awaitDemand(ctx)
		if !needed {
			return err
		}
	}
	if ctx.Err() != nil { // it may have ended because of that, and not at its end
		return trigo.CancelError(ctx)
	}
	return s.Close(ctx)
}

// awaitDemand waits until somebody waits for a value. It returns false if there
// is no receiver left, or an error if ctx ended.
func (c *core[T]) awaitDemand(ctx context.Context) (needed bool, err error) {
	for {
		c.mu.Lock()
		waiting, open := c.receiving.n, c.receivers
		c.mu.Unlock()
		switch {
		case ctx.Err() != nil:
			return false, trigo.CancelError(ctx)
		case open == 0:
			return false, nil
		case waiting > 0:
			return true, nil
		}
		select {
		case <-c.asked:
		case <-ctx.Done():
		}
	}
}
