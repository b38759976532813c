package channel_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"

	"trigo"
	"trigo/channel"
)

func subscribe[T any](t *testing.T, b *channel.Broadcast[T]) *channel.Receiver[T] {
	t.Helper()
	r, err := b.Subscribe()
	want(t, "subscribe", err, nil)
	return r
}

// rest receives what there is, without waiting, and how it ends.
func rest[T any](r *channel.Receiver[T]) (values []T, err error) {
	for {
		v, err := r.ReceiveNoWait()
		if err != nil {
			return values, err
		}
		values = append(values, v)
	}
}

func TestEverySubscriberGetsEveryValue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := channel.OpenBroadcast[int](2, channel.Wait)
		want(t, "send to nobody", b.Send(background, 0), nil)
		first, second := subscribe(t, b), subscribe(t, b)
		puts(t, b, 1)
		late := subscribe(t, b)
		waits := receiving(background, late)
		waits.waits(t, "receive")
		puts(t, b, 2)
		if v := waits.ends(t, "receive", nil); v != 2 {
			t.Errorf("received %d", v)
		}
		b.Close(background)
		for _, r := range []*channel.Receiver[int]{first, second} {
			if got, err := rest(r); !slices.Equal(got, []int{1, 2}) || err != trigo.ErrEndOfChannel {
				t.Errorf("received %v, %v", got, err)
			}
		}
		if _, err := late.Receive(background); err != trigo.ErrEndOfChannel {
			t.Errorf("at the end: %v", err)
		}
		_, err := b.Subscribe()
		want(t, "subscribe to what is closed", err, trigo.ErrClosed)
		want(t, "send", b.Send(background, 3), trigo.ErrClosed)
		want(t, "send", b.SendNoWait(3), trigo.ErrClosed)
		want(t, "close again", b.Close(background), nil)
	})
}

func TestWhatBecomesOfASubscriberThatLags(t *testing.T) {
	for _, c := range []struct {
		lag  channel.Lag
		got  []int
		lost int
		end  error
	}{
		{channel.DropOldest, []int{3, 4}, 2, trigo.ErrWouldBlock},
		{channel.DropNewest, []int{1, 2}, 2, trigo.ErrWouldBlock},
		{channel.SkipToNewest, []int{3, 4}, 2, trigo.ErrWouldBlock}, // 1 and 2 at once, when 3 came
		{channel.CutOff, []int{1, 2}, 1, trigo.ErrBroken},
	} {
		b := channel.OpenBroadcast[int](2, c.lag)
		slow, quick := subscribe(t, b), subscribe(t, b)
		for v := 1; v <= 4; v++ {
			want(t, "send", b.Send(background, v), nil)
			gets(t, quick, v)
		}
		got, err := rest(slow)
		if !slices.Equal(got, c.got) {
			t.Errorf("%v: received %v, want %v", c.lag, got, c.got)
		}
		want(t, c.lag.String(), err, c.end)
		if n := slow.Statistics().Lost; n != c.lost {
			t.Errorf("%v: lost %d, want %d", c.lag, n, c.lost)
		}
		if n := quick.Statistics().Lost; n != 0 {
			t.Errorf("%v: the quick one lost %d", c.lag, n)
		}
	}
}

func TestSkipToNewestDropsAllThatWaits(t *testing.T) {
	b := channel.OpenBroadcast[int](3, channel.SkipToNewest)
	r := subscribe(t, b)
	for v := range 4 {
		puts(t, b, v)
	}
	gets(t, r, 3)
}

func TestABroadcastThatWaitsGoesAtThePaceOfTheSlowest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := channel.OpenBroadcast[int](1, channel.Wait)
		slow, quick := subscribe(t, b), subscribe(t, b)
		puts(t, b, 1)
		gets(t, quick, 1)
		want(t, "send to a full subscription", b.SendNoWait(9), trigo.ErrWouldBlock)
		first, second := sending(background, b, 2), (*call[int])(nil)
		first.waits(t, "send")
		second = sending(background, b, 3)
		second.waits(t, "send")
		_, err := quick.ReceiveNoWait()
		want(t, "receive of what nobody has yet", err, trigo.ErrWouldBlock)

		gets(t, slow, 1)
		first.ends(t, "send", nil)
		second.waits(t, "send")
		gets(t, slow, 2)
		gets(t, quick, 2)
		second.ends(t, "send", nil)
		gets(t, slow, 3)
		gets(t, quick, 3)
	})
}

func TestACancelledBroadcastReachedNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := channel.OpenBroadcast[int](1, channel.Wait)
		slow, quick := subscribe(t, b), subscribe(t, b)
		puts(t, b, 1)
		gets(t, quick, 1)
		ctx, cancel := context.WithCancelCause(background)
		send := sending(ctx, b, 2)
		send.waits(t, "send")
		cancel(errReason)
		send.ends(t, "send", errReason)
		want(t, "send with a dead ctx", b.Send(dead(), 3), errReason)
		gets(t, slow, 1)
		for _, r := range []*channel.Receiver[int]{slow, quick} {
			_, err := r.ReceiveNoWait()
			want(t, "receive", err, trigo.ErrWouldBlock)
		}
	})
}

func TestASubscriberThatLeavesHoldsNobodyUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := channel.OpenBroadcast[int](1, channel.Wait)
		slow := subscribe(t, b)
		puts(t, b, 1)
		sends := []*call[int]{sending(background, b, 2), sending(background, b, 3)}
		sends[1].waits(t, "send")
		clone, err := slow.Clone()
		want(t, "clone", err, nil)
		slow.Close(background)
		sends[0].waits(t, "send, while the clone is open")
		clone.Close(background)
		for _, c := range sends {
			c.ends(t, "send", nil)
		}
		send := sending(background, b, 4)
		send.ends(t, "send to nobody", nil)
	})
}

func TestClosingABroadcastWakesItsSenders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := channel.OpenBroadcast[int](1, channel.Wait)
		r := subscribe(t, b)
		puts(t, b, 1)
		send := sending(background, b, 2)
		send.waits(t, "send")
		b.Close(background)
		send.ends(t, "send", trigo.ErrClosed)
		if got, err := rest(r); !slices.Equal(got, []int{1}) || err != trigo.ErrEndOfChannel {
			t.Errorf("received %v, %v", got, err)
		}
	})
}

func TestABroadcastNeedsASizeAndAPolicy(t *testing.T) {
	for _, open := range []func(){
		func() { channel.OpenBroadcast[int](0, channel.Wait) },
		func() { channel.OpenBroadcast[int](1, channel.Lag(9)) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			open()
		}()
	}
}
