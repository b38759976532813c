package channel_test

import (
	"context"
	"errors"
	"io"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"trigo"
	"trigo/channel"
	"trigo/nursery"
)

var background = context.Background()

// dead is a ctx that was cancelled for a reason.
func dead() context.Context {
	ctx, cancel := context.WithCancelCause(background)
	cancel(errReason)
	return ctx
}

var errReason = errors.New("the reason")

// want checks the kind of an error; nil is success.
func want(t *testing.T, what string, err, kind error) {
	t.Helper()
	if !errors.Is(err, kind) {
		t.Errorf("%s: %v, want %v", what, err, kind)
	}
}

// gets checks that r has v to give, without waiting.
func gets[T comparable](t *testing.T, r *channel.Receiver[T], v T) {
	t.Helper()
	if got, err := r.ReceiveNoWait(); got != v || err != nil {
		t.Errorf("received %v, %v, want %v", got, err, v)
	}
}

// puts checks that v can be sent without waiting.
func puts[T any](t *testing.T, s interface{ SendNoWait(T) error }, v T) {
	t.Helper()
	want(t, "send", s.SendNoWait(v), nil)
}

// call is a call that runs in a goroutine of its own.
type call[T any] struct {
	done chan struct{}
	v    T
	err  error
}

func begin[T any](f func() (T, error)) *call[T] {
	c := &call[T]{done: make(chan struct{})}
	go func() {
		defer close(c.done)
		c.v, c.err = f()
	}()
	return c
}

func receiving[T any](ctx context.Context, r trigo.ReceiveChannel[T]) *call[T] {
	return begin(func() (T, error) { return r.Receive(ctx) })
}

func sending[T any](ctx context.Context, s trigo.SendChannel[T], v T) *call[T] {
	return begin(func() (T, error) { return v, s.Send(ctx, v) })
}

// waits checks, in a bubble, that the call waits.
func (c *call[T]) waits(t *testing.T, what string) {
	t.Helper()
	synctest.Wait()
	select {
	case <-c.done:
		t.Errorf("%s: returned %v, %v, but ought to wait", what, c.v, c.err)
	default:
	}
}

// ends checks how the call ended.
func (c *call[T]) ends(t *testing.T, what string, kind error) T {
	t.Helper()
	<-c.done
	want(t, what, c.err, kind)
	return c.v
}

func TestALifeOfAChannel(t *testing.T) {
	s, r := channel.Open[int](1)
	puts(t, s, 1)
	want(t, "send to a full buffer", s.SendNoWait(2), trigo.ErrWouldBlock)
	gets(t, r, 1)
	_, err := r.ReceiveNoWait()
	want(t, "receive from an empty buffer", err, trigo.ErrWouldBlock)

	want(t, "send", s.Send(background, 3), nil)
	if v, err := r.Receive(background); v != 3 || err != nil {
		t.Errorf("received %v, %v", v, err)
	}
	puts(t, s, 4)
	want(t, "close", s.Close(background), nil)
	want(t, "send by a closed handle", s.Send(background, 5), trigo.ErrClosed)
	gets(t, r, 4)
	for range 2 {
		if _, err := r.Receive(background); err != trigo.ErrEndOfChannel || !errors.Is(err, io.EOF) {
			t.Errorf("at the end: %v", err)
		}
		if _, err := r.ReceiveNoWait(); err != trigo.ErrEndOfChannel {
			t.Errorf("at the end, without waiting: %v", err)
		}
	}
}

func TestANegativeSizeIsRefused(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	channel.Open[int](-1)
}

func TestAnUnboundedChannelNeverMakesTheSenderWait(t *testing.T) {
	s, r := channel.Open[int](channel.Unbounded)
	const n = 100_000
	for i := range n {
		puts(t, s, i)
	}
	if got := s.Statistics(); got.Buffered != n || got.Size != channel.Unbounded {
		t.Errorf("statistics: %+v", got)
	}
	s.Close(background)
	next := 0
	for v, err := range trigo.Values(background, r) {
		if v != next || err != nil {
			t.Fatalf("received %d, %v, want %d", v, err, next)
		}
		next++
	}
	if next != n {
		t.Errorf("received %d values, want %d", next, n)
	}
}

func TestAnUnbufferedSendWaitsForItsReceive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, r := channel.Open[int](0)
		want(t, "send to nobody", s.SendNoWait(1), trigo.ErrWouldBlock)
		_, err := r.ReceiveNoWait()
		want(t, "receive from nobody", err, trigo.ErrWouldBlock)

		send := sending(background, s, 2)
		send.waits(t, "send")
		gets(t, r, 2)
		send.ends(t, "send", nil)

		receive := receiving(background, r)
		receive.waits(t, "receive")
		puts(t, s, 3)
		if v := receive.ends(t, "receive", nil); v != 3 {
			t.Errorf("received %d", v)
		}
	})
}

func TestATimedOutReceiveLeavesNothingBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, r := channel.Open[int](10)
		expired, err := nursery.MoveOnAfter(background, time.Second, func(ctx context.Context) error {
			_, err := r.Receive(ctx)
			return err
		})
		if !expired || err != nil {
			t.Errorf("expired %v, %v", expired, err)
		}
		if n := r.Statistics().WaitingToReceive; n != 0 {
			t.Errorf("%d still wait", n)
		}
		for i := range 10 {
			puts(t, s, i)
		}
		want(t, "send to a full buffer", s.SendNoWait(10), trigo.ErrWouldBlock)
		for i := range 10 {
			gets(t, r, i)
		}
	})
}

func TestACancelledCallDidNotHappen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, r := channel.Open[int](1)
		puts(t, s, 1)
		_, err := r.Receive(dead())
		want(t, "receive with a dead ctx", err, context.Canceled)
		want(t, "receive with a dead ctx", err, errReason)
		gets(t, r, 1)

		err = s.Send(dead(), 2)
		want(t, "send with a dead ctx", err, context.Canceled)
		want(t, "send with a dead ctx", err, errReason)
		_, err = r.ReceiveNoWait()
		want(t, "after that", err, trigo.ErrWouldBlock)

		puts(t, s, 3)
		ctx, cancel := context.WithCancelCause(background)
		send := sending(ctx, s, 4)
		behind := sending(background, s, 5)
		behind.waits(t, "send")
		cancel(errReason)
		send.ends(t, "cancelled send", errReason)
		gets(t, r, 3)
		behind.ends(t, "the send behind it", nil)
		gets(t, r, 5)

		ctx, cancelTimeout := context.WithTimeout(background, time.Second)
		defer cancelTimeout()
		receiving(ctx, r).ends(t, "receive that ran out of time", context.DeadlineExceeded)
		var op *trigo.OpError
		if _, err := r.Receive(ctx); !errors.As(err, &op) || op.Op != "receive" {
			t.Errorf("not an OpError of receive: %v", err)
		}
	})
}

func TestAClosedHandleIsClosedWhateverTheContext(t *testing.T) {
	s, r := channel.Open[int](1)
	s.Close(dead())
	r.Close(dead())
	want(t, "send", s.Send(dead(), 1), trigo.ErrClosed)
	_, err := r.Receive(dead())
	want(t, "receive", err, trigo.ErrClosed)
}

// A value that was handed over belongs to its receiver, even if the ctx of that one
// ends before it runs again; a room that was made belongs to its sender.
func TestSuccessThatHappenedWinsOverACancel(t *testing.T) {
	for range 200 {
		synctest.Test(t, func(t *testing.T) {
			s, r := channel.Open[int](0)
			ctx, cancel := context.WithCancel(background)
			receive := receiving(ctx, r)
			receive.waits(t, "receive")
			puts(t, s, 1)
			cancel()
			if v := receive.ends(t, "receive", nil); v != 1 {
				t.Errorf("received %d", v)
			}
			ctx, cancel = context.WithCancel(background)
			send := sending(ctx, s, 2)
			send.waits(t, "send")
			gets(t, r, 2)
			cancel()
			send.ends(t, "send", nil)
		})
	}
}

func TestThoseWhoWaitAreServedInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, r := channel.Open[int](1)
		puts(t, s, 0)
		var sends []*call[int]
		for i := 1; i <= 3; i++ {
			sends = append(sends, sending(background, s, i))
			synctest.Wait()
		}
		gets(t, r, 0)
		want(t, "a send that comes later", s.SendNoWait(9), trigo.ErrWouldBlock)
		for i := 1; i <= 3; i++ {
			gets(t, r, i)
		}
		for _, c := range sends {
			c.ends(t, "send", nil)
		}

		var receives []*call[int]
		for range 3 {
			receives = append(receives, receiving(background, r))
			synctest.Wait()
		}
		for i := range 3 {
			puts(t, s, 10+i)
			_, err := r.ReceiveNoWait()
			want(t, "a receive that comes later", err, trigo.ErrWouldBlock)
		}
		for i, c := range receives {
			if v := c.ends(t, "receive", nil); v != 10+i {
				t.Errorf("receiver %d got %d", i, v)
			}
		}
	})
}

func TestProducersEndTheChannelTogether(t *testing.T) {
	s, r := channel.Open[int](0)
	const producers, each = 10, 10
	var got []int
	err := nursery.Run(background, func(ctx context.Context, n *nursery.Nursery) error {
		for i := range producers {
			own, err := s.Clone()
			if err != nil {
				return err
			}
			n.Go(func(ctx context.Context) error {
				defer own.Close(ctx)
				for j := range each {
					if err := own.Send(ctx, i*each+j); err != nil {
						return err
					}
				}
				return nil
			})
		}
		s.Close(ctx)
		for v, err := range trigo.Values(ctx, r) {
			if err != nil {
				return err
			}
			got = append(got, v)
		}
		return nil
	})
	want(t, "nursery", err, nil)
	slices.Sort(got)
	for i := range producers * each {
		if i >= len(got) || got[i] != i {
			t.Fatalf("received %v", got)
		}
	}
}

func TestConsumersShareTheValues(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, r := channel.Open[int](0)
		const consumers, each = 10, 10
		got := make([][]int, consumers)
		err := nursery.Run(background, func(ctx context.Context, n *nursery.Nursery) error {
			for i := range consumers {
				n.Go(func(ctx context.Context) error {
					for v, err := range trigo.Values(ctx, r) {
						if err != nil {
							return err
						}
						got[i] = append(got[i], v)
						time.Sleep(time.Second) // the others' turn
					}
					return nil
				})
			}
			defer s.Close(ctx)
			for v := range consumers * each {
				if err := s.Send(ctx, v); err != nil {
					return err
				}
			}
			return nil
		})
		want(t, "nursery", err, nil)
		all := slices.Concat(got...)
		slices.Sort(all)
		for i := range consumers * each {
			if i >= len(all) || all[i] != i {
				t.Fatalf("received %v", got)
			}
		}
		for i := range got {
			if len(got[i]) == 0 {
				t.Errorf("consumer %d got nothing", i)
			}
		}
	})
}

func TestStatistics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, r := channel.Open[int](2)
		check := func(what string, want channel.Statistics) {
			t.Helper()
			synctest.Wait()
			if got := s.Statistics(); got != want {
				t.Errorf("%s:\n got %+v\nwant %+v", what, got, want)
			}
			if got := r.Statistics(); got != want {
				t.Errorf("%s, by the receiver: %+v", what, got)
			}
		}
		check("new", channel.Statistics{Size: 2, Senders: 1, Receivers: 1})
		s2, _ := s.Clone()
		r2, _ := r.Clone()
		r3, _ := r.Clone()
		check("cloned", channel.Statistics{Size: 2, Senders: 2, Receivers: 3})
		receives := []*call[int]{receiving(background, r2), receiving(background, r3)}
		check("receiving", channel.Statistics{Size: 2, Senders: 2, Receivers: 3, WaitingToReceive: 2})
		puts(t, s, 0)
		puts(t, s, 0)
		check("handed over", channel.Statistics{Size: 2, Senders: 2, Receivers: 3})
		for _, c := range receives {
			c.ends(t, "receive", nil)
		}
		puts(t, s, 1)
		puts(t, s, 2)
		send := sending(background, s2, 3)
		check("full", channel.Statistics{Size: 2, Buffered: 2, Peak: 2, Senders: 2, Receivers: 3, WaitingToSend: 1})
		gets(t, r, 1)
		send.ends(t, "send", nil)
		gets(t, r, 2)
		check("drained", channel.Statistics{Size: 2, Buffered: 1, Peak: 2, Senders: 2, Receivers: 3})
		r2.Close(background)
		r2.Close(background)
		r3.Close(background)
		s2.Close(background)
		check("closed some", channel.Statistics{Size: 2, Buffered: 1, Peak: 2, Senders: 1, Receivers: 1})
		r.Close(background)
		s.Close(background)
		check("closed all", channel.Statistics{Size: 2, Peak: 2, Lost: 1})
	})
}
