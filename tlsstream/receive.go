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
		if s.gate.plain > 0 || s.gate.open() {
			if err := s.answer(ctx); err != nil {
				return 0, err
			}
			n, err := s.conn.Read(p)
			switch {
			case n > 0:
				s.gate.took(n, len(p))
				return n, nil
			case err == io.EOF:
				s.end = io.EOF // close_notify: the gate never says EOF
			case err != errStarved:
				s.deliverAlert(ctx)
				s.endReceiving(ctx, trigo.Broken(err))
			}
			continue
		}
		switch err := s.gate.fill(ctx, len(p)); {
		case err == io.EOF:
			s.endReceiving(ctx, s.endOfTransport())
		case err != nil:
			return 0, s.endReceiving(ctx, err)
		}
	}
	return 0, s.end
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
