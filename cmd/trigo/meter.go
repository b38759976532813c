package main

import (
	"context"
	"fmt"
	"syscall"
	"time"

	"golang.org/x/term"

	"trigo/nursery"
	"trigo/relay"
)

// withMeter calls f and shows meanwhile how many bytes have moved: on a
// terminal one line that changes, else a line or an object every second.
func withMeter(ctx context.Context, out *console, style string, counters *relay.Counters, f func(ctx context.Context) error) error {
	if style == "off" {
		return f(ctx)
	}
	m := meter{out: out, counters: counters, style: style, began: time.Now()}
	return nursery.Run(ctx, func(ctx context.Context, n *nursery.Nursery) error {
		n.Go(m.run)
		defer n.Cancel(nil)
		return f(ctx)
	})
}

// meterStyle decides what --progress auto means. A meter needs a terminal for
// itself: none is shown while standard input or output is a terminal with a
// conversation on it.
func meterStyle(progress string, usesStdio bool) string {
	if progress != "auto" {
		return progress
	}
	conversation := usesStdio && (isTerminal(int(syscall.Stdin)) || isTerminal(int(syscall.Stdout)))
	if conversation || !isTerminal(int(syscall.Stderr)) {
		return "off"
	}
	return "line"
}

type meter struct {
	out      *console
	counters *relay.Counters
	style    string // "line", "plain" or "json"
	began    time.Time
	last     time.Time
	ab, ba   int64 // at that time
}

func (m *meter) run(ctx context.Context) error {
	every := 200 * time.Millisecond
	if m.style != "line" {
		every = time.Second
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	m.last = m.began
	for {
		select {
		case <-ctx.Done():
			if m.style == "line" {
				m.out.show("")
			}
			return nil
		case now := <-tick.C:
			switch m.style {
			case "line":
				m.out.show(m.line(now))
			case "plain":
				fmt.Fprintln(m.out, m.line(now))
			case "json":
				fmt.Fprintf(m.out, `{"sent":%d,"received":%d,"seconds":%.1f}`+"\n",
					m.counters.AToB.Load(), m.counters.BToA.Load(), now.Sub(m.began).Seconds())
			}
		}
	}
}

// isTerminal reports whether a descriptor is a terminal.
func isTerminal(fd int) bool { return term.IsTerminal(fd) }

// line returns what moved so far, and the rates since the last line.
func (m *meter) line(now time.Time) string {
	ab, ba := m.counters.AToB.Load(), m.counters.BToA.Load()
	since := now.Sub(m.last).Seconds()
	line := fmt.Sprintf("a->b %s %s/s | b->a %s %s/s | %s",
		human(ab), human(float64(ab-m.ab)/since),
		human(ba), human(float64(ba-m.ba)/since),
		now.Sub(m.began).Round(100*time.Millisecond))
	m.last, m.ab, m.ba = now, ab, ba
	return line
}
