package fault

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"

	"trigo"
)

// ErrInjected is in every error that a plan brought about.
var ErrInjected = errors.New("a planned fault")

// A Stream is a stream that misbehaves to a plan. It is a
// [trigo.HalfCloseableStream] if the stream below is one, and an
// [errors.ErrUnsupported] from SendEOF says that it is not. A cancelled call
// leaves it usable: delays count as waiting, and a receive waits before it
// receives.
type Stream struct {
	inner     trigo.Stream
	plan      *Plan
	shut      chan struct{} // closed by Close and Abort
	shutOnce  sync.Once
	ended     atomic.Pointer[ending]
	fired     map[string]*atomic.Int64 // by the text of the fault
	events    []atomic.Bool            // which of plan.At have happened
	send, rcv direction
}

// ending is how a fault ended the stream, for good.
type ending struct{ send, receive error }

var (
	_ trigo.HalfCloseableStream = (*Stream)(nil)
	_ trigo.Aborter             = (*Stream)(nil)
)

// Wrap returns a stream on inner, which it owns, with the faults of the plan.
func (p *Plan) Wrap(inner trigo.Stream) *Stream {
	s := &Stream{
		inner:  inner,
		plan:   p,
		shut:   make(chan struct{}),
		fired:  make(map[string]*atomic.Int64),
		events: make([]atomic.Bool, len(p.At)),
	}
	for _, f := range p.faults() {
		s.fired[f] = new(atomic.Int64)
	}
	s.send.init(s, Send, 1)
	s.rcv.init(s, Receive, 2)
	return s
}

// SendAll sends p, with the faults in between. It waits for the delays of the plan
// and for the stream below; Close wakes it, also when it is stalled. A cancelled
// SendAll has sent the first N bytes of p ([trigo.OpError]), and the stream is
// usable. See [trigo.SendStream].
func (s *Stream) SendAll(ctx context.Context, p []byte) error {
	n, err := s.sendAll(ctx, p)
	return s.fail("send", n, err)
}

func (s *Stream) sendAll(ctx context.Context, p []byte) (n int, err error) {
	if err := s.send.begin(ctx); err != nil {
		return 0, err
	}
	defer s.send.busy.Store(false)
	for {
		piece, err := s.send.next(ctx, len(p)-n)
		if err != nil {
			return n, err
		}
		part := s.send.flipped(p[n : n+piece])
		if err := s.inner.SendAll(ctx, part); err != nil {
			var op *trigo.OpError
			if errors.As(err, &op) {
				n += int(op.N)
				s.send.passed(int(op.N))
			}
			if e := s.endedMeanwhile(); e != nil {
				return n, e.send
			}
			return n, cause(err)
		}
		n += piece
		s.send.passed(piece)
		if n == len(p) {
			return n, nil
		}
	}
}

// WaitSendAllMightNotBlock is that of the stream below. It returns when a fault
// ends the stream, whose next SendAll will say so.
func (s *Stream) WaitSendAllMightNotBlock(ctx context.Context) error {
	if err := s.send.begin(ctx); err != nil {
		return s.fail("wait to send", 0, err)
	}
	defer s.send.busy.Store(false)
	if s.ended.Load() != nil {
		return nil
	}
	err := s.inner.WaitSendAllMightNotBlock(ctx)
	if err != nil && s.endedMeanwhile() != nil {
		return nil
	}
	return err
}

// SendEOF is that of the stream below.
func (s *Stream) SendEOF(ctx context.Context) error {
	h, ok := s.inner.(interface{ SendEOF(context.Context) error })
	if !ok {
		return s.fail("send EOF", 0, errors.ErrUnsupported)
	}
	if err := s.send.begin(ctx); err != nil {
		return s.fail("send EOF", 0, err)
	}
	defer s.send.busy.Store(false)
	if e := s.ended.Load(); e != nil {
		return s.fail("send EOF", 0, e.send)
	}
	return h.SendEOF(ctx)
}

// ReceiveSome receives, with the faults before it. It waits for the delays of the
// plan and for the stream below; Close wakes it, also when it is stalled. A
// cancelled ReceiveSome took nothing. See [trigo.ReceiveStream].
func (s *Stream) ReceiveSome(ctx context.Context, p []byte) (int, error) {
	if len(p) == 0 {
		return 0, io.ErrShortBuffer
	}
	if err := s.rcv.begin(ctx); err != nil {
		return 0, s.fail("receive", 0, err)
	}
	defer s.rcv.busy.Store(false)
	most, err := s.rcv.next(ctx, len(p))
	if err != nil {
		return 0, s.fail("receive", 0, err)
	}
	n, err := s.inner.ReceiveSome(ctx, p[:most])
	copy(p, s.rcv.flipped(p[:n]))
	s.rcv.passed(n)
	if e := s.endedMeanwhile(); err != nil && e != nil {
		return 0, s.fail("receive", 0, e.receive)
	}
	return n, err
}

// endedMeanwhile returns how a fault has ended the stream, if one has and it was
// not closed by its user: what the stream below says of that is no news, as it
// was the plan that closed it. The fault may have been one of the other
// direction.
func (s *Stream) endedMeanwhile() *ending {
	select {
	case <-s.shut:
		return nil
	default:
		return s.ended.Load()
	}
}

// Close closes the stream below, and wakes whoever is stalled.
func (s *Stream) Close(ctx context.Context) error {
	s.shutOnce.Do(func() { close(s.shut) })
	if s.ended.Load() != nil {
		return nil
	}
	return s.inner.Close(ctx)
}

// Abort aborts the stream below, and wakes whoever is stalled.
func (s *Stream) Abort() error {
	s.shutOnce.Do(func() { close(s.shut) })
	return trigo.Abort(s.inner)
}

// Underlying returns the stream below.
func (s *Stream) Underlying() any { return s.inner }

func (s *Stream) String() string {
	if below, ok := s.inner.(fmt.Stringer); ok {
		return "fault over " + below.String()
	}
	return fmt.Sprintf("fault over %T", s.inner)
}

// happen makes an event happen that ends something.
func (s *Stream) happen(ctx context.Context, k Kind) error {
	e := &ending{send: trigo.Broken(ErrInjected), receive: trigo.Broken(ErrInjected)}
	switch k {
	case Stall:
		select {
		case <-s.shut:
			return trigo.ErrClosed
		case <-ctx.Done():
			return trigo.CancelError(ctx)
		}
	case Cut:
		e.receive = io.EOF
		s.ended.CompareAndSwap(nil, e)
		trigo.CloseForcefully(s.inner) // its goodbye, if it has one, is cut off too
	case Reset:
		s.ended.CompareAndSwap(nil, e)
		trigo.Abort(s.inner)
	}
	return nil
}

func (s *Stream) fail(op string, n int, err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	return &trigo.OpError{Op: op, Layer: s.String(), N: int64(n), Err: err}
}

// cause is err without its outermost OpError.
func cause(err error) error {
	if op, ok := err.(*trigo.OpError); ok {
		return op.Err
	}
	return err
}
