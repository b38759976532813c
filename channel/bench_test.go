package channel_test

import (
	"context"
	"sync"
	"testing"

	"trigo/channel"
	"trigo/internal/bench"
)

// The benchmarks of this file measure a channel against a native one that is
// used with a select on ctx.Done(), in one process and interleaved: a shared
// machine is too noisy to compare two runs. Each reports the median over the
// rounds of native's time divided by ours ("speed": above 1, we are faster)
// with the quartiles ("q1", "q3"), and ns/op of both.
//
//	go test -run '^$' -bench Speed -benchtime 1000000x ./channel

// through moves n values through a channel with some goroutines on each side.
func through(n, each int, send func(), receive func()) {
	var wg sync.WaitGroup
	for range each {
		wg.Go(func() {
			for range (n + each - 1) / each {
				send()
			}
		})
		wg.Go(func() {
			for range (n + each - 1) / each {
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
	bench.Speed(b, "native", func(n int) {
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
	bench.Speed(b, "native", func(n int) {
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
