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
)

// eachLine calls line for every contestant. Its name is that of the row, with the
// mark late if the row falls short, and stands in the first line of the row only;
// who has the mark fewer if that peer gives fewer guarantees.
func eachLine(results []rows.Result, late, fewer string, line func(name, who string, r rows.Result, f rows.Figures)) {
	for _, r := range results {
		name := r.Name
		if r.Late() {
			name = late + name
		}
		for _, f := range r.Contestants {
			who := f.Name
			if f.Fewer {
				who += fewer
			}
			line(name, who, r, f)
			name = ""
		}
	}
}

// printTable prints a line for each contestant of each row. A row that falls
// short has an exclamation mark.
func printTable(w io.Writer, results []rows.Result) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "work\tby\t"+strings.Join(columns, "\t"))
	eachLine(results, "! ", " *", func(name, who string, r rows.Result, f rows.Figures) {
		if f.Skipped != "" {
			fmt.Fprintf(t, "%s\t%s\tskipped: %s\n", name, who, f.Skipped)
		} else {
			fmt.Fprintf(t, "%s\t%s\t%s\n", name, who, strings.Join(cells(r, f), "\t"))
		}
	})
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprint(w, "\n", legend, "\n")
	return err
}

// markdown returns the same as a table of Markdown.
func markdown(heading string, results []rows.Result) string {
	var b strings.Builder
	b.WriteString(heading + "\n\n| work | by | " + strings.Join(columns, " | ") + " |\n")
	b.WriteString("|---|---|" + strings.Repeat("--:|", len(columns)) + "\n")
	eachLine(results, "**!** ", " \\*", func(name, who string, r rows.Result, f rows.Figures) {
		c := cells(r, f)
		if f.Skipped != "" {
			who += ", skipped: " + f.Skipped
			c = make([]string, len(columns))
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", name, who, strings.Join(c, " | "))
	})
	b.WriteString("\n" + strings.Replace(legend, "*", "\\*", 1) + "\n")
	return b.String()
}

// The lines of a document between which the table stands.
const (
	tableBegins = "<!-- the table begins -->\n"
	tableEnds   = "<!-- the table ends -->\n"
)

// insert replaces what a document has between the markers.
func insert(file, text string) error {
	old, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	before, rest, begins := strings.Cut(string(old), tableBegins)
	_, after, ends := strings.Cut(rest, tableEnds)
	if !begins || !ends {
		return fmt.Errorf("%s lacks the markers of a table", file)
	}
	return os.WriteFile(file, []byte(before+tableBegins+text+tableEnds+after), 0o644)
}

var columns = []string{"median", "allocs", "trigo's part", "promised", "quartiles", "min to max"}

const legend = "* gives fewer guarantees than trigo; trigo's part: its value divided by that of this line, below 1 is better; promised: what it must not exceed"

// cells are what the columns say of a contestant.
func cells(r rows.Result, f rows.Figures) []string {
	c := make([]string, len(columns))
	if f.Value == nil {
		return c
	}
	c[0] = value(f.Value.Median, r.Unit)
	if f.Allocs != nil {
		c[1] = fmt.Sprintf("%.1f", *f.Allocs)
	}
	if s := f.Ratio; s != nil {
		c[2] = fmt.Sprintf("%.3f", s.Median)
		c[4] = fmt.Sprintf("%.2f to %.2f", s.Q1, s.Q3)
		c[5] = fmt.Sprintf("%.2f to %.2f", s.Min, s.Max)
	}
	if f.Limit > 0 {
		c[3] = fmt.Sprintf("%.2f", f.Limit)
	}
	return c
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
	if v < 1000 {
		return fmt.Sprintf("%.1f %s", v, unit)
	}
	return fmt.Sprintf("%.0f %s", v, unit)
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
