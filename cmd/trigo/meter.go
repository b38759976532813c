package main

import (
	"context"
	"fmt"
	"syscall"
	"time"

	"trigo/nursery"
	"trigo/relay"
)

// withMeter calls f and shows meanwhile how many bytes have moved: on a
// terminal one line that changes, with --progress plain a line every second.
func withMeter(ctx context.Context, out *console, style string, counters *relay.Counters, f func(ctx context.Context) error) error {
	if style == "off" {
		return f(ctx)
	}
	m := meter{out: out, counters: counters, plain: style == "plain", began: time.Now()}
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
	plain    bool
	began    time.Time
	last     time.Time
	ab, ba   int64 // at that time
}

func (m *meter) run(ctx context.Context) error {
	every := 200 * time.Millisecond
	if m.plain {
		every = time.Second
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	m.last = m.began
	for {
		select {
		case <-ctx.Done():
			if !m.plain {
				m.out.show("")
			}
			return nil
		case now := <-tick.C:
			if line := m.line(now); m.plain {
				m.out.printf("%s", line)
			} else {
				m.out.show(line)
			}
		}
	}
}

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
