// Package bench times several ways of doing the same work, in one process and
// by turns. A shared machine is too noisy for two runs to be compared: what
// disturbs one round disturbs its neighbours, so only what ran side by side is
// set against each other, and the median of that is told with its spread.
package bench

import (
	"os"
	"slices"
	"testing"
	"time"
)

// Values holds what was measured of each contestant in each round. Of [Turns],
// it is the nanoseconds for one unit of work.
type Values [][]float64

// Turns has every contestant do n units of work in each round, as [Rounds]
// does, and times them. What was slow because it was the first of all is not
// counted.
//
// Time is the clock's, or that of the processor if TRIGO_BENCH_CPU is set: then
// a busy machine disturbs less, and what waits costs nothing.
func Turns(rounds, n int, contestants ...func(n int)) Values {
	timed := make([]func() float64, len(contestants))
	for i, work := range contestants {
		timed[i] = func() float64 {
			start := clock()
			work(n)
			return float64(clock()-start) / float64(n)
		}
	}
	for _, work := range timed {
		work()
	}
	return Rounds(rounds, timed...)
}

// Rounds takes a value of every contestant in each round. Who begins moves on
// from round to round and every other round goes backwards, so that none is
// always the first, or always follows the same other.
func Rounds(rounds int, contestants ...func() float64) Values {
	values := make(Values, len(contestants))
	for round := range rounds {
		step := 1 - 2*(round%2)
		for i := range contestants {
			who := (round + step*i + len(contestants)) % len(contestants)
			values[who] = append(values[who], contestants[who]())
		}
	}
	return values
}

// Ratio tells how a's value divided by b's is spread over the rounds.
func (v Values) Ratio(a, b int) Spread {
	ratios := make([]float64, len(v[a]))
	for round := range ratios {
		ratios[round] = v[a][round] / v[b][round]
	}
	return NewSpread(ratios)
}

// Of tells how the values of one contestant are spread.
func (v Values) Of(who int) Spread { return NewSpread(v[who]) }

// Spread is what is told of many measurements.
type Spread struct{ Min, Q1, Median, Q3, Max float64 }

// NewSpread returns the spread of values, of which there must be at least one.
func NewSpread(values []float64) Spread {
	v := slices.Sorted(slices.Values(values))
	at := func(quarter int) float64 { return v[(len(v)-1)*quarter/4] }
	return Spread{Min: at(0), Q1: at(1), Median: at(2), Q3: at(3), Max: at(4)}
}

// Report gives s to a benchmark, as its only result but for allocations: the
// median under the name of the metric, and the quartiles.
func (s Spread) Report(b *testing.B, metric string) {
	b.ReportMetric(s.Median, metric)
	b.ReportMetric(s.Q1, "q1")
	b.ReportMetric(s.Q3, "q3")
	b.ReportMetric(0, "ns/op") // it would be that of all of them together
}

// rounds is how many of them [Ratio] and [Speed] split a benchmark's b.N into.
const rounds = 40

// Ratio reports ours divided by theirs, in time: below 1, we are faster.
func Ratio(b *testing.B, name string, ours, theirs func(n int)) {
	pair(b, name, ours, theirs).Ratio(0, 1).Report(b, "ratio")
}

// Speed reports theirs divided by ours, in time: above 1, we are faster.
func Speed(b *testing.B, name string, ours, theirs func(n int)) {
	pair(b, name, ours, theirs).Ratio(1, 0).Report(b, "speed")
}

// pair reports the times themselves; name is that of the other one.
func pair(b *testing.B, name string, ours, theirs func(n int)) Values {
	b.ResetTimer()
	times := Turns(rounds, max(b.N/rounds, 1), ours, theirs)
	b.ReportMetric(times.Of(0).Median, "trigo-ns/op")
	b.ReportMetric(times.Of(1).Median, name+"-ns/op")
	return times
}

func clock() time.Duration {
	if byProcessor {
		return processorTime()
	}
	return time.Since(began)
}

var (
	began       = time.Now()
	byProcessor = os.Getenv("TRIGO_BENCH_CPU") != ""
)
