package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"text/tabwriter"
	"time"

	"trigo/bench/rows"
	"trigo/internal/bench"
)

// printTable prints a line for each contestant of each row. A row that falls
// short has an exclamation mark.
func printTable(w io.Writer, results []rows.Result) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "work\tby\tmedian\tallocs\ttrigo's part\tmin to max")
	for _, r := range results {
		name := r.Name
		if r.Late() {
			name = "! " + name
		}
		for _, f := range r.Contestants {
			who := f.Name
			if f.Fewer {
				who += " *"
			}
			if f.Skipped != "" {
				fmt.Fprintf(t, "%s\t%s\tskipped: %s\n", name, who, f.Skipped)
			} else {
				fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", name, who, value(f.Value.Median, r.Unit), allocs(f.Allocs), ratio(f.Ratio))
			}
			name = ""
		}
	}
	fmt.Fprintln(t, "\n* gives fewer guarantees than trigo; trigo's part: its value divided by that of this line, below 1 is better")
	return t.Flush()
}

func value(v float64, unit string) string {
	switch unit {
	case "":
		d := time.Duration(v)
		switch {
		case v < 1000:
			return fmt.Sprintf("%.1fns", v)
		case d < time.Millisecond:
			return fmt.Sprintf("%.2fµs", v/1e3)
		case d < time.Second:
			return fmt.Sprintf("%.2fms", v/1e6)
		}
		return d.Round(time.Millisecond).String()
	}
	return fmt.Sprintf("%.0f %s", v, unit)
}

func allocs(a *float64) string {
	if a == nil {
		return ""
	}
	return fmt.Sprintf("%.1f", *a)
}

func ratio(s *bench.Spread) string {
	if s == nil {
		return "\t"
	}
	return fmt.Sprintf("%.3f\t%.2f to %.2f", s.Median, s.Min, s.Max)
}

// machine describes where this ran.
func machine() string {
	model := "unknown processor"
	if info, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(info)) {
			if key, v, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
				model = strings.TrimSpace(v)
				break
			}
		}
	}
	return fmt.Sprintf("%s, %d cores, %s/%s, %s", model, runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version())
}
