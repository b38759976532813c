package tlsstream

import (
	"context"

	"trigo"
)

// SendAll encrypts p and sends it. It waits while the transport is full.
//
// The data is encrypted in pieces, of up to 64 KiB, and a record that was begun
// must be sent: so a cancelled SendAll counts in [trigo.OpError.N] what it has
// encrypted, and of that the transport may not have taken everything. The rest
// goes out, before anything else, with the next SendAll, SendEOF, Unwrap or
// Close. An empty SendAll sends that and nothing more.
//
// It returns [trigo.ErrClosed] after [Stream.SendEOF], [trigo.ErrBroken] when
// the transport or the handshake has failed, then and for ever after.
// Receiving may still work then. The peer's SendEOF does not stop this side
// from sending.
func (s *Stream) SendAll(ctx context.Context, p []byte) error {
	if err := s.begin(ctx, &s.sending); err != nil {
		return s.fail(ctx, "send", 0, err)
	}
	defer s.sending.Store(false)
	n, err := s.send(ctx, p)
	if err != nil {
		return s.fail(ctx, "send", n, err)
	}
	return nil
}

// send is SendAll for the holder of sending. It returns how many bytes of p are
// encrypted.
func (s *Stream) send(ctx context.Context, p []byte) (n int, err error) {
	if err := s.mayStillSend(); err != nil {
		return 0, err
	}
	if s.shake.Load() != nil {
		if n, err = s.sendFirst(ctx, p); err != nil {
			return n, err
		}
	}
	if rest := len(p) - n; rest > 0 && rest <= maxPlaintext && s.gate.out.open(rest, s.gate.transport) {
		done, err := s.sendPast(ctx, p[n:])
		return n + done, err
	}
	// What was left over goes first, or it would grow with every cancel.
	if s.gate.out.leftover() {
		if err := s.flush(ctx); err != nil {
			return n, err
		}
	}
	for n < len(p) {
		done, err := s.encrypt(ctx, p[n:])
		n += done
		if err != nil {
			return n, err
		}
		if err := s.flush(ctx); err != nil {
			return n, err
		}
	}
	return n, nil
}

// sendFirst is the handshake. If it is this call that ends it, the first piece of
// p goes out with the last words of the handshake: see handshakeThen.
func (s *Stream) sendFirst(ctx context.Context, p []byte) (n int, err error) {
	var broken error
	err = s.handshakeThen(ctx, func() { n, broken = s.encrypt(ctx, p) })
	s.spoke = s.spoke || n > 0
	if err == nil {
		err = broken
	}
	return n, err
}

// encrypt encrypts the next piece of p, into the outbox.
func (s *Stream) encrypt(ctx context.Context, p []byte) (n int, err error) {
	p = p[:min(len(p), sendChunk)]
	if len(p) > maxPlaintext { // crypto/tls is going to write more than once
		s.gate.out.expect(len(p))
	}
	n, err = s.conn.Write(p)
	if err != nil {
		err = s.breakSending(ctx, err)
	}
	return n, err
}

// sendPast is send for a message of one record, with the way past the outbox open.
// It shuts it, and sends what did not go that way.
func (s *Stream) sendPast(ctx context.Context, p []byte) (n int, err error) {
	n, err = s.encrypt(ctx, p)
	if s.gate.out.shut() {
		return n, err
	}
	if rest := s.gate.out.drain(ctx, s.gate.transport); rest != nil && err == nil {
		err = s.breakSending(ctx, rest)
	}
	return n, err
}

// mayStillSend returns why nothing can be sent any more.
func (s *Stream) mayStillSend() error {
	if s.sentEOF {
		return trigo.ErrClosed
	}
	return s.sendErr
}

// readyToSend is what comes before every call that sends.
func (s *Stream) readyToSend(ctx context.Context) error {
	if err := s.mayStillSend(); err != nil {
		return err
	}
	return s.handshake(ctx)
}

// flush sends what the outbox holds.
func (s *Stream) flush(ctx context.Context) error {
	err := s.gate.out.flush(ctx, s.gate.transport)
	if err != nil {
		err = s.breakSending(ctx, err)
	}
	return err
}

// breakSending remembers err, if it is one that lasts.
func (s *Stream) breakSending(ctx context.Context, err error) error {
	if s.brokenBy(ctx, err) {
		s.sendErr = err
		s.broken.Store(true)
	}
	return err
}

// WaitSendAllMightNotBlock waits until the transport says so, and before that for
// whatever the receiving half or a handshake sends just now. It does no
// handshake, and does not know what a handshake may have to wait for.
//
// Close and Abort wake it, with [trigo.ErrClosed], which it also returns after
// [Stream.SendEOF]. A cancelled call had no effect. It returns [trigo.ErrBusy]
// while another call uses the sending half, [trigo.ErrBroken] when sending or the
// transport has failed.
func (s *Stream) WaitSendAllMightNotBlock(ctx context.Context) error {
	err := s.begin(ctx, &s.sending)
	if err == nil {
		defer s.sending.Store(false)
		err = s.waitToSend(ctx)
	}
	if err != nil {
		return s.fail(ctx, "wait to send", 0, err)
	}
	return nil
}

func (s *Stream) waitToSend(ctx context.Context) error {
	if err := s.mayStillSend(); err != nil {
		return err
	}
	out := &s.gate.out
	if err := out.take(ctx); err != nil {
		return err
	}
	defer out.give()
	return s.gate.transport.WaitSendAllMightNotBlock(ctx)
}

// SendEOF sends close_notify, behind all data sent so far; receiving goes on.
// The transport stays as it is. It waits while the transport is full. When it is
// cancelled the end may be on its way already: sends then return
// [trigo.ErrClosed], and SendEOF again, or Close, sends the rest of it.
//
// Every version of TLS allows it, but old peers (TLS 1.2) may take it for the
// end of both directions.
func (s *Stream) SendEOF(ctx context.Context) error {
	err := s.begin(ctx, &s.sending)
	if err == nil {
		defer s.sending.Store(false)
		err = s.sendEOF(ctx)
	}
	if err != nil {
		return s.fail(ctx, "send EOF", 0, err)
	}
	return nil
}

// sendEOF is SendEOF for the holder of sending.
func (s *Stream) sendEOF(ctx context.Context) error {
	if !s.sentEOF {
		if err := s.readyToSend(ctx); err != nil {
			return err
		}
		if err := s.conn.CloseWrite(); err != nil {
			return s.breakSending(ctx, err)
		}
		s.sentEOF = true
	}
	if s.sendErr != nil {
		return s.sendErr
	}
	return s.flush(ctx)
}
