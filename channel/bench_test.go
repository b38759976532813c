package channel_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"trigo/channel"
)

// The benchmarks of this file measure a channel against a native one that is
// used with a select on ctx.Done(), in one process and interleaved: a shared
// machine is too noisy to compare two runs. Each reports the median over the
// rounds of native's time divided by ours ("speed": above 1, we are faster)
// with the quartiles ("q1", "q3"), and ns/op of both.
//
//	go test -run '^$' -bench Speed -benchtime 1000000x ./channel

func speed(bb *testing.B, ours, native func(n int)) {
	const rounds = 40
	n := max(bb.N/rounds, 8)
	timed := func(f func(int)) float64 {
		start := time.Now()
		f(n)
		return float64(time.Since(start)) / float64(n)
	}
	var speeds, as, bs []float64
	timed(ours) // warm-up
	timed(native)
	bb.ResetTimer()
	for i := range rounds {
		var a, b float64
		if i%2 == 0 {
			a, b = timed(ours), timed(native)
		} else {
			b, a = timed(native), timed(ours)
		}
		speeds, as, bs = append(speeds, b/a), append(as, a), append(bs, b)
	}
	for _, s := range [][]float64{speeds, as, bs} {
		slices.Sort(s)
	}
	bb.ReportMetric(speeds[rounds/2], "speed")
	bb.ReportMetric(speeds[rounds/4], "q1")
	bb.ReportMetric(speeds[rounds*3/4], "q3")
	bb.ReportMetric(as[rounds/2], "trigo-ns/op")
	bb.ReportMetric(bs[rounds/2], "native-ns/op")
	bb.ReportMetric(0, "ns/op")
}

// through moves n values through a channel with some goroutines on each side.
func through(n, each int, send func(), receive func()) {
	var wg sync.WaitGroup
	for range each {
		wg.Go(func() {
			for range n / each {
				send()
			}
		})
		wg.Go(func() {
			for range n / each {
				receive()
			}
		})
	}
	wg.Wait()
}

func benchmarkSpeed(b *testing.B, size, each int) {
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	s, r := channel.Open[int](size)
	native := make(chan int, size)
	speed(b, func(n int) {
		through(n, each, func() {
			if err := s.Send(ctx, 1); err != nil {
				b.Error(err)
			}
		}, func() {
			if _, err := r.Receive(ctx); err != nil {
				b.Error(err)
			}
		})
	}, func(n int) {
		through(n, each, func() {
			select {
			case native <- 1:
			case <-ctx.Done():
				b.Error(ctx.Err())
			}
		}, func() {
			select {
			case <-native:
			case <-ctx.Done():
				b.Error(ctx.Err())
			}
		})
	})
}

func BenchmarkSpeedBuffered1To1(b *testing.B)   { benchmarkSpeed(b, 64, 1) }
func BenchmarkSpeedBuffered8To8(b *testing.B)   { benchmarkSpeed(b, 64, 8) }
func BenchmarkSpeedRendezvous1To1(b *testing.B) { benchmarkSpeed(b, 0, 1) }
func BenchmarkSpeedRendezvous8To8(b *testing.B) { benchmarkSpeed(b, 0, 8) }

// BenchmarkSpeedReady has no second goroutine: nothing ever waits.
func BenchmarkSpeedReady(b *testing.B) {
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	s, r := channel.Open[int](1)
	native := make(chan int, 1)
	speed(b, func(n int) {
		for range n {
			s.Send(ctx, 1)
			r.Receive(ctx)
		}
	}, func(n int) {
		for range n {
			select {
			case native <- 1:
			case <-ctx.Done():
			}
			select {
			case <-native:
			case <-ctx.Done():
			}
		}
	})
}
