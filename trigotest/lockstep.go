package trigotest

import (
	"bytes"
	"context"
	"io"
	"sync"

	"trigo"
)

// lockstep is what the two ends of a lockstep stream share. There is no buffer:
// unread is the rest of the slice that was given to SendAll.
type lockstep struct {
	mu      sync.Mutex
	unread  []byte
	taken   int // bytes received of the SendAll under way
	sending bool
	reading bool
	waiting bool // the reader found nothing and waits

	sendClosed bool
	aborted    bool // by the sender
	readClosed bool

	toSender, toReader chan struct{} // one token: look again
}

// A LockstepSendStream is the sending end of [NewLockstepOneWayPair].
type LockstepSendStream struct{ l *lockstep }

// A LockstepReceiveStream is the receiving end of [NewLockstepOneWayPair].
type LockstepReceiveStream struct{ l *lockstep }

// NewLockstepOneWayPair returns the two ends of a stream without any buffer:
// SendAll returns when the last byte was received. It is the strictest of
// transports: what deadlocks anywhere deadlocks here.
//
// Trio: trio.testing.lockstep_stream_one_way_pair.
func NewLockstepOneWayPair() (*LockstepSendStream, *LockstepReceiveStream) {
	l := &lockstep{toSender: make(chan struct{}, 1), toReader: make(chan struct{}, 1)}
	return &LockstepSendStream{l}, &LockstepReceiveStream{l}
}

// NewLockstepPair returns two connected streams, made of two pairs of
// [NewLockstepOneWayPair].
//
// Trio: trio.testing.lockstep_stream_pair.
func NewLockstepPair() (a, b *trigo.StapledStream) {
	aSend, bReceive := NewLockstepOneWayPair()
	bSend, aReceive := NewLockstepOneWayPair()
	return trigo.Staple(aSend, aReceive), trigo.Staple(bSend, bReceive)
}

// SendAll waits until all of p was received. When it is cancelled it takes back
// what was not, and OpError.N is how much was. A Close of the receiver wakes it,
// with [trigo.ErrBroken]. While another call sends or waits to send it returns
// [trigo.ErrBusy]. When the stream is closed while
// it waits it returns ErrClosed, but the rest of p can still be received, and
// counts as sent.
func (s *LockstepSendStream) SendAll(ctx context.Context, p []byte) error {
	n, err := s.l.send(ctx, p)
	return lockstepError("send", n, err)
}

func (l *lockstep) send(ctx context.Context, p []byte) (int, error) {
	cancelled := trigo.CancelError(ctx)
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.beginSend(cancelled); err != nil {
		return 0, err
	}
	defer l.endSend()
	switch {
	case len(p) == 0:
		return 0, nil
	case l.readClosed:
		return 0, trigo.Broken(errPeerClosed)
	}
	l.unread, l.taken = p, 0
	signal(l.toReader)
	for {
		switch {
		case l.taken == len(p):
			return len(p), nil
		case l.aborted:
			return l.taken, trigo.ErrClosed
		case l.sendClosed:
			return len(p), trigo.ErrClosed
		case l.readClosed:
			l.unread = nil
			return l.taken, trigo.Broken(errPeerClosed)
		case cancelled != nil:
			l.unread = nil
			return l.taken, cancelled
		}
		cancelled = l.park(ctx, l.toSender)
	}
}

// WaitSendAllMightNotBlock waits until someone waits to receive, or nobody can
// any more. Close wakes it, with [trigo.ErrClosed]. A cancelled one has no effect.
func (s *LockstepSendStream) WaitSendAllMightNotBlock(ctx context.Context) error {
	return lockstepError("wait to send", 0, s.l.waitToSend(ctx))
}

func (l *lockstep) waitToSend(ctx context.Context) error {
	cancelled := trigo.CancelError(ctx)
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.beginSend(cancelled); err != nil {
		return err
	}
	defer l.endSend()
	for {
		switch {
		case l.sendClosed:
			return trigo.ErrClosed
		case l.waiting || l.readClosed:
			return nil
		case cancelled != nil:
			return cancelled
		}
		cancelled = l.park(ctx, l.toSender)
	}
}

// beginSend is how a sending call begins; cancelled is what its ctx says.
func (l *lockstep) beginSend(cancelled error) error {
	switch {
	case l.sendClosed:
		return trigo.ErrClosed
	case cancelled != nil:
		return cancelled
	case l.sending:
		return trigo.ErrBusy
	}
	l.sending = true
	return nil
}

func (l *lockstep) endSend() { l.sending = false }

// park waits for a token or the end of ctx, and returns the error of that. The lock
// is not held meanwhile, nor whenever else a ctx is looked at: nobody knows what one
// does then.
func (l *lockstep) park(ctx context.Context, token <-chan struct{}) (cancelled error) {
	l.mu.Unlock()
	defer l.mu.Lock()
	select {
	case <-token:
	case <-ctx.Done():
	}
	return trigo.CancelError(ctx)
}

// Close ends the stream. A SendAll that waits returns ErrClosed; what it has
// not delivered can still be received before the end. Close never waits, and a
// dead ctx makes no difference to it.
func (s *LockstepSendStream) Close(ctx context.Context) error {
	s.l.closeSend(false)
	return nil
}

// Abort closes the stream so that the receiver gets ErrBroken, at once and for
// ever.
func (s *LockstepSendStream) Abort() error {
	s.l.closeSend(true)
	return nil
}

func (l *lockstep) closeSend(abort bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.sendClosed {
		return
	}
	l.sendClosed, l.aborted = true, abort
	if abort {
		l.unread = nil
	} else {
		l.unread = bytes.Clone(l.unread) // the slice is the caller's again
	}
	signal(l.toSender)
	signal(l.toReader)
}

// ReceiveSome waits for a SendAll and takes from it as much as fits into p. A
// Close of the sender wakes it, with io.EOF, an Abort with [trigo.ErrBroken], a
// Close of its own with [trigo.ErrClosed]. A cancelled call took nothing. While
// another receives it returns [trigo.ErrBusy].
func (r *LockstepReceiveStream) ReceiveSome(ctx context.Context, p []byte) (int, error) {
	n, err := r.l.receive(ctx, p)
	return n, lockstepError("receive", 0, err)
}

func (l *lockstep) receive(ctx context.Context, p []byte) (int, error) {
	if len(p) == 0 {
		return 0, io.ErrShortBuffer
	}
	cancelled := trigo.CancelError(ctx)
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.readClosed:
		return 0, trigo.ErrClosed
	case cancelled != nil:
		return 0, cancelled
	case l.reading:
		return 0, trigo.ErrBusy
	}
	l.reading = true
	defer func() { l.reading, l.waiting = false, false }()
	for {
		switch {
		case l.readClosed:
			return 0, trigo.ErrClosed
		case l.aborted:
			return 0, trigo.Broken(errAborted)
		case len(l.unread) > 0:
			n := copy(p, l.unread)
			l.unread = l.unread[n:]
			l.taken += n
			signal(l.toSender)
			return n, nil
		case l.sendClosed:
			return 0, io.EOF
		case cancelled != nil:
			return 0, cancelled
		}
		l.waiting = true
		signal(l.toSender)
		cancelled = l.park(ctx, l.toReader)
	}
}

// Close closes the stream. A SendAll that waits, and every later one, returns
// ErrBroken. Close never waits, and a dead ctx makes no difference to it.
func (r *LockstepReceiveStream) Close(ctx context.Context) error {
	r.l.mu.Lock()
	defer r.l.mu.Unlock()
	r.l.readClosed = true
	signal(r.l.toSender)
	signal(r.l.toReader)
	return nil
}

// Abort is Close: a receiver that is gone is an error to its peer in any case.
func (r *LockstepReceiveStream) Abort() error { return r.Close(context.Background()) }

func (s *LockstepSendStream) String() string    { return "lockstep" }
func (r *LockstepReceiveStream) String() string { return "lockstep" }

func lockstepError(op string, n int, err error) error { return opError("lockstep", op, n, err) }

var (
	_ trigo.SendStream    = (*LockstepSendStream)(nil)
	_ trigo.ReceiveStream = (*LockstepReceiveStream)(nil)
	_ trigo.Aborter       = (*LockstepSendStream)(nil)
	_ trigo.Aborter       = (*LockstepReceiveStream)(nil)
)
