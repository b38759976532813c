package wrap

import (
	"context"
	"sync/atomic"

	"trigo"
)

// Counted is a stream that counts its bytes.
type Counted struct {
	layer
	sent, received atomic.Int64
}

var _ trigo.HalfCloseableStream = (*Counted)(nil)

// Count returns a stream over s that counts what passes.
func Count(s trigo.Stream) *Counted { return &Counted{layer: layer{s, "count"}} }

// Sent returns how many bytes went into the stream below, also in sends that
// failed. It may be called at any time.
func (c *Counted) Sent() int64 { return c.sent.Load() }

// Received returns how many bytes came out. It may be called at any time.
func (c *Counted) Received() int64 { return c.received.Load() }

func (c *Counted) SendAll(ctx context.Context, p []byte) error {
	err := c.inner.SendAll(ctx, p)
	c.sent.Add(int64(moved(len(p), err)))
	return err
}

func (c *Counted) ReceiveSome(ctx context.Context, p []byte) (int, error) {
	n, err := c.inner.ReceiveSome(ctx, p)
	c.received.Add(int64(n))
	return n, err
}
