package channel_test

import (
	"context"
	"runtime"
	"testing"
	"testing/synctest"
	"weak"

	"trigo"
	"trigo/channel"
)

func TestClosingTheOnlySender(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, r := channel.Open[int](0)
		send := sending(background, s, 1)
		send.waits(t, "send")
		s.Close(background)
		send.ends(t, "the send that waited", trigo.ErrClosed)
		for range 2 { // for ever
			want(t, "send", s.Send(background, 1), trigo.ErrClosed)
			want(t, "send without waiting", s.SendNoWait(1), trigo.ErrClosed)
			_, err := s.Clone()
			want(t, "clone", err, trigo.ErrClosed)
			_, err = r.Receive(background)
			want(t, "receive", err, trigo.ErrEndOfChannel)
			want(t, "close again", s.Close(background), nil)
		}
	})
}

func TestClosingTheOnlyReceiver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, r := channel.Open[int](0)
		receive := receiving(background, r)
		receive.waits(t, "receive")
		r.Close(background)
		receive.ends(t, "the receive that waited", trigo.ErrClosed)
		for range 2 {
			_, err := r.Receive(background)
			want(t, "receive", err, trigo.ErrClosed)
			_, err = r.ReceiveNoWait()
			want(t, "receive without waiting", err, trigo.ErrClosed)
			_, err = r.Clone()
			want(t, "clone", err, trigo.ErrClosed)
			want(t, "send", s.Send(background, 1), trigo.ErrBroken)
			want(t, "send without waiting", s.SendNoWait(1), trigo.ErrBroken)
			want(t, "close again", r.Close(background), nil)
		}
	})
}

func TestClosingWakesTheOtherSide(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, r := channel.Open[int](0)
		receives := []*call[int]{receiving(background, r), receiving(background, r)}
		receives[1].waits(t, "receive")
		s.Close(background)
		for _, c := range receives {
			c.ends(t, "receive", trigo.ErrEndOfChannel)
		}

		s, r = channel.Open[int](0)
		sends := []*call[int]{sending(background, s, 1), sending(background, s, 2)}
		sends[1].waits(t, "send")
		r.Close(background)
		for _, c := range sends {
			c.ends(t, "send", trigo.ErrBroken)
		}
	})
}

func TestClosingOneSenderWakesOnlyItsOwnCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, r := channel.Open[string](0)
		b, err := a.Clone()
		want(t, "clone", err, nil)
		first := sending(background, a, "from a")
		first.waits(t, "send")
		second := sending(background, b, "from b")
		second.waits(t, "send")
		third := sending(background, a, "from a")
		third.waits(t, "send")
		a.Close(background)
		first.ends(t, "send by the closed handle", trigo.ErrClosed)
		third.ends(t, "send by the closed handle", trigo.ErrClosed)
		second.waits(t, "send by the other handle")
		gets(t, r, "from b")
		second.ends(t, "send by the other handle", nil)
		_, err = r.ReceiveNoWait()
		want(t, "receive while a sender is open", err, trigo.ErrWouldBlock)
		b.Close(background)
		_, err = r.Receive(background)
		want(t, "receive when none is", err, trigo.ErrEndOfChannel)
	})
}

func TestClosingOneReceiverWakesOnlyItsOwnCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, a := channel.Open[int](0)
		b, err := a.Clone()
		want(t, "clone", err, nil)
		first := receiving(background, a)
		first.waits(t, "receive")
		second := receiving(background, b)
		second.waits(t, "receive")
		a.Close(background)
		first.ends(t, "receive by the closed handle", trigo.ErrClosed)
		second.waits(t, "receive by the other handle")
		puts(t, s, 1)
		if v := second.ends(t, "receive by the other handle", nil); v != 1 {
			t.Errorf("received %d", v)
		}
		b.Close(background)
		want(t, "send to none", s.SendNoWait(2), trigo.ErrBroken)
	})
}

func TestWhatIsBufferedSurvivesTheSendersButNotTheReceivers(t *testing.T) {
	s, r := channel.Open[int](3)
	puts(t, s, 1)
	puts(t, s, 2)
	s.Close(background)
	gets(t, r, 1)
	if n := r.Statistics().Lost; n != 0 {
		t.Errorf("%d lost, though a receiver is open", n)
	}
	r.Close(background)
	if got := r.Statistics(); got.Buffered != 0 || got.Lost != 1 {
		t.Errorf("after the last receiver: %+v", got)
	}
}

func TestAChannelKeepsNothingThatWasReceived(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, r := channel.Open[*[64]byte](1)
		var held []weak.Pointer[[64]byte]
		value := func() *[64]byte {
			p := new([64]byte)
			held = append(held, weak.Make(p))
			return p
		}
		receive := receiving(background, r)
		receive.waits(t, "receive")
		puts(t, s, value()) // handed over
		receive.ends(t, "receive", nil)
		receive.v = nil
		puts(t, s, value()) // buffered
		send := sending(background, s, value())
		send.waits(t, "send")
		r.ReceiveNoWait()
		send.ends(t, "send", nil)
		send.v = nil
		r.ReceiveNoWait()
		ctx, cancel := context.WithCancelCause(background)
		puts(t, s, nil)
		send = sending(ctx, s, value())
		send.waits(t, "send")
		cancel(errReason)
		send.ends(t, "send", errReason)
		send.v = nil
		runtime.GC()
		for i, p := range held {
			if p.Value() != nil {
				t.Errorf("value %d is still held", i)
			}
		}
		runtime.KeepAlive(s)
		runtime.KeepAlive(r)
	})
}

func TestAWaiterUsedAgainHasForgottenItsPast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, r := channel.Open[*int](0)
		for i := range 100 { // each wait uses a waiter that another one used
			receive := receiving(background, r)
			receive.waits(t, "receive")
			puts(t, s, &i)
			if v := receive.ends(t, "receive", nil); *v != i {
				t.Fatalf("received %d, want %d", *v, i)
			}
			send := sending(background, s, nil)
			send.waits(t, "send")
			gets(t, r, nil)
			send.ends(t, "send", nil)
		}
	})
}
