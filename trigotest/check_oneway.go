package trigotest

import (
	"context"
	"io"

	"trigo"
)

// oneWayChecks are those that need no clogged stream.
func oneWayChecks(maker OneWayMaker) []check {
	// with is a check that begins with a pair of ends.
	with := func(name string, run func(ctx context.Context, b *bench, s trigo.SendStream, r trigo.ReceiveStream)) check {
		return check{name, func(ctx context.Context, b *bench) {
			s, r := b.pair(ctx, maker)
			run(ctx, b, s, r)
		}}
	}
	return []check{
		with("what is sent is received", checkSends),
		with("an empty send is invisible", checkEmptySend),
		with("a sent slice may be reused", checkReuse),
		with("a receive returns no more than fits", checkFits),
		with("a receive into nothing is ErrShortBuffer", checkShortBuffer),
		with("a second receiver is busy", checkBusyReceiver),
		with("wait to send returns while someone receives", checkWaitReturns),

		with("a dead ctx does nothing", checkDeadCtx),
		with("a cancelled receive takes nothing", checkCancelledReceive),
		with("a cancel that races a receive loses nothing", checkRacingCancel),
		with("a cancelled send tells what went out", checkCancelledSend),

		with("graceful close loses nothing", checkGracefulClose),
		with("EOF stays", checkStickyEOF),
		with("a closed receiver breaks its sender", checkClosedReceiver),
		with("a receiver closed by force breaks its sender", checkForcedReceiver),
		with("a sender closed by force ends its receiver", checkForcedSender),
		with("an aborted stream is broken and stays so", checkAbort),
		with("a closed receiver says so", checkReceiveAfterClose),
		with("a closed sender says so", checkSendAfterClose),
		with("a closed sender that was broken says closed", checkSendAfterBrokenClose),
		with("close drops what was not received", checkCloseWithData),
		with("a receive that races close gets data or closed", checkCloseRacesReceive),
		with("close with a dead ctx closes", checkDeadClose),
		with("close wakes a receiver", checkCloseWakesReceiver),
		with("close with a dead ctx wakes a receiver", checkDeadCloseWakesReceiver),
		with("closing again is silent", checkCloseAgain),
		with("concurrent closes all succeed", checkConcurrentClose),
		{"nothing is left behind", func(ctx context.Context, b *bench) { checkLeaks(ctx, b, maker) }},
	}
}

func checkSends(ctx context.Context, b *bench, s trigo.SendStream, r trigo.ReceiveStream) {
	for _, text := range []string{"x", "y"} {
		sent := b.send(ctx, s, []byte(text))
		b.gets(b.receive(ctx, r, 1), text)
		b.ok(sent)
	}
}

func checkEmptySend(ctx context.Context, b *bench, s trigo.SendStream, r trigo.ReceiveStream) {
	received := b.receive(ctx, r, 1)
	b.ok(b.send(ctx, s, nil))
	b.ok(b.send(ctx, s, []byte{}))
	b.waits(received)
	sent := b.send(ctx, s, []byte("y"))
	b.gets(received, "y")
	b.ok(sent)
}

func checkReuse(ctx context.Context, b *bench, s trigo.SendStream, r trigo.ReceiveStream) {
	sent := b.start("two SendAll from one slice", func(*call) error {
		defer s.Close(ctx)
		p := []byte("one")
		if err := s.SendAll(ctx, p); err != nil {
			return err
		}
		copy(p, "two")
		return s.SendAll(ctx, p)
	})
	b.settle()
	b.gets(b.receiveAll(ctx, r), "onetwo")
	b.ok(sent)
}

func checkFits(ctx context.Context, b *bench, s trigo.SendStream, r trigo.ReceiveStream) {
	sent := b.send(ctx, s, []byte("abcdef"))
	b.settle()
	got := ""
	for len(got) < 6 {
		buf := []byte("....")
		c := b.start("ReceiveSome of up to 2 bytes", func(c *call) (err error) {
			c.data, err = receiveSome(ctx, r, buf[:2])
			return err
		})
		b.ok(c)
		if rest := string(buf[len(c.data):]); rest != "...."[len(c.data):] {
			b.t.Fatalf("ReceiveSome returned %d and wrote more than that: %q", len(c.data), buf)
		}
		got += string(c.data)
	}
	if got != "abcdef" {
		b.t.Fatalf("got %q in pieces, want %q", got, "abcdef")
	}
	b.ok(sent)
}

func checkShortBuffer(ctx context.Context, b *bench, s trigo.SendStream, r trigo.ReceiveStream) {
	b.fails(b.receive(ctx, r, 0), io.ErrShortBuffer) // with nothing to receive

	sent := b.send(ctx, s, []byte("x"))
	b.settle()
	b.fails(b.receive(ctx, r, 0), io.ErrShortBuffer) // with something
	b.gets(b.receive(ctx, r, 1), "x")
	b.ok(sent)

	b.ok(b.close(ctx, s))
	b.eof(b.receive(ctx, r, 1))
	b.fails(b.receive(ctx, r, 0), io.ErrShortBuffer) // at the end
	b.ok(b.close(ctx, r))
	b.fails(b.receive(ctx, r, 0), io.ErrShortBuffer) // after it
}

func checkBusyReceiver(ctx context.Context, b *bench, s trigo.SendStream, r trigo.ReceiveStream) {
	one, two := b.receive(ctx, r, 1), b.receive(ctx, r, 1)
	other := b.busyOne(one, two)
	sent := b.send(ctx, s, []byte("x"))
	b.gets(other, "x")
	b.ok(sent)
}

// busyOne wants one of two calls to be told ErrBusy, and the other to go on
// waiting. It returns that one.
func (b *bench) busyOne(one, two *call) *call {
	b.t.Helper()
	refused := b.first(one, two)
	b.is(refused.what+" beside another call", refused.err, trigo.ErrBusy)
	other := one
	if refused == one {
		other = two
	}
	b.waits(other)
	return other
}

func checkWaitReturns(ctx context.Context, b *bench, s trigo.SendStream, r trigo.ReceiveStream) {
	received := b.receive(ctx, r, 1)
	b.settle()
	b.ok(b.wait(ctx, s))
	sent := b.send(ctx, s, []byte("x"))
	b.gets(received, "x")
	b.ok(sent)
}
