package fdstream

import (
	"context"
	"fmt"
	"io"
	"sync/atomic"

	"trigo"
)

// inline is a stream over calls that wait for nobody: those on a regular file
// or /dev/null. The ctx is looked at before each of them.
type inline struct {
	layer       fmt.Stringer
	read, write func(p []byte) (int, error)
	readBy      func(op func(sysfd int) error) error // nil if nobody may read in other ways

	closed             atomic.Bool
	receiving, sending atomic.Bool
	end                error // what receiving ended with; of the holder of receiving
}

func (s *inline) ReceiveSome(ctx context.Context, p []byte) (n int, err error) {
	if len(p) == 0 {
		return 0, io.ErrShortBuffer
	}
	err = s.receive(ctx, func() error {
		n, err = s.read(p)
		switch {
		case n > 0:
			return nil
		case err == nil:
			return io.EOF
		}
		return err
	})
	if err != nil {
		return 0, err
	}
	return n, nil
}

// receiveBy is the ReceiveBy of a [Receiver].
func (s *inline) receiveBy(ctx context.Context, op func(sysfd int) error) error {
	return s.receive(ctx, func() error { return s.readBy(op) })
}

func (s *inline) receive(ctx context.Context, f func() error) error {
	err := s.exclusive(ctx, &s.receiving, func() error {
		if s.end == nil {
			switch err := f(); err {
			case nil:
			case io.EOF:
				s.end = io.EOF
			default:
				s.end = trigo.Broken(err)
			}
		}
		return s.end
	})
	if err == nil || err == io.EOF {
		return err
	}
	return &trigo.OpError{Op: "receive", Layer: s.layer.String(), Err: err}
}

func (s *inline) SendAll(ctx context.Context, p []byte) error {
	sent := 0
	err := s.exclusive(ctx, &s.sending, func() error {
		for sent < len(p) {
			n, err := s.write(p[sent:])
			sent += max(0, n)
			if err != nil {
				return trigo.Broken(err)
			}
			if ctx.Err() != nil && sent < len(p) {
				return trigo.CancelError(ctx)
			}
		}
		return nil
	})
	if err != nil {
		return &trigo.OpError{Op: "send", Layer: s.layer.String(), N: int64(sent), Err: err}
	}
	return nil
}

func (s *inline) WaitSendAllMightNotBlock(ctx context.Context) error {
	if err := s.exclusive(ctx, &s.sending, func() error { return nil }); err != nil {
		return &trigo.OpError{Op: "wait to send", Layer: s.layer.String(), Err: err}
	}
	return nil
}

func (s *inline) exclusive(ctx context.Context, busy *atomic.Bool, f func() error) error {
	switch {
	case s.closed.Load():
		return trigo.ErrClosed
	case ctx.Err() != nil:
		return trigo.CancelError(ctx)
	case !busy.CompareAndSwap(false, true):
		return trigo.ErrBusy
	}
	defer busy.Store(false)
	return f()
}

func (s *inline) Close(ctx context.Context) error {
	s.closed.Store(true)
	return nil
}
