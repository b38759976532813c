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
	past     reading
}

// reading is what the counters say at a time.
type reading struct {
	at                   time.Time
	ab, ba               int64
	abSending, baSending time.Duration
}

func (m *meter) read(now time.Time) reading {
	r := reading{at: now, ab: m.counters.AToB.Load(), ba: m.counters.BToA.Load()}
	r.abSending, r.baSending = m.counters.Sending()
	return r
}

// limiting names the side that the busier direction has mostly waited for since an
// earlier reading, and how: "b (write)". It is empty if nothing moved and nobody waits
// to send: then there may be nothing to do.
func (r reading) limiting(past reading) string {
	moved, sending, source, sink := r.ab-past.ab, r.abSending-past.abSending, "a (read)", "b (write)"
	back, backSending := r.ba-past.ba, r.baSending-past.baSending
	if back > moved || back == moved && backSending > sending {
		moved, sending, source, sink = back, backSending, "b (read)", "a (write)"
	}
	switch {
	case sending > r.at.Sub(past.at)/2:
		return sink
	case moved > 0:
		return source
	}
	return ""
}

func (m *meter) run(ctx context.Context) error {
	every := 200 * time.Millisecond
	if m.style != "line" {
		every = time.Second
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	m.past = reading{at: m.began}
	for {
		select {
		case <-ctx.Done():
			if m.style == "line" {
				m.out.show("")
			}
			return nil
		case now := <-tick.C:
			r := m.read(now)
			switch m.style {
			case "line":
				m.out.show(m.line(r))
			case "plain":
				fmt.Fprintln(m.out, m.line(r))
			case "json":
				fmt.Fprintf(m.out, `{"sent":%d,"received":%d,"seconds":%.1f,"limiting":%q}`+"\n",
					r.ab, r.ba, now.Sub(m.began).Seconds(), r.limiting(m.past))
			}
			m.past = r
		}
	}
}

// isTerminal reports whether a descriptor is a terminal.
func isTerminal(fd int) bool { return term.IsTerminal(fd) }

// line returns what moved so far, and since the last reading the rates and what has
// limited them.
func (m *meter) line(r reading) string {
	since := r.at.Sub(m.past.at).Seconds()
	line := fmt.Sprintf("a->b %s %s/s | b->a %s %s/s | %s",
		human(r.ab), human(float64(r.ab-m.past.ab)/since),
		human(r.ba), human(float64(r.ba-m.past.ba)/since),
		r.at.Sub(m.began).Round(100*time.Millisecond))
	if who := r.limiting(m.past); who != "" {
		line += " | limiting: " + who
	}
	return line
}
