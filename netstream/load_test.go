package netstream

import (
	"context"
	"errors"
	"os"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"trigo"
)

// loops is how often a long test goes round: full with TRIGO_SOAK set, as
// "make soak" does, else short.
func loops(short, full int) int {
	if os.Getenv("TRIGO_SOAK") != "" {
		return full
	}
	return short
}

// blockedStreams returns n streams and starts a goroutine for each that
// receives under ctx(i), once all are parked. What each receive returned, and
// when, comes from the channel.
func blockedStreams(t *testing.T, n int, ctx func(i int) context.Context) <-chan ended {
	t.Helper()
	raiseDescriptorLimit(t, n+200)
	parked := make([]*Stream, 0, n) // both ends of each connection
	maker := unixStreams(socketDir(t))
	for range n / 2 {
		a, b, err := maker(bounded(t))
		if err != nil {
			t.Fatal(err)
		}
		parked = append(parked, a, b)
	}
	t.Cleanup(func() {
		for _, s := range parked {
			s.Close(context.Background())
		}
	})
	before := runtime.NumGoroutine()
	results := make(chan ended, n)
	var waiting atomic.Int64
	for i, s := range parked {
		go func() {
			_, err := s.ReceiveSome(&counted{Context: ctx(i), n: &waiting}, make([]byte, 1))
			results <- ended{i, time.Now(), err}
		}()
	}
	for deadline := time.Now().Add(patience); waiting.Load() < int64(n); runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("%d of %d calls wait", waiting.Load(), n)
		}
	}
	if got := runtime.NumGoroutine() - before; got > n {
		t.Errorf("%d goroutines for %d blocked calls: more than the callers' own", got, n)
	}
	return results
}

// counted counts the calls that asked for its Done channel, which each does once,
// when it begins to wait.
type counted struct {
	context.Context
	n    *atomic.Int64
	once sync.Once
}

func (c *counted) Done() <-chan struct{} {
	c.once.Do(func() { c.n.Add(1) })
	return c.Context.Done()
}

type ended struct {
	i    int
	when time.Time
	err  error
}

func TestManyBlockedStreamsCancelledTogether(t *testing.T) {
	n := loops(1000, 10_000)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	results := blockedStreams(t, n, func(int) context.Context { return ctx })
	start := time.Now()
	cancel()
	var last time.Time
	for range n {
		r := <-results
		if !errors.Is(r.err, context.Canceled) {
			t.Fatal(r.err)
		}
		if r.when.After(last) {
			last = r.when
		}
	}
	t.Logf("%d streams cancelled together: the last returned after %v", n, last.Sub(start))
	if last.Sub(start) > time.Second {
		t.Errorf("the last returned after %v, want at most 1s", last.Sub(start))
	}
}

func TestOneOfManyBlockedStreamsCancelled(t *testing.T) {
	n := loops(1000, 10_000)
	cancels := make([]context.CancelFunc, n)
	contexts := make([]context.Context, n)
	for i := range n {
		contexts[i], cancels[i] = context.WithCancel(context.Background())
	}
	results := blockedStreams(t, n, func(i int) context.Context { return contexts[i] })
	var took []time.Duration
	for i, cancel := range cancels {
		start := time.Now()
		cancel()
		r := <-results
		if r.i != i || !errors.Is(r.err, context.Canceled) {
			t.Fatalf("cancelled %d; %d returned %v", i, r.i, r.err)
		}
		took = append(took, r.when.Sub(start))
	}
	slices.Sort(took)
	p50, p99, most := took[n/2], took[n*99/100], took[n-1]
	t.Logf("%d streams, cancelled one by one: p50 %v, p99 %v, max %v", n, p50, p99, most)
	if p99 > time.Millisecond && !raceEnabled {
		t.Errorf("p99 is %v, want at most 1ms", p99)
	}
}

// TestChurn dials, talks and closes, and dials and cancels, many times over.
// TestMain finds what is left of it.
func TestChurn(t *testing.T) {
	rounds := loops(500, 100_000)
	ls, err := ListenTCP(bounded(t), "127.0.0.1:0", nil)
	if err != nil {
		t.Fatal(err)
	}
	goroutines, descriptors := runtime.NumGoroutine(), openDescriptors(t)
	address := ls[0].Addr().String()
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() {
		served <- trigo.ServeListeners(ctx, func(ctx context.Context, s *Stream) error {
			buf := make([]byte, ping)
			if receiveFull(ctx, s, buf) == nil {
				s.SendAll(ctx, buf)
			}
			return nil
		}, ls, nil)
	}()

	exchange := func() error {
		s, err := DialTCP(ctx, address, nil)
		if err != nil {
			return err
		}
		defer s.Close(ctx)
		buf := make([]byte, ping)
		if err := s.SendAll(ctx, buf); err != nil {
			return err
		}
		return receiveFull(ctx, s, buf)
	}
	for i := range rounds {
		if err := exchange(); err != nil {
			t.Fatalf("round %d: %v", i, err)
		}
	}

	for i := range rounds {
		dial, cancel := context.WithCancel(ctx)
		var wg sync.WaitGroup
		wg.Go(func() {
			for range i % 64 { // at another moment each time
				runtime.Gosched()
			}
			cancel()
		})
		s, err := DialTCP(dial, address, nil)
		switch {
		case err == nil:
			s.Close(ctx)
		case !errors.Is(err, context.Canceled):
			t.Fatalf("round %d: %v", i, err)
		}
		wg.Wait()
	}

	stop()
	if err := <-served; !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(patience); ; runtime.Gosched() {
		g, d := runtime.NumGoroutine(), openDescriptors(t)
		if g <= goroutines && d <= descriptors {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines and %d descriptors; it began with %d and %d", g, d, goroutines, descriptors)
		}
	}
	t.Logf("%d rounds of dial, exchange, close and %d of dial, cancel left nothing", rounds, rounds)
}
