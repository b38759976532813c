package rows

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"trigo/internal/bench"
)

// TestMain is for the servers, which are this program again.
func TestMain(m *testing.M) {
	ServeIfChild()
	os.Exit(m.Run())
}

func TestLate(t *testing.T) {
	figures := func(fewer bool, q1, median float64) Figures {
		return Figures{Fewer: fewer, Ratio: &bench.Spread{Q1: q1, Median: median}}
	}
	for _, c := range []struct {
		name  string
		limit float64
		peers []Figures
		want  bool
	}{
		{"as fast as a peer with the same guarantees", 0, []Figures{figures(false, 0.9, 1)}, false},
		{"slower than it", 0, []Figures{figures(false, 1.01, 1.02)}, true},
		{"slower than it by what the rounds disagree about", 0, []Figures{figures(false, 0.97, 1.02)}, false},
		{"slower than one with fewer by 5 %", 0, []Figures{figures(true, 1.02, 1.05)}, false},
		{"slower than one with fewer by 6 %", 0, []Figures{figures(true, 1.02, 1.06)}, true},
		{"within what is promised", 1.15, []Figures{figures(true, 1.05, 1.1)}, false},
		{"not within it", 1.03, []Figures{figures(true, 1.01, 1.04)}, true},
		{"not half as slow, as was promised", 0.5, []Figures{figures(true, 0.51, 0.53)}, true},
		{"slower than the second", 0, []Figures{figures(false, 0.5, 0.6), figures(false, 1.1, 1.2)}, true},
		{"a peer that skipped", 0, []Figures{{Skipped: "not here"}}, false},
	} {
		r := Result{Contestants: append([]Figures{{Name: "trigo"}}, c.peers...)}
		r.Contestants[1].Limit = c.limit
		if got := r.Late(); got != c.want {
			t.Errorf("%s: late is %t", c.name, got)
		}
	}
}

func TestRunOfARow(t *testing.T) {
	cleaned := 0
	works := map[string]int{}
	work := func(name string) func(int) {
		return func(n int) {
			works[name] += n
			for start := time.Now(); time.Since(start) < time.Duration(n)*time.Microsecond; {
			}
		}
	}
	row := Row{Name: "row", Setup: func(s *Scope) []Contestant {
		s.Cleanup(func() { cleaned++ })
		return []Contestant{
			{Name: "trigo", Work: work("trigo")},
			{Name: "absent", Skip: "it is not installed"},
			Contestant{Name: "other", Work: work("other"), Fewer: true}.within(2),
		}
	}}
	r, err := row.Run(t.Context(), true)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Contestants) != 3 || r.Contestants[1].Skipped == "" || r.Contestants[1].Value != nil {
		t.Fatalf("%+v", r.Contestants)
	}
	ours, other := r.Contestants[0], r.Contestants[2]
	if ours.Ratio != nil || ours.Value == nil || other.Ratio == nil || other.Allocs == nil || !other.Fewer || other.Limit != 2 {
		t.Errorf("%+v, %+v", ours, other)
	}
	if v := ours.Value.Median; v < 1000 || v > 100_000 {
		t.Errorf("a unit of a microsecond took %v ns", v)
	}
	if cleaned != 1 || works["trigo"] == 0 || works["other"] == 0 {
		t.Errorf("cleaned %d times, works %v", cleaned, works)
	}
}

func TestRunOfARowThatFails(t *testing.T) {
	cleaned := false
	broken := errors.New("broken")
	row := Row{Name: "row", Setup: func(s *Scope) []Contestant {
		s.Cleanup(func() { cleaned = true })
		return []Contestant{{Name: "trigo", Work: func(int) { Must(broken) }}}
	}}
	if _, err := row.Run(context.Background(), true); !errors.Is(err, broken) || !cleaned {
		t.Errorf("%v, cleaned up: %t", err, cleaned)
	}
}

func TestAllocationsAreCounted(t *testing.T) {
	var sink [][]byte
	got := allocations(func(n int) {
		for range n {
			sink = append(sink[:0], make([]byte, 100), make([]byte, 200))
		}
	}, 1000)
	if got < 2 || got > 3 {
		t.Errorf("%v allocations, want 2", got)
	}
	_ = sink
}

func TestNamesAreUnique(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range All() {
		if seen[r.Name] || r.Name == "" {
			t.Errorf("two rows %q", r.Name)
		}
		seen[r.Name] = true
	}
}
