package trigotest

import (
	"context"
	"errors"
	"time"

	"trigo"
)

var errNeverFull = errors.New("trigotest: the stream takes everything, it cannot be clogged")

// sendForAMoment sends p for so long as it takes to see that it has to wait,
// and returns how much went out.
func sendForAMoment(ctx context.Context, s trigo.SendStream, p []byte) (int, error) {
	scope, cancel := context.WithCancel(ctx)
	defer cancel()
	c := startCall("SendAll", func(*call) error { return s.SendAll(scope, p) })
	settle(ctx, c)
	cancel()
	<-c.done
	var op *trigo.OpError
	switch {
	case c.err == nil:
		return len(p), nil
	case !isCancellation(scope, c.err) || !errors.As(c.err, &op):
		return 0, c.err
	}
	return int(op.N), trigo.CancelError(ctx) // scope's cancel is nobody's business, but ctx's is
}

// block is what is sent into a clogged stream. It is larger than the room that
// a kernel may find after all.
var block = make([]byte, 256<<10)

// cloggedChecks are those that need a stream in which senders wait.
func cloggedChecks(maker OneWayMaker) []check {
	with := func(name string, run func(ctx context.Context, b *bench, s trigo.SendStream, r trigo.ReceiveStream)) check {
		return check{name, func(ctx context.Context, b *bench) {
			s, r := b.pair(ctx, maker)
			run(ctx, b, s, r)
		}}
	}
	return []check{
		with("clogged: wait to send waits for a receive", checkWaitWaits),
		with("clogged: a send waits for a receive", checkSendWaits),
		with("clogged: a second waiter is busy", checkBusyWaiters),
		with("clogged: a send beside a waiter is busy", checkBusySendAndWait),
		with("clogged: a second send is busy", checkBusySends),
		with("clogged: an empty send beside a send is busy", checkBusyEmptySend),
		with("clogged: a receive beside a send is not busy", checkHalvesApart),
		with("clogged: cancel wakes a send", checkCancelWakesSend),
		with("clogged: cancel wakes a waiter", checkCancelWakesWait),
		with("clogged: a closed receiver wakes a waiter", checkPeerWakesWait),
		with("clogged: a closed receiver wakes a send", checkPeerWakesSend),
		with("clogged: wait to send returns when the receiver is closed", checkWaitAfterPeer),
		with("clogged: close wakes a send", checkCloseWakesSend),
		with("clogged: close wakes a waiter", checkCloseWakesWait),
		with("clogged: close with a dead ctx wakes a send", checkDeadCloseWakesSend),
		with("clogged: close with a dead ctx wakes a waiter", checkDeadCloseWakesWait),
		with("clogged: close works after a send that ran out of time", checkDeadlineThenClose),
	}
}

// drainFor receives until c is done.
func (b *bench) drainFor(ctx context.Context, r trigo.ReceiveStream, c *call) {
	b.t.Helper()
	scope, cancel := context.WithCancel(ctx)
	drained := b.start("receiving for the benefit of "+c.what, func(*call) error {
		buf := make([]byte, 64<<10)
		for {
			if _, err := receiveSome(scope, r, buf); err != nil {
				return err
			}
		}
	})
	b.ok(c)
	cancel()
	b.cancelled(scope, drained)
}

func checkWaitWaits(ctx context.Context, b *bench, s trigo.SendStream, r trigo.ReceiveStream) {
	waiting := b.wait(ctx, s)
	b.waits(waiting)
	b.drainFor(ctx, r, waiting)
}

func checkSendWaits(ctx context.Context, b *bench, s trigo.SendStream, r trigo.ReceiveStream) {
	sending := b.send(ctx, s, block)
	b.waits(sending)
	b.drainFor(ctx, r, sending)
}

func checkBusyWaiters(ctx context.Context, b *bench, s trigo.SendStream, r trigo.ReceiveStream) {
	b.drainFor(ctx, r, b.busyOne(b.wait(ctx, s), b.wait(ctx, s)))
}

func checkBusySendAndWait(ctx context.Context, b *bench, s trigo.SendStream, r trigo.ReceiveStream) {
	waiting := b.wait(ctx, s)
	b.waits(waiting)
	b.fails(b.send(ctx, s, block), trigo.ErrBusy)
	b.drainFor(ctx, r, waiting)
}

func checkBusySends(ctx context.Context, b *bench, s trigo.SendStream, r trigo.ReceiveStream) {
	sending := b.busyOne(b.send(ctx, s, block), b.send(ctx, s, block))
	b.fails(b.wait(ctx, s), trigo.ErrBusy)
	b.drainFor(ctx, r, sending)
}

func checkBusyEmptySend(ctx context.Context, b *bench, s trigo.SendStream, r trigo.ReceiveStream) {
	sending := b.send(ctx, s, block)
	b.waits(sending)
	b.fails(b.send(ctx, s, nil), trigo.ErrBusy)
	b.drainFor(ctx, r, sending)
}

func checkHalvesApart(ctx context.Context, b *bench, s trigo.SendStream, r trigo.ReceiveStream) {
	sending := b.send(ctx, s, block)
	b.waits(sending)
	b.ok(b.receive(ctx, r, 1))
	b.drainFor(ctx, r, sending)
}

func checkCancelWakesSend(ctx context.Context, b *bench, s trigo.SendStream, r trigo.ReceiveStream) {
	scope, cancel := context.WithCancelCause(ctx)
	sending := b.send(scope, s, block)
	b.waits(sending)
	cancel(errDead)
	b.cancelled(scope, sending)
	b.drainFor(ctx, r, b.send(ctx, s, block)) // the stream is as good as before
}

func checkCancelWakesWait(ctx context.Context, b *bench, s trigo.SendStream, r trigo.ReceiveStream) {
	scope, cancel := context.WithCancelCause(ctx)
	waiting := b.wait(scope, s)
	b.waits(waiting)
	cancel(errDead)
	b.cancelled(scope, waiting)
	b.drainFor(ctx, r, b.wait(ctx, s))
}

func checkPeerWakesWait(ctx context.Context, b *bench, s trigo.SendStream, r trigo.ReceiveStream) {
	waiting := b.wait(ctx, s)
	b.waits(waiting)
	dead := b.dead()
	b.closed(dead, b.close(dead, r))
	b.fails(waiting, nil, trigo.ErrBroken)
}

func checkPeerWakesSend(ctx context.Context, b *bench, s trigo.SendStream, r trigo.ReceiveStream) {
	sending := b.send(ctx, s, block)
	b.waits(sending)
	dead := b.dead()
	b.closed(dead, b.close(dead, r))
	b.fails(sending, trigo.ErrBroken)
}

func checkWaitAfterPeer(ctx context.Context, b *bench, s trigo.SendStream, r trigo.ReceiveStream) {
	dead := b.dead()
	b.closed(dead, b.close(dead, r))
	b.fails(b.wait(ctx, s), nil, trigo.ErrBroken)
}

func checkCloseWakesSend(ctx context.Context, b *bench, s trigo.SendStream, r trigo.ReceiveStream) {
	sending := b.send(ctx, s, block)
	b.waits(sending)
	b.closeInAMoment(ctx, s)
	b.fails(sending, trigo.ErrClosed)
}

func checkCloseWakesWait(ctx context.Context, b *bench, s trigo.SendStream, r trigo.ReceiveStream) {
	waiting := b.wait(ctx, s)
	b.waits(waiting)
	b.closeInAMoment(ctx, s)
	b.fails(waiting, trigo.ErrClosed)
}

// closeInAMoment closes an end whose peer may be unable to hear the goodbye.
func (b *bench) closeInAMoment(ctx context.Context, end trigo.Resource) {
	b.t.Helper()
	scope, cancel := context.WithTimeout(ctx, 10*time.Millisecond)
	defer cancel()
	b.closed(scope, b.close(scope, end))
}

func checkDeadCloseWakesSend(ctx context.Context, b *bench, s trigo.SendStream, r trigo.ReceiveStream) {
	sending := b.send(ctx, s, block)
	b.waits(sending)
	dead := b.dead()
	b.closed(dead, b.close(dead, s))
	b.fails(sending, trigo.ErrClosed)
}

func checkDeadCloseWakesWait(ctx context.Context, b *bench, s trigo.SendStream, r trigo.ReceiveStream) {
	waiting := b.wait(ctx, s)
	b.waits(waiting)
	dead := b.dead()
	b.closed(dead, b.close(dead, s))
	b.fails(waiting, trigo.ErrClosed)
}

func checkDeadlineThenClose(ctx context.Context, b *bench, s trigo.SendStream, r trigo.ReceiveStream) {
	scope, cancel := context.WithTimeout(ctx, 10*time.Millisecond)
	defer cancel()
	b.cancelled(scope, b.send(scope, s, block))
	b.closeInAMoment(ctx, s)
	b.sendersSayClosed(ctx, s)
}
