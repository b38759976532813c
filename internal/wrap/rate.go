package wrap

import (
	"context"
	"io"
	"time"

	"trigo"
)

// Limited is a stream that is not faster than it should be.
type Limited struct {
	layer
	gate
	sending, receiving struct {
		half
		bucket
	}
}

var _ trigo.HalfCloseableStream = (*Limited)(nil)

// Rate returns a stream over s that moves so many bytes a second in each
// direction, and after a pause up to burst bytes at once. A burst of 0 means a
// tenth of a second. Both are at least 1.
//
// Waiting for its turn a call can be cancelled like anywhere else: a receive
// waits before it takes anything.
func Rate(s trigo.Stream, bytesPerSecond, burst int64) *Limited {
	l := &Limited{layer: layer{s, "rate"}, gate: newGate()}
	l.sending.init(bytesPerSecond, burst)
	l.receiving.init(bytesPerSecond, burst)
	return l
}

// bucket holds tokens, one for a byte. It belongs to the holder of the half.
type bucket struct {
	rate, burst float64
	piece       float64 // for so many tokens it is worth waking up
	tokens      float64
	counted     time.Time
}

func (b *bucket) init(rate, burst int64) {
	b.rate = float64(max(rate, 1))
	b.burst = float64(burst)
	if burst <= 0 {
		b.burst = b.rate / 10
	}
	b.burst = max(b.burst, 1)
	b.piece = min(b.burst, max(b.rate/100, 1))
	b.tokens, b.counted = b.burst, time.Now()
}

// take waits until some of n bytes may pass, and returns how many.
func (b *bucket) take(ctx context.Context, shut <-chan struct{}, n int) (int, error) {
	for {
		now := time.Now()
		b.tokens = min(b.burst, b.tokens+b.rate*now.Sub(b.counted).Seconds())
		b.counted = now
		missing := min(b.piece, float64(n)) - b.tokens
		if missing <= 0 {
			return min(n, int(b.tokens)), nil
		}
		timer := time.NewTimer(time.Duration(missing/b.rate*float64(time.Second)) + 1) // rounded up
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return 0, trigo.CancelError(ctx)
		case <-shut:
			timer.Stop()
			return 0, trigo.ErrClosed
		}
	}
}

func (l *Limited) SendAll(ctx context.Context, p []byte) error {
	n, err := l.sendAll(ctx, p)
	return l.fail("send", n, err)
}

func (l *Limited) sendAll(ctx context.Context, p []byte) (sent int, err error) {
	if err := l.begin(ctx, &l.sending.half); err != nil {
		return 0, err
	}
	defer l.sending.end()
	for {
		size := 0
		if len(p) > 0 { // an empty send tells about the stream, too
			if size, err = l.sending.take(ctx, l.shut, len(p)-sent); err != nil {
				return sent, err
			}
		}
		err := l.inner.SendAll(ctx, p[sent:sent+size])
		n := moved(size, err)
		sent += n
		l.sending.tokens -= float64(n)
		if err != nil || sent == len(p) {
			return sent, cause(err)
		}
	}
}

// WaitSendAllMightNotBlock waits for the stream below, and not for its turn.
func (l *Limited) WaitSendAllMightNotBlock(ctx context.Context) error {
	if err := l.begin(ctx, &l.sending.half); err != nil {
		return l.fail("wait to send", 0, err)
	}
	defer l.sending.end()
	return l.inner.WaitSendAllMightNotBlock(ctx)
}

func (l *Limited) SendEOF(ctx context.Context) error {
	if err := l.begin(ctx, &l.sending.half); err != nil {
		return l.fail("send EOF", 0, err)
	}
	defer l.sending.end()
	return l.layer.SendEOF(ctx)
}

func (l *Limited) ReceiveSome(ctx context.Context, p []byte) (int, error) {
	if len(p) == 0 {
		return 0, io.ErrShortBuffer
	}
	if err := l.begin(ctx, &l.receiving.half); err != nil {
		return 0, l.fail("receive", 0, err)
	}
	defer l.receiving.end()
	size, err := l.receiving.take(ctx, l.shut, len(p))
	if err != nil {
		return 0, l.fail("receive", 0, err)
	}
	n, err := l.inner.ReceiveSome(ctx, p[:size])
	l.receiving.tokens -= float64(n)
	return n, err
}

// Close closes the stream below, and wakes whoever waits for its turn.
func (l *Limited) Close(ctx context.Context) error {
	l.gate.close()
	return l.inner.Close(ctx)
}

// Abort aborts the stream below, and wakes whoever waits for its turn.
func (l *Limited) Abort() error {
	l.gate.close()
	return l.layer.Abort()
}
