// Package wrap holds streams around streams: with a limit of the rate, a dump
// of what passes, counters, limits of time.
//
// Each is a [trigo.HalfCloseableStream] that owns the stream below and hides
// nothing of it: half-close, Abort and the layers are those below. SendEOF is
// [errors.ErrUnsupported] where the stream below has none.
package wrap

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"

	"trigo"
)

// layer is what the kinds have in common: the stream below, for all that they
// leave alone.
type layer struct {
	inner trigo.Stream
	name  string
}

func (l *layer) SendAll(ctx context.Context, p []byte) error { return l.inner.SendAll(ctx, p) }

func (l *layer) WaitSendAllMightNotBlock(ctx context.Context) error {
	return l.inner.WaitSendAllMightNotBlock(ctx)
}

func (l *layer) SendEOF(ctx context.Context) error {
	h, ok := l.inner.(interface{ SendEOF(context.Context) error })
	if !ok {
		return l.fail("send EOF", 0, errors.ErrUnsupported)
	}
	return h.SendEOF(ctx)
}

func (l *layer) ReceiveSome(ctx context.Context, p []byte) (int, error) {
	return l.inner.ReceiveSome(ctx, p)
}

func (l *layer) Close(ctx context.Context) error { return l.inner.Close(ctx) }
func (l *layer) Abort() error                    { return trigo.Abort(l.inner) }
func (l *layer) Underlying() any                 { return l.inner }

func (l *layer) String() string {
	if below, ok := l.inner.(fmt.Stringer); ok {
		return l.name + " over " + below.String()
	}
	return fmt.Sprintf("%s over %T", l.name, l.inner)
}

func (l *layer) fail(op string, n int, err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	return &trigo.OpError{Op: op, Layer: l.String(), N: int64(n), Err: err}
}

// moved returns how many bytes a send of size bytes moved, by its error.
func moved(size int, err error) int {
	if err == nil {
		return size
	}
	var op *trigo.OpError
	if errors.As(err, &op) {
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

// A gate is for the kinds whose calls wait by themselves: it knows when the
// stream was closed, and lets one call at a time use a half.
type gate struct {
	shut chan struct{} // closed by close
	once sync.Once
}

// half is held by the one call that uses it.
type half struct{ busy atomic.Bool }

func newGate() gate { return gate{shut: make(chan struct{})} }

func (g *gate) close() { g.once.Do(func() { close(g.shut) }) }

// begin takes h for a call, unless the call must fail before it does anything.
func (g *gate) begin(ctx context.Context, h *half) error {
	select {
	case <-g.shut:
		return trigo.ErrClosed
	default:
	}
	if err := trigo.CancelError(ctx); err != nil {
		return err
	}
	if !h.busy.CompareAndSwap(false, true) {
		return trigo.ErrBusy
	}
	return nil
}

func (h *half) end() { h.busy.Store(false) }
