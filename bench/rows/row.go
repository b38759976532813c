// Package rows holds the work that trigo is measured by, and the peers that it
// is measured against.
package rows

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"time"

	"trigo/internal/bench"
)

// Row is one line of the table: one kind of work at one size.
type Row struct {
	Name string // "ping-pong 64 B, 50 connections"
	Unit string // of the values: "" means the time of one unit of work

	// Setup builds what the work needs. The first contestant is trigo.
	Setup func(s *Scope) []Contestant
}

// Contestant does the work of a row in its own way.
type Contestant struct {
	Name string

	// Fewer tells that it gives fewer guarantees than trigo: no ctx for each
	// call, say. What trigo has to reach is a little more modest there.
	Fewer bool

	// Limit is the most that trigo's value may be of this one's, by what is
	// promised; 0 if nothing was.
	Limit float64

	Work    func(n int)    // does n units of work, or
	Measure func() float64 // returns the value itself
	Skip    string         // why it cannot take part here
}

// within returns c with a promise: trigo's value is at most limit of c's.
func (c Contestant) within(limit float64) Contestant {
	c.Limit = limit
	return c
}

// All are the rows, in the order of the table.
func All() []Row {
	return slices.Concat(
		controlRows(), pingPongRows(), bulkRows(), udpRows(), pairRows(), dialRows(), idleRows(),
		tlsRows(), httpRows(), relayRows(), channelRows(), processRows(), fileRows(),
	)
}

// Scope is where the contestants of one row live.
type Scope struct {
	Ctx   context.Context // cancelled at the end of the row
	Short bool            // everything small: a minute in all

	cleanups []func()
}

// newScope returns a scope, and what ends it.
func newScope(ctx context.Context, short bool) (s *Scope, end func()) {
	ctx, cancel := context.WithCancel(ctx)
	s = &Scope{Ctx: ctx, Short: short}
	return s, func() {
		cancel()
		for _, f := range slices.Backward(s.cleanups) {
			f()
		}
	}
}

// Dir returns a new directory that is gone at the end of the row.
func (s *Scope) Dir() string {
	dir := MustGet(os.MkdirTemp("", "bench"))
	s.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// Cleanup calls f at the end of the row, in the reverse order.
func (s *Scope) Cleanup(f func()) { s.cleanups = append(s.cleanups, f) }

// Pick returns the size for this run.
func (s *Scope) Pick(short, full int) int {
	if s.Short {
		return short
	}
	return full
}

// failure is how [Must] ends a row.
type failure struct{ error }

// Must ends the row if err is not nil. It may be called in the goroutine of a
// Setup, a Work or a Measure only.
func Must(err error) {
	if err != nil {
		panic(failure{err})
	}
}

// MustGet is [Must] for a call that returns a value too.
func MustGet[T any](v T, err error) T {
	Must(err)
	return v
}

// Result is what one row came to.
type Result struct {
	Name        string
	Unit        string `json:",omitempty"`
	Contestants []Figures
}

// Figures are those of one contestant.
type Figures struct {
	Name    string
	Fewer   bool          `json:",omitempty"`
	Limit   float64       `json:",omitempty"` // of Ratio; 0 if nothing was promised
	Skipped string        `json:",omitempty"`
	Value   *bench.Spread `json:",omitempty"` // ns a unit of work, or in Unit
	Ratio   *bench.Spread `json:",omitempty"` // of trigo's to this one's, round by round
	Allocs  *float64      `json:",omitempty"` // a unit of work, of this process
}

// Late tells whether trigo falls short: of what is promised, or by more than 5 %
// of the best peer with fewer guarantees, or at all of the best that gives the
// same. What the rounds themselves disagree about by more is not held against
// it.
func (r Result) Late() bool {
	for i, f := range r.Contestants {
		if i == 0 || f.Ratio == nil {
			continue
		}
		limit := 1.0
		switch {
		case f.Limit > 0:
			limit = f.Limit
		case f.Fewer:
			limit = 1.05
		}
		if f.Ratio.Median > limit && f.Ratio.Q1 > min(limit, 1) {
			return true
		}
	}
	return false
}

// Run measures the row.
func (r Row) Run(ctx context.Context, short bool) (result Result, err error) {
	s, end := newScope(ctx, short)
	defer func() {
		switch p := recover().(type) {
		case nil:
		case failure:
			err = fmt.Errorf("%s: %w", r.Name, p.error)
		default:
			panic(p)
		}
		end()
	}()
	all := r.Setup(s)
	result = Result{Name: r.Name, Unit: r.Unit}
	var present []Contestant
	for _, c := range all {
		if c.Skip == "" {
			present = append(present, c)
		}
	}
	var values bench.Values
	var allocs []float64
	switch {
	case len(present) == 0: // the work cannot be done here at all
	case all[0].Skip != "":
		return result, errors.New(r.Name + ": trigo cannot take part")
	default:
		values, allocs = measure(present, short)
	}
	next := 0
	for _, c := range all {
		f := Figures{Name: c.Name, Fewer: c.Fewer, Limit: c.Limit, Skipped: c.Skip}
		if c.Skip == "" {
			value := values.Of(next)
			f.Value = &value
			if next > 0 {
				ratio := values.Ratio(0, next)
				f.Ratio = &ratio
			}
			if allocs != nil {
				f.Allocs = &allocs[next]
			}
			next++
		}
		result.Contestants = append(result.Contestants, f)
	}
	return result, ctx.Err()
}

// measure has the contestants take their turns.
func measure(cs []Contestant, short bool) (values bench.Values, allocs []float64) {
	if cs[0].Measure != nil {
		least, most, budget := 3, 15, 20*time.Second
		if short {
			least, most, budget = 1, 3, time.Second
		}
		start := time.Now()
		measures := make([]func() float64, len(cs))
		for i, c := range cs {
			measures[i] = c.Measure
			c.Measure() // what is slow because it is the first does not count
		}
		rounds := int(budget / time.Since(start))
		return bench.Rounds(min(max(rounds, least), most), measures...), nil
	}
	rounds, target := 100, 30*time.Millisecond
	if short {
		rounds, target = 10, 10*time.Millisecond
	}
	works := make([]func(int), len(cs))
	n := 1
	for i, c := range cs {
		works[i] = c.Work
		n = max(n, fit(c.Work, target/time.Duration(len(cs))))
	}
	for _, c := range cs {
		allocs = append(allocs, allocations(c.Work, n))
	}
	return bench.Turns(rounds, n, works...), allocs
}

// fit returns how many units of work take about as long as target.
func fit(work func(int), target time.Duration) int {
	const most = 1 << 24
	for n := 1; ; n *= 2 {
		start := time.Now()
		work(n)
		took := time.Since(start)
		if took >= target/2 || n >= most {
			return max(1, int(float64(n)*float64(target)/float64(max(took, 1))))
		}
	}
}

// allocations counts those of one unit of work. Whatever else the process does
// meanwhile is in it too.
func allocations(work func(int), n int) float64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	work(n)
	runtime.ReadMemStats(&after)
	return float64(after.Mallocs-before.Mallocs) / float64(n)
}
