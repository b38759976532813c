package pollio

import (
	"context"
	"net"
	"runtime"
	"sync/atomic"
	"testing"
	"time"
)

// pair returns the two ends of a TCP connection over loopback.
func pair(tb testing.TB) (a, b *FD) {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	defer l.Close()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		tb.Fatal(err)
	}
	s, err := l.Accept()
	if err != nil {
		tb.Fatal(err)
	}
	return mustNew(tb, c.(*net.TCPConn)), mustNew(tb, s.(*net.TCPConn))
}

func mustNew(tb testing.TB, src Source) *FD {
	tb.Helper()
	fd, err := New(src)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { fd.Close() })
	return fd
}

// patience bounds every wait for something that must happen.
const patience = 10 * time.Second

func bounded(tb testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	tb.Cleanup(cancel)
	return ctx
}

// async runs f in a goroutine and returns a function that waits for its result.
func async(tb testing.TB, f func() error) (wait func() error) {
	done := make(chan error, 1)
	go func() { done <- f() }()
	return func() error {
		tb.Helper()
		select {
		case err := <-done:
			return err
		case <-time.After(patience):
			buf := make([]byte, 1<<16)
			tb.Fatalf("still blocked; goroutines:\n%s", buf[:runtime.Stack(buf, true)])
			return nil
		}
	}
}

// untilParked waits until a call has registered its ctx with h, which it does
// just before it parks.
func untilParked(tb testing.TB, registered *atomic.Int32) {
	tb.Helper()
	for deadline := time.Now().Add(patience); registered.Load() == 0; runtime.Gosched() {
		if time.Now().After(deadline) {
			tb.Fatal("the call did not register its ctx")
		}
	}
}

// watched is a context that counts the callbacks registered with it; the
// context package calls AfterFunc of a foreign context.
type watched struct {
	context.Context
	*counts
}

type counts struct{ registered, stopped atomic.Int32 }

func (w *watched) AfterFunc(f func()) func() bool {
	w.registered.Add(1)
	stop := context.AfterFunc(w.Context, f)
	return func() bool {
		w.stopped.Add(1)
		return stop()
	}
}

// Value hides the inner context, as a foreign implementation would.
func (w *watched) Value(key any) any { return nil }

func watch(ctx context.Context) *watched { return &watched{ctx, new(counts)} }

// parkedForTest reports whether a call is under way on h.
func (h *half) parkedForTest() bool { return h.busy.Load() }
