package channel_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"trigo"
	"trigo/channel"
	"trigo/trigotest"
)

// swept is a channel under a cancel sweep, with an account of its values.
type swept struct {
	s     *channel.Sender[int]
	r     *channel.Receiver[int]
	pause time.Duration // of the peer, which makes the scenario wait

	mu             sync.Mutex
	sent, received []int
}

func openSwept(sweep *trigotest.Sweep, size int, pause time.Duration) *swept {
	c := &swept{pause: pause}
	c.s, c.r = channel.Open[int](size)
	sweep.Close(c.s)
	sweep.Close(c.r)
	return c
}

func (c *swept) send(ctx context.Context, v int) error {
	err := c.s.Send(ctx, v)
	if err == nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.sent = append(c.sent, v)
	}
	return err
}

func (c *swept) receive(ctx context.Context) error {
	v, err := c.r.Receive(ctx)
	if err == nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.received = append(c.received, v)
	}
	return err
}

// sendSome and receiveAll are peers.

const someValues = 5

func (c *swept) sendSome(ctx context.Context) error {
	for i := range someValues {
		c.rest(ctx)
		if err := c.send(ctx, i); err != nil {
			return err
		}
	}
	return nil
}

func (c *swept) receiveAll(ctx context.Context) error {
	for {
		c.rest(ctx)
		if err := c.receive(ctx); err != nil {
			return err
		}
	}
}

func (c *swept) rest(ctx context.Context) {
	select {
	case <-time.After(c.pause):
	case <-ctx.Done():
	}
}

// balanced is a check: what was sent, and nothing else, was received or still is
// to be, in its order.
func (c *swept) balanced(context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		v, err := c.r.ReceiveNoWait()
		if err != nil {
			break
		}
		c.received = append(c.received, v)
	}
	if !slices.Equal(c.sent, c.received) {
		return fmt.Errorf("sent %v, received %v", c.sent, c.received)
	}
	st := c.s.Statistics()
	if st.WaitingToSend+st.WaitingToReceive+st.Lost != 0 {
		return fmt.Errorf("somebody waits, or something is lost: %+v", st)
	}
	return nil
}

// usable is a check: the channel goes on as if there had been no cancel.
func (c *swept) usable(ctx context.Context) error {
	sent := make(chan error)
	go func() { sent <- c.send(ctx, -1) }()
	err := c.receive(ctx)
	return errors.Join(err, <-sent, c.balanced(ctx))
}

// ofEachSize sweeps a scenario over channels of each size, in a bubble and not.
func ofEachSize(t *testing.T, scenario func(ctx context.Context, s *trigotest.Sweep, c *swept) error) {
	for _, size := range []int{0, 1, 3} {
		for _, bubble := range []bool{true, false} {
			t.Run(fmt.Sprintf("size %d, bubble %v", size, bubble), func(t *testing.T) {
				pause := time.Duration(0)
				if bubble {
					pause = time.Millisecond
				}
				trigotest.SweepCancel(t, func(ctx context.Context, s *trigotest.Sweep) error {
					return scenario(ctx, s, openSwept(s, size, pause))
				}, &trigotest.SweepOptions{Bubble: bubble})
			})
		}
	}
}

func TestASendCancelledAnywhereHappenedOrDidNot(t *testing.T) {
	ofEachSize(t, func(ctx context.Context, s *trigotest.Sweep, c *swept) error {
		s.Check(c.balanced)
		s.Check(c.usable)
		s.Peer(c.receiveAll)
		for i := range someValues {
			if err := s.Call("Send", func() error { return c.send(ctx, i) }); err != nil {
				return err
			}
		}
		return nil
	})
}

func TestAReceiveCancelledAnywhereTookItsValueOrNone(t *testing.T) {
	ofEachSize(t, func(ctx context.Context, s *trigotest.Sweep, c *swept) error {
		s.Check(c.balanced)
		s.Check(c.usable)
		s.Peer(c.sendSome)
		for range someValues {
			if err := s.Call("Receive", func() error { return c.receive(ctx) }); err != nil {
				return err
			}
		}
		return nil
	})
}

func TestACloseCancelledAnywhereCloses(t *testing.T) {
	ofEachSize(t, func(ctx context.Context, s *trigotest.Sweep, c *swept) error {
		s.Check(func(ctx context.Context) error {
			if err := c.s.Send(ctx, 0); !errors.Is(err, trigo.ErrClosed) {
				return fmt.Errorf("send on the closed channel: %v", err)
			}
			if err := c.balanced(ctx); err != nil {
				return err
			}
			if _, err := c.r.Receive(ctx); err != trigo.ErrEndOfChannel {
				return fmt.Errorf("receive at the end: %v", err)
			}
			return nil
		})
		s.Peer(c.receiveAll)
		var err error
		for i := range someValues {
			if err = s.Call("Send", func() error { return c.send(ctx, i) }); err != nil {
				break
			}
		}
		return errors.Join(err, s.Call("Close", func() error { return c.s.Close(ctx) }))
	})
}

// The other half: Close of the receiver wakes those who wait to send, whatever
// is cancelled meanwhile.
func TestACloseOfTheReceiverCancelledAnywhereCloses(t *testing.T) {
	ofEachSize(t, func(ctx context.Context, s *trigotest.Sweep, c *swept) error {
		s.Check(func(ctx context.Context) error {
			if _, err := c.r.Receive(ctx); !errors.Is(err, trigo.ErrClosed) {
				return fmt.Errorf("receive on the closed channel: %v", err)
			}
			if err := c.s.Send(ctx, 0); !errors.Is(err, trigo.ErrBroken) {
				return fmt.Errorf("send to nobody: %v", err)
			}
			st := c.s.Statistics()
			if got := len(c.received) + st.Lost; got != len(c.sent) || st.WaitingToSend != 0 {
				return fmt.Errorf("of %d values %d were received or lost, %+v", len(c.sent), got, st)
			}
			return nil
		})
		s.Peer(c.sendSome)
		var err error
		for range someValues - 2 {
			if err = s.Call("Receive", func() error { return c.receive(ctx) }); err != nil {
				break
			}
		}
		return errors.Join(err, s.Call("Close", func() error { return c.r.Close(ctx) }))
	})
}
