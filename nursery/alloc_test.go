package nursery_test

import (
	"context"
	"testing"

	"trigo/nursery"
)

// What a nursery costs is counted here, so that nobody adds to it unawares.
func TestAllocationsOfANursery(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	nothing := func(context.Context) error { return nil }
	pin := func(what string, most float64, f func()) {
		t.Helper()
		if n := testing.AllocsPerRun(1000, f); n > most {
			t.Errorf("%s: %v allocations, want at most %v", what, n, most)
		}
	}
	run := func(children int) func() {
		return func() {
			_ = nursery.Run(ctx, func(_ context.Context, n *nursery.Nursery) error {
				for range children {
					n.Go(nothing)
				}
				return nil
			})
		}
	}
	pin("an empty nursery: itself, its ctx and what cancels that", 3, run(0))
	pin("ten children, each with the arguments of its goroutine", 13, run(10))
	_ = nursery.Run(ctx, func(ctx context.Context, n *nursery.Nursery) error {
		pin("Start: the arguments of its goroutine, its state, and two of its methods", 4, func() {
			_, _ = nursery.Start(ctx, n, func(_ context.Context, started func(int)) error {
				started(1)
				return nil
			})
		})
		return nil
	})
}
