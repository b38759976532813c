package tlsstream

import (
	"context"
	"errors"
	"sync"

	"trigo"
	"trigo/nursery"
)

// Close sends close_notify and closes the transport. It does not wait for the
// peer's close_notify; [trigo.LingeringClose] does. If nobody has done the
// handshake yet, Close does it first: otherwise the peer could not tell this end
// from one that somebody else made. In HTTPSCompatible mode it does neither.
//
// It waits for the peer as long as ctx allows, so give it a deadline. It returns
// the error of the handshake if that failed in Close, because nobody would
// hear of it otherwise. When ctx ends the transport is closed by force, and the
// error Is ctx.Err(). A peer that is gone is no error: it may have closed first.
//
// A SendAll under way is cut short, whether it waits or not, and then there is
// no close_notify: what the peer got is not all. The same holds for any other call
// that uses the sending half, one that only waits to send included, and for a stream
// that is broken.
func (s *Stream) Close(ctx context.Context) error {
	if s.closing.Swap(true) {
		return s.awaitRelease(ctx)
	}
	err := s.goodbye(ctx)
	if !s.fate.CompareAndSwap(kept, letGo) {
		return nil // somebody else lost patience, and err comes from that
	}
	if err != nil {
		s.force(trigo.CloseForcefully)
		return s.closeError(ctx, err)
	}
	s.stopHandshake()
	err = s.gate.transport.Close(ctx)
	s.release.done()
	if err != nil {
		return s.closeError(ctx, err)
	}
	return nil
}

// goodbye does what comes before the end of the transport.
func (s *Stream) goodbye(ctx context.Context) error {
	if err := trigo.CancelError(ctx); err != nil {
		return err
	}
	if s.broken.Load() || !s.sending.CompareAndSwap(false, true) {
		return nil
	}
	defer s.sending.Store(false)
	var err error
	switch {
	case !s.https:
		if err := s.handshake(ctx); err != nil {
			return err
		}
		err = s.sendEOF(ctx)
	case s.shake.Load() == nil || s.spoke:
		// What a cancelled send has left, and before it the end of the handshake.
		if err := s.handshake(ctx); err != nil {
			return err
		}
		err = s.flush(ctx)
	}
	if errors.Is(err, trigo.ErrBroken) || errors.Is(err, trigo.ErrBusy) || errors.Is(err, trigo.ErrClosed) {
		return nil
	}
	return err
}

// awaitRelease is Close for all but the first.
func (s *Stream) awaitRelease(ctx context.Context) error {
	if s.release.isDone() {
		return nil
	}
	select {
	case <-s.release.wait():
		return nil
	case <-ctx.Done():
		s.force(trigo.CloseForcefully)
		return s.closeError(ctx, trigo.CancelError(ctx))
	}
}

// Abort closes the stream without close_notify and aborts the transport, so that
// the peer cannot take it for a clean end. It never waits.
func (s *Stream) Abort() error {
	s.closing.Store(true)
	if err := s.force(trigo.Abort); err != nil {
		return s.closeError(context.Background(), err)
	}
	return nil
}

// force ends the transport with end, even if it is being closed gracefully.
func (s *Stream) force(end func(trigo.Resource) error) error {
	if s.release.isDone() {
		return nil
	}
	if !s.fate.CompareAndSwap(kept, letGo) && s.fate.Load() == handedOver {
		return nil
	}
	s.stopHandshake()
	err := end(s.gate.transport)
	s.release.done()
	return err
}

// release is an event: that a stream and its transport have parted. It costs a
// stream that is open little.
type release struct {
	mu   sync.Mutex
	over bool
	c    chan struct{} // closed when over; made by the first who waits
}

func (r *release) done() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.over && r.c != nil {
		close(r.c)
	}
	r.over = true
}

func (r *release) isDone() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.over
}

// wait returns what is closed when it is over.
func (r *release) wait() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.c == nil {
		r.c = make(chan struct{})
		if r.over {
			close(r.c)
		}
	}
	return r.c
}

// stopHandshake ends the goroutine of a handshake, if there is one.
func (s *Stream) stopHandshake() {
	if h := s.shake.Load(); h != nil {
		h.quit()
	}
}

func (s *Stream) closeError(ctx context.Context, err error) error {
	if nursery.IsCancellation(ctx, err) {
		err = trigo.CancelError(ctx)
	} else if op, ok := err.(*trigo.OpError); ok {
		err = op.Err // of the transport, which is named in ours
	}
	return &trigo.OpError{Op: "close", Layer: s.layer(), Err: err}
}
