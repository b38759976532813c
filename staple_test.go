package trigo_test

import (
	"context"
	"errors"
	"io"
	"slices"
	"testing"
	"testing/synctest"

	"trigo"
)

// calls records the methods that were called on the halves of a staple.
type calls []string

func (c *calls) add(call string) { *c = append(*c, call) }

// sendHalf can only send. Its end of file is its Close.
type sendHalf struct {
	*calls
	err error
}

func (s sendHalf) SendAll(_ context.Context, p []byte) error {
	s.add("send " + string(p))
	return s.err
}
func (s sendHalf) WaitSendAllMightNotBlock(context.Context) error { s.add("wait"); return s.err }
func (s sendHalf) Close(context.Context) error                    { s.add("close send"); return s.err }

// endingHalf has a SendEOF.
type endingHalf struct{ sendHalf }

func (s endingHalf) SendEOF(context.Context) error { s.add("EOF"); return s.err }

// receiveHalf can only receive.
type receiveHalf struct {
	*calls
	err error
}

func (r receiveHalf) ReceiveSome(_ context.Context, p []byte) (int, error) {
	r.add("receive")
	return copy(p, "hello"), r.err
}
func (r receiveHalf) Close(context.Context) error { r.add("close receive"); return r.err }

func (c calls) want(t *testing.T, want ...string) {
	t.Helper()
	if !slices.Equal(c, want) {
		t.Errorf("calls %q, want %q", []string(c), want)
	}
}

func TestStapleForwards(t *testing.T) {
	ctx := t.Context()
	var c calls
	s := trigo.Staple(sendHalf{calls: &c}, receiveHalf{calls: &c})
	wantNil(t, "send", s.SendAll(ctx, []byte("x")))
	wantNil(t, "wait", s.WaitSendAllMightNotBlock(ctx))
	p := make([]byte, 4)
	if n, err := s.ReceiveSome(ctx, p); string(p[:n]) != "hell" || err != nil {
		t.Errorf("received %q, %v", p[:n], err)
	}
	wantNil(t, "close", s.Close(ctx))
	c.want(t, "send x", "wait", "receive", "close send", "close receive")
}

func TestStapleForwardsErrors(t *testing.T) {
	ctx := t.Context()
	sending, receiving := errors.New("sending"), errors.New("receiving")
	s := trigo.Staple(endingHalf{sendHalf{new(calls), sending}}, receiveHalf{new(calls), receiving})
	_, received := s.ReceiveSome(ctx, make([]byte, 1))
	for _, got := range []struct{ err, want error }{
		{s.SendAll(ctx, nil), sending},
		{s.WaitSendAllMightNotBlock(ctx), sending},
		{s.SendEOF(ctx), sending},
		{received, receiving},
	} {
		if got.err != got.want {
			t.Errorf("got %v, want %v as it is", got.err, got.want)
		}
	}
}

func TestStapleSendEOF(t *testing.T) {
	t.Run("calls SendEOF where there is one", func(t *testing.T) {
		var c calls
		s := trigo.Staple(endingHalf{sendHalf{calls: &c}}, receiveHalf{calls: &c})
		wantNil(t, "EOF", s.SendEOF(t.Context()))
		c.want(t, "EOF")
	})
	t.Run("else closes the sending half", func(t *testing.T) {
		var c calls
		s := trigo.Staple(sendHalf{calls: &c}, receiveHalf{calls: &c})
		wantNil(t, "EOF", s.SendEOF(t.Context()))
		c.want(t, "close send")
	})
	t.Run("does nothing with a dead ctx", func(t *testing.T) {
		var c calls
		s := trigo.Staple(sendHalf{calls: &c}, receiveHalf{calls: &c})
		wantIs(t, "EOF", s.SendEOF(canceled()), context.Canceled)
		c.want(t)
	})
}

func TestStapleSendEOFAfterClose(t *testing.T) {
	var c calls
	s := trigo.Staple(sendHalf{calls: &c}, receiveHalf{calls: &c})
	wantNil(t, "close", s.Close(t.Context()))
	if err := s.SendEOF(t.Context()); !errors.Is(err, trigo.ErrClosed) {
		t.Errorf("SendEOF: %v, want ErrClosed", err)
	}
	c.want(t, "close send", "close receive")
}

func TestStapleCloseClosesBothHalvesWhateverTheySay(t *testing.T) {
	one, two := errors.New("one"), errors.New("two")
	var c calls
	s := trigo.Staple(sendHalf{&c, one}, receiveHalf{&c, two})
	wantIs(t, "close", s.Close(t.Context()), one, two)
	c.want(t, "close send", "close receive")
}

func TestStapleCloseWithADeadCtxClosesBothHalves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newFakeStream("a"), newFakeStream("b")
		a.peer, b.peer = newFakeStream("a'"), newFakeStream("b'")
		wantIs(t, "close", trigo.Staple(a, b).Close(canceled()), context.Canceled)
		if !isClosed(a.closed) || !isClosed(b.closed) {
			t.Error("a half is open")
		}
	})
}

func TestStapleServesOneSenderAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newPair()
		s := trigo.Staple(struct{ trigo.SendStream }{a}, a) // hides SendEOF
		stuck := async(func() error {
			for {
				if err := s.SendAll(t.Context(), []byte("x")); err != nil {
					return err
				}
			}
		})
		pending(t, "send into a full stream", stuck)
		wantIs(t, "send", s.SendAll(t.Context(), nil), trigo.ErrBusy)
		wantIs(t, "wait", s.WaitSendAllMightNotBlock(t.Context()), trigo.ErrBusy)
		wantIs(t, "EOF", s.SendEOF(t.Context()), trigo.ErrBusy)
		if isClosed(a.closed) {
			t.Error("SendEOF closed the stream under the sender")
		}

		// Receiving and closing are not in the sender's way.
		wantNil(t, "peer sends", b.SendAll(t.Context(), []byte("y")))
		if n, err := s.ReceiveSome(t.Context(), make([]byte, 9)); n != 1 || err != nil {
			t.Errorf("received %d, %v", n, err)
		}
		wantNil(t, "close", s.Close(t.Context()))
		wantIs(t, "the stuck sender", over(t, "sender", stuck), trigo.ErrClosed)
		wantIs(t, "a later sender", s.SendAll(t.Context(), nil), trigo.ErrClosed)
	})
}

func TestStapleAbortAbortsBothHalves(t *testing.T) {
	var c calls
	one, two := errors.New("one"), errors.New("two")
	s := trigo.Staple(struct {
		sendHalf
		abortable
	}{sendHalf{calls: &c}, abortable{&c, "send", one}}, struct {
		receiveHalf
		abortable
	}{receiveHalf{calls: &c}, abortable{&c, "receive", two}})
	wantIs(t, "abort", s.Abort(), one, two)
	c.want(t, "abort send", "abort receive")
}

func TestStapleAllocatesNothing(t *testing.T) {
	ctx := t.Context()
	s := trigo.Staple(nothing{}, nothing{})
	p := make([]byte, 1)
	if n := testing.AllocsPerRun(100, func() {
		_ = s.SendAll(ctx, p)
		_ = s.WaitSendAllMightNotBlock(ctx)
		_, _ = s.ReceiveSome(ctx, p)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// nothing is a stream that does nothing.
type nothing struct{}

func (nothing) SendAll(context.Context, []byte) error            { return nil }
func (nothing) WaitSendAllMightNotBlock(context.Context) error   { return nil }
func (nothing) ReceiveSome(context.Context, []byte) (int, error) { return 0, io.EOF }
func (nothing) Close(context.Context) error                      { return nil }
