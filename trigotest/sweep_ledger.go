package trigotest

import (
	"context"
	"errors"
	"io"
	"sync"

	"trigo"
)

// Usable returns a and b, which must be connected with each other, with an
// account of every byte. It promises that both can be used when the scenario
// has returned, however it was cancelled: in each direction the sweep then sends
// a little more, and an end of file where that can be sent, and what was
// received in the end must be what was sent; of a cancelled SendAll, the first
// N bytes ([trigo.OpError]). An end of file that the scenario has sent stays.
//
// Only what is sent and received through the streams returned counts. Both are
// closed by the run.
func (s *Sweep) Usable(a, b trigo.Stream) (ua, ub trigo.HalfCloseableStream) {
	return s.connect(a, b, true)
}

// Tracked is [Sweep.Usable] without that promise: whatever was received
// when the scenario has returned must be the beginning of what was sent.
func (s *Sweep) Tracked(a, b trigo.Stream) (ta, tb trigo.HalfCloseableStream) {
	return s.connect(a, b, false)
}

// UsableOneWay is [Sweep.Usable] for a single direction.
func (s *Sweep) UsableOneWay(send trigo.SendStream, receive trigo.ReceiveStream) (trigo.SendStream, trigo.ReceiveStream) {
	d := s.addDirection(send, receive, true)
	return &ledgerSend{d, send}, &ledgerReceive{d, receive}
}

func (s *Sweep) connect(a, b trigo.Stream, usable bool) (ta, tb trigo.HalfCloseableStream) {
	there := s.addDirection(a, b, usable)
	back := s.addDirection(b, a, usable)
	return &ledger{ledgerSend{there, a}, ledgerReceive{back, a}, a},
		&ledger{ledgerSend{back, b}, ledgerReceive{there, b}, b}
}

func (s *Sweep) addDirection(from trigo.SendStream, to trigo.ReceiveStream, usable bool) *direction {
	d := &direction{from: from, to: to, usable: usable}
	s.Close(from)
	s.Close(to)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.directions = append(s.directions, d)
	return d
}

// direction is the account of one direction of a connection.
type direction struct {
	from   trigo.SendStream
	to     trigo.ReceiveStream
	usable bool

	mu             sync.Mutex
	sent, received []byte
	ended          bool // the end of file was sent
}

func (d *direction) accept(p []byte, err error) {
	if err != nil {
		p = p[:min(max(sentBytes(err), 0), len(p))]
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.sent = append(d.sent, p...)
}

func (d *direction) deliver(p []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.received = append(d.received, p...)
}

func (d *direction) end() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ended = true
}

func (d *direction) hasEnded() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.ended
}

// settleAccounts uses the streams, if that was promised, and compares.
func (d *direction) settleAccounts(ctx context.Context, s *Sweep) {
	if d.usable {
		d.useAgain(ctx, s)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for at := range min(len(d.sent), len(d.received)) {
		if d.sent[at] != d.received[at] {
			s.problem("bytes were lost or doubled: at %d, %s was sent, and %s received", at, abbreviate(d.sent[at:]), abbreviate(d.received[at:]))
			return
		}
	}
	if len(d.received) > len(d.sent) || d.usable && len(d.received) < len(d.sent) {
		s.problem("bytes were lost or doubled: %d were sent, and %d received", len(d.sent), len(d.received))
	}
}

func (d *direction) useAgain(ctx context.Context, s *Sweep) {
	// A receiver that no end of file will come to is told by its ctx.
	untilSent, noMore := context.WithCancel(ctx)
	defer noMore()
	sending := startCall("sending", func(*call) error { return d.sendMore(ctx, noMore) })
	receiving := startCall("receiving", func(*call) error { return d.receiveRest(ctx, untilSent) })
	for _, c := range []*call{sending, receiving} {
		if s.await(c) && c.err != nil {
			s.problem("not usable, though promised: %s: %v", c.what, c.err)
			noMore()
		}
	}
}

// sendMore sends what shows that sending is still possible, and then the end,
// or calls noEnd if there is no such thing.
func (d *direction) sendMore(ctx context.Context, noEnd func()) error {
	if d.hasEnded() {
		return nil
	}
	more := []byte(" and more after the cancel")
	err := d.from.SendAll(ctx, more)
	d.accept(more, err)
	if err != nil {
		return err
	}
	d.end() // from now on it may be received
	if _, both := d.from.(trigo.ReceiveStream); both {
		err = sendEOF(ctx, d.from)
	} else {
		err = d.from.Close(ctx)
	}
	if errors.Is(err, errors.ErrUnsupported) {
		noEnd()
		return nil
	}
	return err
}

// receiveRest receives until the end of file, or, when untilSent ends, what is
// still missing.
func (d *direction) receiveRest(ctx, untilSent context.Context) error {
	buf := make([]byte, 64<<10)
	for scope := untilSent; untilSent.Err() == nil || !d.isBalanced(); {
		p, err := receiveSome(scope, d.to, buf)
		d.deliver(p)
		switch {
		case err == io.EOF && d.hasEnded() && d.isBalanced():
			return nil
		case err == io.EOF:
			return errors.New("the end of file came before it was sent, or without all that was sent")
		case isCancellation(untilSent, err):
			scope = ctx
		case err != nil:
			return err
		}
	}
	return nil
}

func (d *direction) isBalanced() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.received) >= len(d.sent)
}

type ledgerSend struct {
	d     *direction
	inner trigo.SendStream
}

func (l *ledgerSend) SendAll(ctx context.Context, p []byte) error {
	err := l.inner.SendAll(ctx, p)
	l.d.accept(p, err)
	return err
}

func (l *ledgerSend) WaitSendAllMightNotBlock(ctx context.Context) error {
	return l.inner.WaitSendAllMightNotBlock(ctx)
}

func (l *ledgerSend) Close(ctx context.Context) error { return l.inner.Close(ctx) }
func (l *ledgerSend) Underlying() any                 { return l.inner }
func (l *ledgerSend) String() string                  { return describe(l.inner) }

type ledgerReceive struct {
	d     *direction
	inner trigo.ReceiveStream
}

func (l *ledgerReceive) ReceiveSome(ctx context.Context, p []byte) (int, error) {
	n, err := l.inner.ReceiveSome(ctx, p)
	l.d.deliver(p[:max(n, 0)])
	return n, err
}

func (l *ledgerReceive) Close(ctx context.Context) error { return l.inner.Close(ctx) }
func (l *ledgerReceive) Underlying() any                 { return l.inner }
func (l *ledgerReceive) String() string                  { return describe(l.inner) }

type ledger struct {
	ledgerSend
	ledgerReceive
	inner trigo.Stream
}

func (l *ledger) SendEOF(ctx context.Context) error {
	err := sendEOF(ctx, l.inner)
	if err == nil {
		l.ledgerSend.d.end()
	}
	return err
}

func (l *ledger) Close(ctx context.Context) error { return l.inner.Close(ctx) }
func (l *ledger) Underlying() any                 { return l.inner }
func (l *ledger) String() string                  { return describe(l.inner) }
