package trigotest

import (
	"context"
	"errors"
	"sync/atomic"

	"trigo"
)

var cloggedDefects = []defect{
	{check: "clogged: wait to send waits for a receive", what: "lets it return at once", lockstep: true, inflict: func(x, y *broken, _ chan struct{}) {
		x.wait = func(ctx context.Context) error { return trigo.CancelError(ctx) }
	}},
	{check: "clogged: a send waits for a receive", what: "has a buffer", inflict: func(x, y *broken, _ chan struct{}) {}},
	{check: "clogged: a second waiter is busy", what: "makes it queue", lockstep: true, inflict: func(x, y *broken, _ chan struct{}) {
		queue := make(chan struct{}, 1)
		x.wait = func(ctx context.Context) error {
			queue <- struct{}{}
			defer func() { <-queue }()
			return x.good().WaitSendAllMightNotBlock(ctx)
		}
	}},
	{check: "clogged: a send beside a waiter is busy", what: "has a guard for each", lockstep: true, inflict: waitForEver},
	{check: "clogged: a second send is busy", what: "makes it queue", lockstep: true, inflict: func(x, y *broken, _ chan struct{}) {
		queue := make(chan struct{}, 1)
		x.send = func(ctx context.Context, p []byte) error {
			queue <- struct{}{}
			defer func() { <-queue }()
			return x.good().SendAll(ctx, p)
		}
	}},
	{check: "clogged: an empty send beside a send is busy", what: "lets it pass", lockstep: true, inflict: emptyAlwaysSucceeds},
	{check: "clogged: a receive beside a send is not busy", what: "serves one caller", lockstep: true, inflict: func(x, y *broken, _ chan struct{}) {
		var busy atomic.Bool
		x.send = func(ctx context.Context, p []byte) error {
			busy.Store(true)
			return x.good().SendAll(ctx, p)
		}
		y.receive = func(ctx context.Context, p []byte) (int, error) {
			if busy.Load() {
				return 0, trigo.ErrBusy
			}
			return y.good().ReceiveSome(ctx, p)
		}
	}},
	{check: "clogged: cancel wakes a send", what: "does not", lockstep: true, inflict: func(x, y *broken, _ chan struct{}) {
		x.send = func(ctx context.Context, p []byte) error { return x.good().SendAll(context.WithoutCancel(ctx), p) }
	}},
	{check: "clogged: cancel wakes a send", what: "is broken by that", lockstep: true, inflict: brokenByCancel},
	{check: "clogged: cancel wakes a waiter", what: "does not", lockstep: true, inflict: func(x, y *broken, _ chan struct{}) {
		x.wait = func(ctx context.Context) error {
			return x.good().WaitSendAllMightNotBlock(context.WithoutCancel(ctx))
		}
	}},
	{check: "clogged: a closed receiver wakes a waiter", what: "does not", lockstep: true, inflict: waitForEver},
	{check: "clogged: a closed receiver wakes a send", what: "does not", lockstep: true, inflict: func(x, y *broken, _ chan struct{}) {
		closeByFlag(y)
	}},
	{check: "clogged: wait to send returns when the receiver is closed", what: "hangs", lockstep: true, inflict: waitForEver},
	{check: "clogged: close wakes a send", what: "waits for it", lockstep: true, inflict: func(x, y *broken, hang chan struct{}) {
		queue := make(chan struct{}, 1)
		x.send = func(ctx context.Context, p []byte) error {
			queue <- struct{}{}
			defer func() { <-queue }()
			return x.good().SendAll(ctx, p)
		}
		x.closing = func(ctx context.Context) error {
			queue <- struct{}{}
			defer func() { <-queue }()
			return x.good().Close(ctx)
		}
	}},
	{check: "clogged: close wakes a send", what: "calls it broken", lockstep: true, inflict: func(x, y *broken, hang chan struct{}) {
		x.send = func(ctx context.Context, p []byte) error {
			return trigo.Broken(x.good().SendAll(ctx, p))
		}
	}},
	{check: "clogged: close wakes a waiter", what: "lets it sleep", lockstep: true, inflict: func(x, y *broken, _ chan struct{}) { closeByFlag(x) }},
	{check: "clogged: close with a dead ctx wakes a send", what: "lets it sleep", lockstep: true, inflict: func(x, y *broken, _ chan struct{}) { onlyGraceful(x) }},
	{check: "clogged: close with a dead ctx wakes a waiter", what: "lets it sleep", lockstep: true, inflict: func(x, y *broken, _ chan struct{}) { onlyGraceful(x) }},
	{check: "clogged: close works after a send that ran out of time", what: "waits for ever", lockstep: true, inflict: func(x, y *broken, hang chan struct{}) {
		x.closing = func(context.Context) error { <-hang; return nil }
	}},
	{check: "clogged: close works after a send that ran out of time", what: "stays broken", lockstep: true, inflict: brokenByCancel},
}

// brokenByCancel does not survive a cancelled send.
func brokenByCancel(x, _ *broken, _ chan struct{}) {
	var dead atomic.Bool
	x.send = func(ctx context.Context, p []byte) error {
		if dead.Load() {
			return trigo.ErrBroken
		}
		err := x.good().SendAll(ctx, p)
		if ctx.Err() != nil {
			dead.Store(true)
		}
		return err
	}
}

var twoWayDefects = []defect{
	{check: "data flows both ways at once", what: "changes a byte", inflict: func(x, y *broken, _ chan struct{}) {
		count := 0
		y.receive = func(ctx context.Context, p []byte) (int, error) {
			n, err := y.good().ReceiveSome(ctx, p)
			if count += n; n > 0 && count > 700_000 {
				p[0] ^= 1
				count = 0
			}
			return n, err
		}
	}},
	{check: "one end sends while it receives", what: "serves one caller", inflict: func(x, y *broken, _ chan struct{}) {
		var busy atomic.Bool
		x.receive = func(ctx context.Context, p []byte) (int, error) {
			busy.Store(true)
			defer busy.Store(false)
			return x.good().ReceiveSome(ctx, p)
		}
		x.send = func(ctx context.Context, p []byte) error {
			if busy.Load() {
				return trigo.ErrBusy
			}
			return x.good().SendAll(ctx, p)
		}
	}},
	{check: "closing one end ends the other", what: "does not", inflict: func(x, y *broken, _ chan struct{}) { closeByFlag(x) }},
	{check: "clogged: close wakes both halves", what: "wakes one", lockstep: true, inflict: func(x, y *broken, _ chan struct{}) {
		x.closing = func(ctx context.Context) error {
			staple, _ := trigo.As[*trigo.StapledStream](x.good())
			return staple.Receive.Close(ctx)
		}
	}},
	{check: "clogged: a cancelled receive leaves a send alone", what: "has one deadline for both", lockstep: true, inflict: oneDeadline},
	{check: "clogged: a cancelled send leaves a receive alone", what: "has one deadline for both", lockstep: true, inflict: oneDeadline},

	{check: "SendEOF ends one direction", what: "closes", inflict: func(x, y *broken, _ chan struct{}) { x.eof = x.good().Close }},
	{check: "SendEOF ends one direction", what: "does nothing", inflict: func(x, y *broken, _ chan struct{}) {
		x.eof = func(context.Context) error { return nil }
	}},
	{check: "sends after SendEOF are closed", what: "calls them broken", inflict: func(x, y *broken, _ chan struct{}) {
		x.send = func(ctx context.Context, p []byte) error {
			if err := x.good().SendAll(ctx, p); errors.Is(err, trigo.ErrClosed) {
				return trigo.ErrBroken
			}
			return nil
		}
	}},
	{check: "sends after SendEOF are closed", what: "lets empty sends pass", inflict: emptyAlwaysSucceeds},
	{check: "SendEOF again is silent", what: "complains", inflict: func(x, y *broken, _ chan struct{}) {
		x.eof = complainAgain(x.good().SendEOF)
	}},
	{check: "wait to send returns after SendEOF", what: "hangs", inflict: waitForEver},
	{check: "SendEOF with a dead ctx does nothing", what: "sends it", inflict: func(x, y *broken, _ chan struct{}) {
		x.eof = func(ctx context.Context) error {
			return errors.Join(x.good().SendEOF(context.WithoutCancel(ctx)), trigo.CancelError(ctx))
		}
	}},
	{check: "SendEOF leaves a receive alone", what: "wakes it", inflict: func(x, y *broken, _ chan struct{}) { x.eof = x.good().Close }},
	{check: "close after SendEOF", what: "complains", inflict: func(x, y *broken, _ chan struct{}) {
		var ended atomic.Bool
		x.eof = func(ctx context.Context) error { ended.Store(true); return x.good().SendEOF(ctx) }
		x.closing = func(ctx context.Context) error {
			err := x.good().Close(ctx)
			if ended.Load() {
				return trigo.ErrClosed
			}
			return err
		}
	}},
	{check: "clogged: SendEOF beside a send is busy", what: "closes instead", lockstep: true, inflict: unguardedEOF},
	{check: "clogged: SendEOF beside a waiter is busy", what: "closes instead", lockstep: true, inflict: unguardedEOF},
}

// unguardedEOF closes the sending half whoever uses it.
func unguardedEOF(x, _ *broken, _ chan struct{}) {
	x.eof = func(ctx context.Context) error {
		staple, _ := trigo.As[*trigo.StapledStream](x.good())
		return staple.Send.Close(ctx)
	}
}

// oneDeadline cancels whatever is under way when one call is cancelled, as a socket
// does whose deadline is set for both directions.
func oneDeadline(x, _ *broken, _ chan struct{}) {
	var send, receive atomic.Pointer[context.CancelCauseFunc]
	under := func(ctx context.Context, own, other *atomic.Pointer[context.CancelCauseFunc], f func(ctx context.Context)) {
		scope, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)
		own.Store(&cancel)
		f(scope)
		if cancelOther := other.Load(); cancelOther != nil && ctx.Err() != nil {
			(*cancelOther)(context.Cause(ctx))
		}
	}
	x.send = func(ctx context.Context, p []byte) (err error) {
		under(ctx, &send, &receive, func(ctx context.Context) { err = x.good().SendAll(ctx, p) })
		return err
	}
	x.receive = func(ctx context.Context, p []byte) (n int, err error) {
		under(ctx, &receive, &send, func(ctx context.Context) { n, err = x.good().ReceiveSome(ctx, p) })
		return n, err
	}
}
