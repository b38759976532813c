package trigotest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"reflect"
	"runtime"
	"testing"
	"time"

	"trigo"
)

// A ChannelMaker makes the two ends of a new channel, for one check.
type ChannelMaker[T any] func(ctx context.Context) (trigo.SendChannel[T], trigo.ReceiveChannel[T], error)

// CheckChannel checks that what maker makes is a [trigo.SendChannel] and a
// [trigo.ReceiveChannel] as the contracts have it. value makes values that
// differ from each other; those received are compared with reflect.DeepEqual.
// In everything else it is like [CheckOneWayStream].
//
// The channel may have room for any number of values, or none. What happens to
// a Send that waits is checked if one does: at the latest after a thousand
// values.
//
// Trio has no such check.
func CheckChannel[T any](t *testing.T, maker ChannelMaker[T], value func(i int) T, opts *CheckOptions) {
	runChecks(t, channelChecks(maker, value), opts)
}

func channelChecks[T any](maker ChannelMaker[T], value func(i int) T) []check {
	with := func(name string, run func(ctx context.Context, c *channelBench[T])) check {
		return check{name, func(ctx context.Context, b *bench) { run(ctx, openChannel(ctx, b, maker, value)) }}
	}
	return []check{
		with("values arrive in their order", checkOrder[T]),
		with("closing the sender loses nothing", checkEndOfChannel[T]),
		with("the end wakes a receiver", func(ctx context.Context, c *channelBench[T]) {
			received := c.receive(ctx)
			c.b.waits(received.call)
			c.b.ok(c.b.close(ctx, c.s))
			c.end(received)
		}),
		with("a dead ctx does nothing", checkDeadChannelCtx[T]),
		with("a cancelled receive takes nothing", func(ctx context.Context, c *channelBench[T]) {
			scope, cancel := context.WithCancelCause(ctx)
			received := c.receive(scope)
			c.b.waits(received.call)
			cancel(errDead)
			c.b.cancelled(scope, received.call)
			short, stop := context.WithTimeout(ctx, time.Millisecond)
			defer stop()
			c.b.cancelled(short, c.receive(short).call)
			c.pass(ctx, 0)
		}),
		with("a cancelled send did not happen", checkCancelledChannelSend[T]),
		with("a cancel that races a receive loses nothing", checkRacingChannelReceive[T]),
		with("a cancel that races a send loses nothing", checkRacingChannelSend[T]),
		with("a closed receiver breaks the channel", func(ctx context.Context, c *channelBench[T]) {
			waiting := c.fill(ctx)
			c.b.ok(c.b.close(ctx, c.r))
			if waiting != nil {
				c.b.fails(waiting, trigo.ErrBroken)
			}
			for range 2 {
				c.b.fails(c.send(ctx, 0), trigo.ErrBroken)
				c.b.fails(c.receive(ctx).call, trigo.ErrClosed)
			}
		}),
		with("close wakes a receiver of its own", func(ctx context.Context, c *channelBench[T]) {
			received := c.receive(ctx)
			c.b.waits(received.call)
			c.b.ok(c.b.close(ctx, c.r))
			c.b.fails(received.call, trigo.ErrClosed)
		}),
		with("close wakes a sender of its own", func(ctx context.Context, c *channelBench[T]) {
			waiting := c.fill(ctx)
			c.b.ok(c.b.close(ctx, c.s))
			if waiting != nil {
				c.b.fails(waiting, trigo.ErrClosed)
			}
			c.b.fails(c.send(ctx, 0), trigo.ErrClosed)
		}),
		with("close with a dead ctx closes", func(ctx context.Context, c *channelBench[T]) {
			dead := c.b.dead()
			c.b.closed(dead, c.b.close(dead, c.s))
			c.b.closed(dead, c.b.close(dead, c.r))
			c.b.fails(c.send(ctx, 0), trigo.ErrClosed)
			c.b.fails(c.receive(ctx).call, trigo.ErrClosed)
		}),
		with("close again is silent", func(ctx context.Context, c *channelBench[T]) {
			for _, end := range []trigo.Resource{c.s, c.r} {
				var closing []*call
				for range 8 {
					closing = append(closing, c.b.close(ctx, end))
				}
				for _, one := range closing {
					c.b.ok(one)
				}
			}
			c.b.fails(c.send(ctx, 0), trigo.ErrClosed)
			c.b.fails(c.receive(ctx).call, trigo.ErrClosed)
		}),
		{"nothing is left behind", func(ctx context.Context, b *bench) {
			before := takeInventory()
			c := openChannel(ctx, b, maker, value)
			c.pass(ctx, 0)
			scope, cancel := context.WithCancel(ctx)
			received := c.receive(scope)
			b.waits(received.call)
			cancel()
			b.cancelled(scope, received.call)
			b.ok(b.close(ctx, c.s))
			b.ok(b.close(ctx, c.r))
			for _, left := range before.leftovers(min(b.opts.Patience, leakPatience)) {
				b.t.Errorf("both ends are closed, and left is %s", left)
			}
		}},
	}
}

func checkOrder[T any](ctx context.Context, c *channelBench[T]) {
	const n = 20
	sent := c.b.start("Send, many times", func(*call) error {
		for i := range n {
			if err := c.s.Send(ctx, c.value(i)); err != nil {
				return err
			}
		}
		return nil
	})
	for i := range n {
		c.gets(c.receive(ctx), i)
	}
	c.b.ok(sent)
}

func checkEndOfChannel[T any](ctx context.Context, c *channelBench[T]) {
	sent := c.b.start("Send and Close", func(*call) error {
		return errors.Join(c.s.Send(ctx, c.value(7)), c.s.Close(ctx))
	})
	c.b.settle()
	c.gets(c.receive(ctx), 7)
	for range 3 {
		c.end(c.receive(ctx))
	}
	c.b.ok(sent)
	c.b.ok(c.b.close(ctx, c.r))
	c.b.fails(c.receive(ctx).call, trigo.ErrClosed)
}

func checkDeadChannelCtx[T any](ctx context.Context, c *channelBench[T]) {
	dead := c.b.dead()
	c.b.cancelled(dead, c.send(dead, 0))
	c.b.cancelled(dead, c.receive(dead).call)
	sent := c.send(ctx, 1)
	c.b.settle()
	c.b.cancelled(dead, c.receive(dead).call) // also when there is something
	c.gets(c.receive(ctx), 1)
	c.b.ok(sent)

	received := c.receive(ctx)
	c.b.waits(received.call)
	c.b.cancelled(dead, c.send(dead, 2)) // also when somebody waits for it
	sent = c.send(ctx, 3)
	c.gets(received, 3)
	c.b.ok(sent)
}

func checkCancelledChannelSend[T any](ctx context.Context, c *channelBench[T]) {
	scope, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	waiting := c.fill(scope)
	if waiting == nil {
		return // it never waits
	}
	cancel(errDead)
	c.b.cancelled(scope, waiting)
	last := c.b.start("Send and Close after a cancelled Send", func(*call) error {
		return errors.Join(c.s.Send(ctx, c.value(-1)), c.s.Close(ctx))
	})
	for i := range c.filled {
		c.gets(c.receive(ctx), i)
	}
	c.gets(c.receive(ctx), -1)
	c.end(c.receive(ctx))
	c.b.ok(last)
}

func checkRacingChannelReceive[T any](ctx context.Context, c *channelBench[T]) {
	for i := range 200 {
		scope, cancel := context.WithCancelCause(ctx)
		received, sent := c.receive(scope), c.send(ctx, i)
		hesitate()
		cancel(errDead)
		if c.b.finish(received.call) != nil {
			c.b.cancelled(scope, received.call)
			received = c.receive(ctx)
		}
		c.gets(received, i)
		c.b.ok(sent)
	}
}

func checkRacingChannelSend[T any](ctx context.Context, c *channelBench[T]) {
	for i := range 200 {
		scope, cancel := context.WithCancelCause(ctx)
		sent, received := c.send(scope, i), c.receive(ctx)
		hesitate()
		cancel(errDead)
		if c.b.finish(sent) != nil { // then it was not sent, and the receiver still waits
			c.b.cancelled(scope, sent)
			again := c.send(ctx, i+1000)
			c.gets(received, i+1000)
			c.b.ok(again)
			continue
		}
		c.gets(received, i)
	}
}

// hesitate lets others go first, or not.
func hesitate() {
	for range rand.IntN(20) {
		runtime.Gosched()
	}
}

// channelBench is a bench with a channel on it.
type channelBench[T any] struct {
	b      *bench
	s      trigo.SendChannel[T]
	r      trigo.ReceiveChannel[T]
	value  func(i int) T
	filled int // values that fill has sent
}

func openChannel[T any](ctx context.Context, b *bench, maker ChannelMaker[T], value func(i int) T) *channelBench[T] {
	b.t.Helper()
	c := &channelBench[T]{b: b, value: value}
	b.ok(b.start("making a channel", func(*call) (err error) {
		c.s, c.r, err = maker(ctx)
		return err
	}))
	b.ends = append(b.ends, c.s, c.r)
	return c
}

// received is a Receive and what it got.
type received[T any] struct {
	*call
	v *T
}

func (c *channelBench[T]) send(ctx context.Context, i int) *call {
	return c.b.start("Send", func(*call) error { return c.s.Send(ctx, c.value(i)) })
}

func (c *channelBench[T]) receive(ctx context.Context) received[T] {
	v := new(T)
	return received[T]{c.b.start("Receive", func(*call) (err error) {
		*v, err = c.r.Receive(ctx)
		return err
	}), v}
}

// fill sends until a Send has to wait, and returns that; nil if none does.
func (c *channelBench[T]) fill(ctx context.Context) *call {
	c.b.t.Helper()
	for c.filled < 1000 {
		sent := c.send(ctx, c.filled)
		c.b.settle()
		if !sent.returned() {
			return sent
		}
		c.b.ok(sent)
		c.filled++
	}
	return nil
}

// pass sends a value and receives it.
func (c *channelBench[T]) pass(ctx context.Context, i int) {
	c.b.t.Helper()
	sent := c.send(ctx, i)
	c.gets(c.receive(ctx), i)
	c.b.ok(sent)
}

func (c *channelBench[T]) gets(r received[T], i int) {
	c.b.t.Helper()
	c.b.ok(r.call)
	if want := c.value(i); !reflect.DeepEqual(*r.v, want) {
		c.b.t.Fatalf("Receive: got %v, want %v", *r.v, want)
	}
}

// end wants the end of the channel.
func (c *channelBench[T]) end(r received[T]) {
	c.b.t.Helper()
	if err := c.b.finish(r.call); !errors.Is(err, trigo.ErrEndOfChannel) || !errors.Is(err, io.EOF) {
		c.b.t.Fatalf("Receive at the end: got %s, want %v", fmt.Sprint(err), trigo.ErrEndOfChannel)
	}
}
