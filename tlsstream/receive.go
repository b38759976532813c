package tlsstream

import (
	"context"
	"io"

	"trigo"
)

// ReceiveSome receives and decrypts at least one byte.
//
// It returns [io.EOF] once the peer has sent close_notify, and
// [trigo.ErrTruncated] if the transport ends without it; in HTTPSCompatible
// mode that is [io.EOF] too, unless it comes inside a record. Anything else that
// the peer or the transport does wrong is [trigo.ErrBroken]. All of these stay.
// A cancelled ReceiveSome lost nothing.
func (s *Stream) ReceiveSome(ctx context.Context, p []byte) (int, error) {
	if len(p) == 0 {
		return 0, io.ErrShortBuffer
	}
	if err := s.begin(ctx, &s.receiving); err != nil {
		return 0, s.fail(ctx, "receive", 0, err)
	}
	defer s.receiving.Store(false)
	n, err := s.receive(ctx, p)
	if err == nil || err == io.EOF {
		return n, err
	}
	return 0, s.fail(ctx, "receive", 0, err)
}

// receive is ReceiveSome for the holder of receiving.
func (s *Stream) receive(ctx context.Context, p []byte) (int, error) {
	if s.hasUnread {
		p[0], s.hasUnread = s.unread, false
		return 1, nil
	}
	if s.end == nil && s.shake.Load() != nil {
		if err := s.handshake(ctx); err != nil {
			return 0, s.endReceiving(ctx, err)
		}
	}
	for s.end == nil {
		// crypto/tls allocates in each Read, so it is not asked in vain.
		ready := s.gate.plain > 0 || s.gate.open()
		if !ready && !s.gate.goStraight(len(p)) {
			if err := s.received(ctx, s.gate.fill(ctx, len(p))); err != nil {
				return 0, err
			}
			continue
		}
		if err := s.answer(ctx); err != nil {
			return 0, err
		}
		if !ready {
			s.gate.straight = ctx
		}
		n, err := s.conn.Read(p)
		s.gate.straight = nil
		if n > 0 {
			s.gate.took(n, len(p))
			return n, nil
		}
		switch err := err.(type) {
		case starved:
		case untold:
			if err := s.received(ctx, err.error); err != nil {
				return 0, err
			}
		default:
			s.ended(ctx, err)
		}
	}
	return 0, s.end
}

// ended is told why crypto/tls gives no more.
func (s *Stream) ended(ctx context.Context, err error) {
	if err == io.EOF {
		s.end = io.EOF // close_notify: the gate never says EOF
		return
	}
	s.deliverAlert(ctx)
	s.endReceiving(ctx, trigo.Broken(err))
}

// received is told what receiving from the transport came to. It returns an error
// if the call is to return that; the end of the transport is in s.end.
func (s *Stream) received(ctx context.Context, err error) error {
	switch err {
	case nil:
		return nil
	case io.EOF:
		s.endReceiving(ctx, s.endOfTransport())
		return nil
	}
	return s.endReceiving(ctx, err)
}

// endReceiving remembers err, if it is one that lasts, and returns it as the
// receiver is to see it.
func (s *Stream) endReceiving(ctx context.Context, err error) error {
	if err == errRaggedEOF {
		s.end, s.ragged = io.EOF, true
		return io.EOF
	}
	if s.brokenBy(ctx, err) {
		s.end = err
		s.broken.Store(true)
	}
	return err
}

// maxAnswers is how much may wait for the next send of what this side owes the
// peer: answers to key updates, besides what a cancelled send has left.
const maxAnswers = 2 * chunkBuffer

// answer sends what crypto/tls had to answer, if it becomes too much to leave it
// to the next send. A peer that asks for so much waits for nothing else.
func (s *Stream) answer(ctx context.Context) error {
	if s.gate.out.gathered() <= maxAnswers {
		return nil
	}
	return s.gate.out.flush(ctx, s.gate.transport)
}
