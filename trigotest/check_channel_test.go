package trigotest

import (
	"context"
	"errors"
	"io"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"trigo"
	"trigo/channel"
)

func openChannelOf[T any](size int) ChannelMaker[T] {
	return func(context.Context) (trigo.SendChannel[T], trigo.ReceiveChannel[T], error) {
		s, r := channel.Open[T](size)
		return s, r, nil
	}
}

func identity(i int) int { return i }

func TestChannelsConform(t *testing.T) {
	for _, size := range []int{0, 1, 10, 5000} {
		t.Run(strconv.Itoa(size), func(t *testing.T) {
			CheckChannel(t, openChannelOf[int](size), identity, bubble)
		})
	}
	t.Run("of slices, outside a bubble", func(t *testing.T) {
		CheckChannel(t, openChannelOf[[]string](1), func(i int) []string { return []string{strconv.Itoa(i)} }, nil)
	})
}

// crooked is a channel that does some things its own way.
type crooked struct {
	s trigo.SendChannel[int]
	r trigo.ReceiveChannel[int]

	send                      func(ctx context.Context, v int) error
	receive                   func(ctx context.Context) (int, error)
	closeSender, closeReceive func(ctx context.Context) error
}

type crookedSender struct{ c *crooked }

func (s crookedSender) Send(ctx context.Context, v int) error {
	if s.c.send != nil {
		return s.c.send(ctx, v)
	}
	return s.c.s.Send(ctx, v)
}

func (s crookedSender) Close(ctx context.Context) error {
	if s.c.closeSender != nil {
		return s.c.closeSender(ctx)
	}
	return s.c.s.Close(ctx)
}

type crookedReceiver struct{ c *crooked }

func (r crookedReceiver) Receive(ctx context.Context) (int, error) {
	if r.c.receive != nil {
		return r.c.receive(ctx)
	}
	return r.c.r.Receive(ctx)
}

func (r crookedReceiver) Close(ctx context.Context) error {
	if r.c.closeReceive != nil {
		return r.c.closeReceive(ctx)
	}
	return r.c.r.Close(ctx)
}

// deadClose is a Close that does nothing when its ctx is dead.
func deadClose(r trigo.Resource) func(context.Context) error {
	return func(ctx context.Context) error {
		if ctx.Err() != nil {
			return trigo.CancelError(ctx)
		}
		return r.Close(ctx)
	}
}

var channelDefects = []struct {
	check, what string
	inflict     func(c *crooked, hang chan struct{})
}{
	{"values arrive in their order", "swaps values", func(c *crooked, _ chan struct{}) {
		c.send = func(ctx context.Context, v int) error { return c.s.Send(ctx, v^1) }
	}},
	{"closing the sender loses nothing", "drops what is in it", func(c *crooked, _ chan struct{}) {
		var late []int
		c.send = func(_ context.Context, v int) error { late = append(late, v); return nil }
	}},
	{"closing the sender loses nothing", "ends with a bare io.EOF", func(c *crooked, _ chan struct{}) {
		c.receive = func(ctx context.Context) (int, error) {
			v, err := c.r.Receive(ctx)
			if errors.Is(err, trigo.ErrEndOfChannel) {
				err = io.EOF
			}
			return v, err
		}
	}},
	{"the end wakes a receiver", "wakes nobody", func(c *crooked, hang chan struct{}) {
		c.closeSender = func(context.Context) error { return nil }
	}},
	{"a dead ctx does nothing", "sends under a dead ctx", func(c *crooked, _ chan struct{}) {
		c.send = func(ctx context.Context, v int) error {
			short, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Nanosecond)
			defer cancel()
			if ctx.Err() != nil {
				c.s.Send(short, v)
			}
			return errors.Join(trigo.CancelError(ctx), c.s.Send(ctx, v))
		}
	}},
	{"a cancelled receive takes nothing", "goes on receiving", func(c *crooked, _ chan struct{}) {
		c.receive = func(ctx context.Context) (int, error) {
			var v int
			var err error
			done := make(chan struct{})
			go func() {
				defer close(done)
				v, err = c.r.Receive(context.Background())
			}()
			select {
			case <-done:
				return v, err
			case <-ctx.Done():
				return 0, trigo.CancelError(ctx)
			}
		}
	}},
	{"a cancelled send did not happen", "sends it later", func(c *crooked, _ chan struct{}) {
		var late []int
		c.send = func(ctx context.Context, v int) error {
			for _, l := range late {
				c.s.Send(ctx, l)
			}
			late = nil
			err := c.s.Send(ctx, v)
			if err != nil {
				late = append(late, v)
			}
			return err
		}
	}},
	{"a cancel that races a receive loses nothing", "prefers a late cancel", func(c *crooked, _ chan struct{}) {
		c.receive = func(ctx context.Context) (int, error) {
			v, err := c.r.Receive(ctx)
			pause(ctx, nil)
			if ctx.Err() != nil {
				return 0, trigo.CancelError(ctx)
			}
			return v, err
		}
	}},
	{"a cancel that races a send loses nothing", "prefers a late cancel", func(c *crooked, _ chan struct{}) {
		c.send = func(ctx context.Context, v int) error {
			err := c.s.Send(ctx, v)
			pause(ctx, nil)
			if ctx.Err() != nil {
				return trigo.CancelError(ctx)
			}
			return err
		}
	}},
	{"a closed receiver breaks the channel", "says closed of its peer", func(c *crooked, _ chan struct{}) {
		c.send = func(ctx context.Context, v int) error {
			err := c.s.Send(ctx, v)
			if errors.Is(err, trigo.ErrBroken) {
				err = trigo.ErrClosed
			}
			return err
		}
	}},
	{"close wakes a receiver of its own", "wakes nobody", func(c *crooked, _ chan struct{}) {
		c.closeReceive = func(context.Context) error { return nil }
	}},
	{"close wakes a sender of its own", "wakes nobody", func(c *crooked, _ chan struct{}) {
		c.closeSender = func(context.Context) error { return nil }
	}},
	{"close with a dead ctx closes", "does not close then", func(c *crooked, _ chan struct{}) {
		c.closeSender, c.closeReceive = deadClose(c.s), deadClose(c.r)
	}},
	{"close again is silent", "complains", func(c *crooked, _ chan struct{}) {
		var times atomic.Int32
		c.closeReceive = func(ctx context.Context) error {
			if times.Add(1) > 1 {
				return trigo.ErrClosed
			}
			return c.r.Close(ctx)
		}
	}},
	{"nothing is left behind", "leaves a goroutine", func(c *crooked, hang chan struct{}) {
		go func() { <-hang }()
	}},
}

func TestEachChannelCheckFindsItsDefect(t *testing.T) {
	maker := func(inflict func(c *crooked, hang chan struct{}), hang chan struct{}) ChannelMaker[int] {
		return func(context.Context) (trigo.SendChannel[int], trigo.ReceiveChannel[int], error) {
			s, r := channel.Open[int](0)
			c := &crooked{s: s, r: r}
			inflict(c, hang)
			return crookedSender{c}, crookedReceiver{c}, nil
		}
	}
	covered := make(map[string]bool)
	for _, d := range channelDefects {
		covered[d.check] = true
		tryChecks(t, d.check, d.what, func(hang chan struct{}) []check {
			return channelChecks(maker(d.inflict, hang), identity)
		})
	}
	wantCovered(t, covered, channelChecks[int](nil, identity))
}
