package trigotest

import (
	"context"
	"io"
	"time"

	"trigo"
)

func checkGracefulClose(ctx context.Context, b *bench, s trigo.SendStream, r trigo.ReceiveStream) {
	sent := b.start("SendAll and Close", func(*call) error {
		if err := s.SendAll(ctx, []byte("y")); err != nil {
			return err
		}
		return s.Close(ctx)
	})
	b.settle()
	b.gets(b.receive(ctx, r, 1), "y")
	b.eof(b.receive(ctx, r, 1))
	b.ok(sent)
	b.ok(b.close(ctx, r))
}

func checkStickyEOF(ctx context.Context, b *bench, s trigo.SendStream, r trigo.ReceiveStream) {
	ended := b.close(ctx, s)
	for range 3 {
		b.eof(b.receive(ctx, r, 1))
	}
	b.ok(ended)
}

// sendUntilError sends until that fails.
func (b *bench) sendUntilError(ctx context.Context, s trigo.SendStream) *call {
	return b.start("SendAll again and again", func(*call) error {
		scope, cancel := context.WithTimeout(ctx, b.opts.Patience)
		defer cancel()
		p := make([]byte, 100)
		for {
			if err := s.SendAll(scope, p); err != nil {
				return err
			}
			pause(scope, nil)
		}
	})
}

func checkClosedReceiver(ctx context.Context, b *bench, s trigo.SendStream, r trigo.ReceiveStream) {
	sending := b.sendUntilError(ctx, s)
	b.settle()
	b.ok(b.close(ctx, r))
	b.fails(sending, trigo.ErrBroken)
	for range 2 {
		b.fails(b.send(ctx, s, make([]byte, 100)), trigo.ErrBroken)
	}
	b.fails(b.wait(ctx, s), nil, trigo.ErrBroken)
}

func checkForcedReceiver(ctx context.Context, b *bench, s trigo.SendStream, r trigo.ReceiveStream) {
	dead := b.dead()
	b.closed(dead, b.close(dead, r))
	b.fails(b.sendUntilError(ctx, s), trigo.ErrBroken)
	b.fails(b.receive(ctx, r, 1), trigo.ErrClosed)
}

func checkForcedSender(ctx context.Context, b *bench, s trigo.SendStream, r trigo.ReceiveStream) {
	dead := b.dead()
	b.closed(dead, b.close(dead, s))
	b.fails(b.send(ctx, s, []byte("x")), trigo.ErrClosed)
	b.fails(b.receive(ctx, r, 1), io.EOF, trigo.ErrBroken)
}

func checkAbort(ctx context.Context, b *bench, s trigo.SendStream, r trigo.ReceiveStream) {
	if !canAbort(s) {
		b.t.Skipf("no layer of the stream can abort")
	}
	b.ok(b.start("Abort", func(*call) error { return trigo.Abort(s) }))
	b.fails(b.send(ctx, s, []byte("x")), trigo.ErrClosed)
	end := trigo.ErrBroken
	if b.opts.AbortIsEOF {
		end = io.EOF
	}
	for range 3 {
		b.fails(b.receive(ctx, r, 1), end)
	}
	b.ok(b.start("Abort", func(*call) error { return trigo.Abort(s) }))
}

// canAbort reports whether trigo.Abort(s) reaches a layer that can tell it to
// the peer. A staple passes it on, whether its halves can or not.
func canAbort(s any) bool {
	if staple, ok := trigo.As[*trigo.StapledStream](s); ok {
		return canAbort(staple.Send)
	}
	_, ok := trigo.As[trigo.Aborter](s)
	return ok
}

func checkReceiveAfterClose(ctx context.Context, b *bench, s trigo.SendStream, r trigo.ReceiveStream) {
	b.ok(b.close(ctx, r))
	for range 2 {
		b.fails(b.receive(ctx, r, 1), trigo.ErrClosed)
	}
	// The peer's end makes no difference to that.
	b.ok(b.close(ctx, s))
	b.fails(b.receive(ctx, r, 1), trigo.ErrClosed)
}

func checkSendAfterClose(ctx context.Context, b *bench, s trigo.SendStream, r trigo.ReceiveStream) {
	b.ok(b.close(ctx, s))
	b.sendersSayClosed(ctx, s)
}

func (b *bench) sendersSayClosed(ctx context.Context, s trigo.SendStream) {
	b.t.Helper()
	b.fails(b.send(ctx, s, []byte("x")), trigo.ErrClosed)
	b.fails(b.send(ctx, s, nil), trigo.ErrClosed)
	b.fails(b.wait(ctx, s), trigo.ErrClosed)
}

func checkSendAfterBrokenClose(ctx context.Context, b *bench, s trigo.SendStream, r trigo.ReceiveStream) {
	b.ok(b.close(ctx, r))
	b.fails(b.sendUntilError(ctx, s), trigo.ErrBroken)
	b.fails(b.close(ctx, s), nil, trigo.ErrBroken) // of a broken stream nobody can take leave
	b.sendersSayClosed(ctx, s)
	b.ok(b.close(ctx, s))
}

func checkCloseWithData(ctx context.Context, b *bench, s trigo.SendStream, r trigo.ReceiveStream) {
	sent := b.send(ctx, s, []byte("xy"))
	b.gets(b.receive(ctx, r, 1), "x")
	b.ok(b.close(ctx, r))
	b.fails(b.receive(ctx, r, 1), trigo.ErrClosed)
	b.fails(sent, nil, trigo.ErrBroken)
}

func checkCloseRacesReceive(ctx context.Context, b *bench, s trigo.SendStream, r trigo.ReceiveStream) {
	received := b.receive(ctx, r, 1)
	b.settle()
	sent, closing := b.send(ctx, s, []byte("x")), b.close(ctx, r)
	if b.finish(received) == nil {
		b.gets(received, "x")
	}
	b.fails(received, nil, trigo.ErrClosed)
	b.ok(closing)
	b.fails(b.receive(ctx, r, 1), trigo.ErrClosed)
	b.fails(sent, nil, trigo.ErrBroken)
}

func checkDeadClose(ctx context.Context, b *bench, s trigo.SendStream, r trigo.ReceiveStream) {
	dead := b.dead()
	b.closed(dead, b.close(dead, r))
	b.closed(dead, b.close(dead, s))
	b.fails(b.send(ctx, s, []byte("x")), trigo.ErrClosed)
	b.fails(b.receive(ctx, r, 1), trigo.ErrClosed)
	b.ok(b.close(ctx, r))
	b.ok(b.close(ctx, s))
}

func checkCloseWakesReceiver(ctx context.Context, b *bench, s trigo.SendStream, r trigo.ReceiveStream) {
	received := b.receive(ctx, r, 1)
	b.waits(received)
	b.ok(b.close(ctx, r))
	b.fails(received, trigo.ErrClosed)
}

func checkDeadCloseWakesReceiver(ctx context.Context, b *bench, s trigo.SendStream, r trigo.ReceiveStream) {
	received := b.receive(ctx, r, 1)
	b.waits(received)
	dead := b.dead()
	b.closed(dead, b.close(dead, r))
	b.fails(received, trigo.ErrClosed)
}

func checkCloseAgain(ctx context.Context, b *bench, s trigo.SendStream, r trigo.ReceiveStream) {
	dead := b.dead()
	for _, end := range []trigo.Resource{r, s} {
		for range 3 {
			b.ok(b.close(ctx, end))
		}
		b.closed(dead, b.close(dead, end))
	}
}

func checkConcurrentClose(ctx context.Context, b *bench, s trigo.SendStream, r trigo.ReceiveStream) {
	received := b.receive(ctx, r, 1)
	b.settle()
	for _, end := range []trigo.Resource{r, s} {
		var closing []*call
		for range 8 {
			closing = append(closing, b.close(ctx, end))
		}
		for _, c := range closing {
			b.ok(c)
		}
	}
	b.fails(received, trigo.ErrClosed)
	b.fails(b.send(ctx, s, []byte("x")), trigo.ErrClosed)
	b.fails(b.receive(ctx, r, 1), trigo.ErrClosed)
}

// checkLeaks leads a few pairs through a whole life and then counts.
func checkLeaks(ctx context.Context, b *bench, maker OneWayMaker) {
	before := takeInventory()
	for _, closing := range []context.Context{ctx, b.dead()} {
		s, r := b.pair(ctx, maker)
		sent := b.send(ctx, s, []byte("x"))
		b.gets(b.receive(ctx, r, 1), "x")
		b.ok(sent)

		scope, cancel := context.WithCancel(ctx)
		received := b.receive(scope, r, 1)
		b.waits(received)
		cancel()
		b.cancelled(scope, received)

		b.closed(closing, b.close(closing, s))
		b.closed(closing, b.close(closing, r))
	}
	for _, left := range before.leftovers(min(b.opts.Patience, 2*time.Second)) {
		b.t.Errorf("both ends are closed, and left is %s", left)
	}
}
