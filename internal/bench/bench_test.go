package bench

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func TestTurnsTimesAUnitOfWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		takes := func(d time.Duration) func(int) {
			return func(n int) { time.Sleep(time.Duration(n) * d) }
		}
		times := Turns(5, 10, takes(3*time.Millisecond), takes(2*time.Millisecond))
		if got := times.Of(0); got.Min != 3e6 || got.Max != 3e6 {
			t.Errorf("the first took %v a unit, want 3e6", got)
		}
		if got := times.Ratio(0, 1); got.Median != 1.5 {
			t.Errorf("ratio %v, want 1.5", got)
		}
		if got := times.Ratio(1, 0); got.Median < 0.66 || got.Median > 0.67 {
			t.Errorf("inverse ratio %v, want 2/3", got)
		}
	})
}

func TestTurnsLetsEachBegin(t *testing.T) {
	var order []int
	note := func(who int) func(int) { return func(int) { order = append(order, who) } }
	Turns(3, 1, note(0), note(1), note(2))
	want := []int{0, 1, 2 /* before all */, 0, 1, 2, 1, 0, 2, 2, 0, 1}
	if !slices.Equal(order, want) {
		t.Errorf("turns %v, want %v", order, want)
	}
}

func TestTurnsLeavesTheFirstOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		warm := false
		times := Turns(3, 1, func(int) {
			if !warm {
				time.Sleep(time.Hour)
			}
			warm = true
			time.Sleep(time.Second)
		})
		if got := times.Of(0).Max; got != 1e9 {
			t.Errorf("the longest round took %v, want 1e9", got)
		}
	})
}

func TestSpread(t *testing.T) {
	got := NewSpread([]float64{9, 1, 5, 3, 7, 2, 8, 4, 6})
	if want := (Spread{Min: 1, Q1: 3, Median: 5, Q3: 7, Max: 9}); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := NewSpread([]float64{4}); got != (Spread{4, 4, 4, 4, 4}) {
		t.Errorf("one value: %v", got)
	}
}
