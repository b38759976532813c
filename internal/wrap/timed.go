package wrap

import (
	"context"
	"io"
	"math"
	"sync/atomic"
	"time"

	"trigo"
	"trigo/nursery"
)

// The errors of streams whose time is over. Their Timeout method returns true.
var (
	ErrIdle error = timeout("idle for too long")
	ErrLife error = timeout("its time is over")
)

type timeout string

func (t timeout) Error() string { return string(t) }
func (timeout) Timeout() bool   { return true }

// Timed is a stream with a limit of time: of its silence, or of its life. Once
// that has passed, the call that waits and all later ones fail, except Close
// and Abort: nobody closes the stream but its owner.
type Timed struct {
	layer
	gate
	limit    time.Duration
	err      error // when it has passed
	birth    time.Time
	deadline time.Duration // of the life, since birth; 0: the limit is of silence
	last     atomic.Int64  // when a byte moved, since birth
	over     atomic.Bool

	sending, receiving waiter
}

// waiter is a half that knows how long it has waited for a byte in calls that
// were given up. That belongs to the holder of the half.
type waiter struct {
	half
	waited time.Duration
}

var _ trigo.HalfCloseableStream = (*Timed)(nil)

// Idle returns a stream over s that fails with [ErrIdle] when a call has waited
// for limit and no byte moved meanwhile, in either direction. The time between
// calls does not count: there it is the caller who is silent. That some bytes
// of a SendAll have moved may be noticed only at the end of the limit, which
// then begins again.
func Idle(s trigo.Stream, limit time.Duration) *Timed {
	limit = min(limit, math.MaxInt64/2) // for ever, with room to add the time that has passed
	return &Timed{layer: layer{s, "idle"}, gate: newGate(), limit: limit, err: ErrIdle, birth: time.Now()}
}

// Life returns a stream over s that fails with [ErrLife] when limit has passed
// from now on.
func Life(s trigo.Stream, limit time.Duration) *Timed {
	return &Timed{layer: layer{s, "life"}, gate: newGate(), err: ErrLife, birth: time.Now(), deadline: max(limit, 1)}
}

func (t *Timed) SendAll(ctx context.Context, p []byte) error {
	sent := 0
	err := t.bounded(ctx, &t.sending, func(ctx context.Context) (int, error) {
		err := t.inner.SendAll(ctx, p[sent:])
		n := moved(len(p)-sent, err)
		sent += n
		return n, err
	})
	return t.fail("send", sent, err)
}

func (t *Timed) WaitSendAllMightNotBlock(ctx context.Context) error {
	err := t.bounded(ctx, &t.sending, func(ctx context.Context) (int, error) {
		return 0, t.inner.WaitSendAllMightNotBlock(ctx)
	})
	return t.fail("wait to send", 0, err)
}

func (t *Timed) SendEOF(ctx context.Context) error {
	err := t.bounded(ctx, &t.sending, func(ctx context.Context) (int, error) { return 0, t.layer.SendEOF(ctx) })
	return t.fail("send EOF", 0, err)
}

func (t *Timed) ReceiveSome(ctx context.Context, p []byte) (n int, err error) {
	if len(p) == 0 {
		return 0, io.ErrShortBuffer
	}
	err = t.bounded(ctx, &t.receiving, func(ctx context.Context) (int, error) {
		n, err = t.inner.ReceiveSome(ctx, p)
		return n, err
	})
	return n, t.fail("receive", 0, err)
}

// bounded calls f, with a ctx that ends when the time is over, until it
// succeeds or fails for another reason than that a byte moved elsewhere.
func (t *Timed) bounded(ctx context.Context, w *waiter, f func(ctx context.Context) (int, error)) error {
	if err := t.begin(ctx, &w.half); err != nil {
		return err
	}
	defer w.end()
	for !t.over.Load() {
		start := time.Since(t.birth)
		limited, cancel := context.WithDeadlineCause(ctx, t.birth.Add(t.end(start, w)), t.err)
		n, err := f(limited)
		mine := limited.Err() != nil && nursery.IsCancellation(limited, err) // before our own cancel
		cancel()
		t.account(start, w, n)
		switch {
		case err == nil || !mine:
			return cause(err)
		case ctx.Err() != nil:
			return trigo.CancelError(ctx)
		case time.Since(t.birth) >= t.end(time.Since(t.birth), w):
			t.over.Store(true)
		}
	}
	return t.err
}

// end returns when the time of a call is over that began at start.
func (t *Timed) end(start time.Duration, w *waiter) time.Duration {
	if t.deadline > 0 {
		return t.deadline
	}
	return max(time.Duration(t.last.Load()), start-w.waited) + t.limit
}

// account enters a call that began at start and moved n bytes.
func (t *Timed) account(start time.Duration, w *waiter, n int) {
	now := time.Since(t.birth)
	if n > 0 {
		t.last.Store(int64(now))
		w.waited = 0
		return
	}
	silent := max(time.Duration(t.last.Load()), start-w.waited)
	w.waited = now - silent
}

// Close closes the stream below. Its ctx is its own: no limit applies to it.
func (t *Timed) Close(ctx context.Context) error {
	t.gate.close()
	return t.inner.Close(ctx)
}

// Abort aborts the stream below.
func (t *Timed) Abort() error {
	t.gate.close()
	return t.layer.Abort()
}
