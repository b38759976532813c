package fault

import (
	"fmt"
	"strings"
)

// A Count is how often a planned fault has fired.
type Count struct {
	Fault string // as in the plan: "reset@1MB"
	Fired int64
}

// Report returns how often each fault of the plan has fired, in the order of
// [Plan.String]. It may be called at any time.
func (s *Stream) Report() Report {
	var r Report
	seen := make(map[string]bool)
	for _, f := range s.plan.faults() {
		if !seen[f] {
			r = append(r, Count{f, s.fired[f].Load()})
		}
		seen[f] = true
	}
	return r
}

// A Report is how often each fault has fired.
type Report []Count

// String returns "delay=20ms: 12 times, reset@1MB: never".
func (r Report) String() string {
	items := make([]string, len(r))
	for i, c := range r {
		switch c.Fired {
		case 0:
			items[i] = c.Fault + ": never"
		case 1:
			items[i] = c.Fault + ": once"
		default:
			items[i] = fmt.Sprintf("%s: %d times", c.Fault, c.Fired)
		}
	}
	return strings.Join(items, ", ")
}

// Never returns the faults that none of the streams has met.
func Never(streams ...*Stream) []string {
	var order []string
	total := make(map[string]int64)
	for _, s := range streams {
		for _, c := range s.Report() {
			if _, known := total[c.Fault]; !known {
				order = append(order, c.Fault)
			}
			total[c.Fault] += c.Fired
		}
	}
	var never []string
	for _, f := range order {
		if total[f] == 0 {
			never = append(never, f)
		}
	}
	return never
}
