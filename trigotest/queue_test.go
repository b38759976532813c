package trigotest

import (
	"context"
	"errors"
	"runtime"
	"sync/atomic"
	"testing"
	"time"
)

// receivesOften has r wait under ctx so often that it is registered.
func receivesOften(ctx context.Context, t *testing.T, r *MemoryReceiveStream) {
	t.Helper()
	for range 100 {
		received := make(chan error)
		go func() {
			_, err := r.ReceiveSome(ctx, make([]byte, 1))
			received <- err
		}()
		waitUntilAwaited(r)
		r.PutData([]byte("x"))
		if err := <-received; err != nil {
			t.Fatal(err)
		}
	}
}

func waitUntilAwaited(r *MemoryReceiveStream) {
	for {
		r.queue.mu.Lock()
		awaited := r.queue.awaited
		r.queue.mu.Unlock()
		if awaited {
			return
		}
		runtime.Gosched()
	}
}

func TestACancelWakesAReceiverWhoseCtxWasUsedOften(t *testing.T) {
	reason := errors.New("reason")
	ctx, cancel := context.WithCancelCause(context.Background())
	r := NewMemoryReceiveStream()
	receivesOften(ctx, t, r)
	received := make(chan error)
	go func() {
		_, err := r.ReceiveSome(ctx, make([]byte, 1))
		received <- err
	}()
	waitUntilAwaited(r)
	cancel(reason)
	if err := <-received; !errors.Is(err, reason) {
		t.Error(err)
	}
	r.PutData([]byte("y"))
	if n, err := r.ReceiveSome(context.Background(), make([]byte, 1)); n != 1 || err != nil {
		t.Error(n, err)
	}
}

func TestAForgottenMemoryStreamIsNotKeptByACtx(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	gone := make(chan struct{})
	func() {
		r := NewMemoryReceiveStream()
		receivesOften(ctx, t, r)
		runtime.AddCleanup(r.queue, func(gone chan struct{}) { close(gone) }, gone)
	}()
	for {
		runtime.GC()
		select {
		case <-gone:
			return
		case <-time.After(time.Millisecond):
		}
	}
}

// A receiver that is far behind, and then as fast as the sender.
func TestAPileIsNotMovedForEachByteThatIsTakenOffIt(t *testing.T) {
	q := newByteQueue()
	q.put(make([]byte, 1<<20))
	moves, p := 0, make([]byte, 1)
	for range 1000 {
		q.read(p)
		before := &q.data[q.taken]
		q.put(p)
		if &q.data[q.taken] != before {
			moves++
		}
	}
	if moves > 1 {
		t.Errorf("1 MiB was moved %d times for 1000 bytes, want once at most", moves)
	}
}

// countingContext counts who is registered for its end.
type countingContext struct {
	context.Context
	registered atomic.Int32
}

func (c *countingContext) AfterFunc(f func()) func() bool {
	c.registered.Add(1)
	stop := context.AfterFunc(c.Context, f)
	return func() bool {
		stopped := stop()
		if stopped {
			c.registered.Add(-1)
		}
		return stopped
	}
}

// Value hides that of package context below, so that AfterFunc is asked.
func (c *countingContext) Value(any) any { return nil }

func TestAStreamThatEndsIsNotRegisteredAnyMore(t *testing.T) {
	ends := map[string]func(r *MemoryReceiveStream){
		"end":     func(r *MemoryReceiveStream) { r.PutEOF() },
		"failure": func(r *MemoryReceiveStream) { r.PutError(nil) },
		"close":   func(r *MemoryReceiveStream) { r.Close(t.Context()) },
	}
	for name, end := range ends {
		for _, waits := range []bool{false, true} {
			inner, cancel := context.WithCancel(t.Context())
			defer cancel()
			ctx := &countingContext{Context: inner}
			r := NewMemoryReceiveStream()
			receivesOften(ctx, t, r)
			if n := ctx.registered.Load(); n != 1 {
				t.Fatalf("%d registered after many waits, want 1", n)
			}
			done := background(func() error { return nil })
			if waits {
				done = background(func() error { _, err := r.ReceiveSome(ctx, make([]byte, 1)); return err })
				waitUntilAwaited(r)
			}
			end(r)
			<-done
			if n := ctx.registered.Load(); n != 0 {
				t.Errorf("%s, and somebody waits: %v: %d registered, want none", name, waits, n)
			}
		}
	}
}
