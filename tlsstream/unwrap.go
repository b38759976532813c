package tlsstream

import (
	"context"
	"io"

	"trigo"
	"trigo/nursery"
)

// Unwrap ends TLS and gives the transport back. It sends close_notify, waits
// for that of the peer, and returns the transport together with what was
// received from it behind the end of TLS, which comes before anything that the
// transport itself will receive. The stream is closed then, the transport is not,
// and it is the caller's.
//
// It counts as a sender and as a receiver. A cancelled Unwrap has ended the
// sending half, or is about to; Unwrap again goes on. If the peer has sent data
// that was not received the error Is [ErrUnread], and the data is still there.
// The end of the transport is an error even in HTTPSCompatible mode.
//
// Trio: unwrap.
func (s *Stream) Unwrap(ctx context.Context) (transport trigo.Stream, trailing []byte, err error) {
	if err := s.begin(ctx, &s.sending); err != nil {
		return nil, nil, s.fail(ctx, "unwrap", 0, err)
	}
	defer s.sending.Store(false)
	if err := s.begin(ctx, &s.receiving); err != nil {
		return nil, nil, s.fail(ctx, "unwrap", 0, err)
	}
	defer s.receiving.Store(false)
	if err := s.exchangeGoodbyes(ctx); err != nil {
		return nil, nil, s.fail(ctx, "unwrap", 0, err)
	}
	if s.closing.Swap(true) || !s.fate.CompareAndSwap(kept, handedOver) {
		return nil, nil, s.fail(ctx, "unwrap", 0, trigo.ErrClosed)
	}
	s.release.done()
	return s.gate.transport, s.gate.rest(), nil
}

// exchangeGoodbyes is for the holder of both halves.
func (s *Stream) exchangeGoodbyes(ctx context.Context) error {
	if err := s.handshake(ctx); err != nil {
		return err
	}
	// Both at once: over a transport without buffers, two ends that first send
	// would wait for each other.
	return nursery.Run(ctx, func(ctx context.Context, n *nursery.Nursery) error {
		n.Go(s.sendEOF)
		return s.receiveGoodbye(ctx)
	})
}

func (s *Stream) receiveGoodbye(ctx context.Context) error {
	p := make([]byte, 1)
	switch _, err := s.receive(ctx, p); {
	case err == nil:
		s.unread, s.hasUnread = p[0], true
		return ErrUnread
	case err != io.EOF:
		return err
	case s.ragged:
		return errNoCloseNotify
	}
	return nil
}
