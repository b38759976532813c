package trigotest

import (
	"context"
	"errors"
	"fmt"

	"trigo"
)

// Wrap returns a stream on x of which each call is a step of the scenario: the
// cancel comes before it, while it waits, after it has succeeded, and, in a
// SendAll of more than one byte, in the middle. Wrap what is innermost, so
// that the layers above are cut at each of their steps. SendEOF is
// [errors.ErrUnsupported] if x has none. The run closes it in the end.
func (s *Sweep) Wrap(x trigo.Stream) trigo.HalfCloseableStream {
	s.Close(x)
	return &swept{sweptSend{s.points, x}, sweptReceive{s.points, x}, x}
}

// WrapSend is Wrap for a stream that only sends.
func (s *Sweep) WrapSend(x trigo.SendStream) trigo.SendStream {
	s.Close(x)
	return &sweptSend{s.points, x}
}

// WrapReceive is Wrap for a stream that only receives.
func (s *Sweep) WrapReceive(x trigo.ReceiveStream) trigo.ReceiveStream {
	s.Close(x)
	return &sweptReceive{s.points, x}
}

type sweptSend struct {
	points *points
	inner  trigo.SendStream
}

func (w *sweptSend) SendAll(ctx context.Context, p []byte) error {
	what := fmt.Sprintf("SendAll of %d bytes on %s", len(p), describe(w.inner))
	return w.points.around(what, func() error {
		if len(p) < 2 || !w.points.reached() {
			return w.inner.SendAll(ctx, p)
		}
		half := len(p) / 2
		if err := w.inner.SendAll(ctx, p[:half]); err != nil {
			return err
		}
		w.points.fire("in the middle of " + what)
		if err := w.inner.SendAll(ctx, p[half:]); err != nil {
			return opError(describe(w.inner), "send", half+sentBytes(err), cause(err))
		}
		return nil
	})
}

func (w *sweptSend) WaitSendAllMightNotBlock(ctx context.Context) error {
	return w.points.around("WaitSendAllMightNotBlock on "+describe(w.inner), func() error {
		return w.inner.WaitSendAllMightNotBlock(ctx)
	})
}

func (w *sweptSend) Close(ctx context.Context) error { return sweptClose(ctx, w.points, w.inner) }
func (w *sweptSend) Underlying() any                 { return w.inner }
func (w *sweptSend) String() string                  { return describe(w.inner) }

type sweptReceive struct {
	points *points
	inner  trigo.ReceiveStream
}

func (w *sweptReceive) ReceiveSome(ctx context.Context, p []byte) (n int, err error) {
	err = w.points.around("ReceiveSome on "+describe(w.inner), func() error {
		n, err = w.inner.ReceiveSome(ctx, p)
		return err
	})
	return n, err
}

func (w *sweptReceive) Close(ctx context.Context) error { return sweptClose(ctx, w.points, w.inner) }
func (w *sweptReceive) Underlying() any                 { return w.inner }
func (w *sweptReceive) String() string                  { return describe(w.inner) }

type swept struct {
	sweptSend
	sweptReceive
	inner trigo.Stream
}

func (w *swept) SendEOF(ctx context.Context) error {
	return w.sweptSend.points.around("SendEOF on "+describe(w.inner), func() error { return sendEOF(ctx, w.inner) })
}

func (w *swept) Close(ctx context.Context) error { return sweptClose(ctx, w.sweptSend.points, w.inner) }
func (w *swept) Underlying() any                 { return w.inner }
func (w *swept) String() string                  { return describe(w.inner) }

func sweptClose(ctx context.Context, p *points, r trigo.Resource) error {
	return p.around("Close of "+describe(r), func() error { return r.Close(ctx) })
}

// sendEOF is SendEOF of a stream that may have none.
func sendEOF(ctx context.Context, s trigo.SendStream) error {
	if h, ok := s.(interface{ SendEOF(context.Context) error }); ok {
		return h.SendEOF(ctx)
	}
	return opError(describe(s), "send EOF", 0, errors.ErrUnsupported)
}

// sentBytes is how many bytes went out before err.
func sentBytes(err error) int {
	if op, ok := errors.AsType[*trigo.OpError](err); ok {
		return int(op.N)
	}
	return 0
}

// cause is err without its outermost OpError.
func cause(err error) error {
	if op, ok := err.(*trigo.OpError); ok {
		return op.Err
	}
	return err
}

// describe names a layer in an error: by its String, else by its type.
func describe(layer any) string {
	if s, ok := layer.(fmt.Stringer); ok {
		return s.String()
	}
	return fmt.Sprintf("%T", layer)
}
