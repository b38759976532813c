package rows

import (
	"testing"
)

// BenchmarkRow runs each contestant of each row as a Go benchmark, for benchstat
// and for the profiler:
//
//	go test -run '^$' -bench 'Row/TLS_bulk' -cpuprofile cpu.out ./rows
//
// Side by side, and so fit to be compared, they run in the command only.
func BenchmarkRow(b *testing.B) {
	for _, r := range All() {
		b.Run(r.Name, func(b *testing.B) {
			s, end := newScope(b.Context(), true)
			defer end()
			for _, c := range r.Setup(s) {
				b.Run(c.Name, func(b *testing.B) {
					switch {
					case c.Skip != "":
						b.Skip(c.Skip)
					case c.Measure != nil:
						for b.Loop() {
							b.ReportMetric(c.Measure(), r.Unit)
						}
					default:
						b.ReportAllocs()
						c.Work(b.N)
					}
				})
			}
		})
	}
}
