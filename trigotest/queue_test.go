package trigotest

import (
	"context"
	"errors"
	"runtime"
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
