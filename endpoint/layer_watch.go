package endpoint

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"

	"trigo"
	"trigo/internal/fault"
	"trigo/internal/wrap"
)

// over returns the part of a layer that only has to be put on.
func over(put func(below trigo.Stream) trigo.Stream) *part {
	return &part{wrap: func(_ context.Context, below trigo.Stream) (trigo.Stream, error) { return put(below), nil }}
}

var rateKind = &kind{
	Kind: Kind{
		Name: "rate", Form: "rate=10MB/s", Role: Wraps, Argument: "RATE",
		Help: "limits how fast bytes move, in each direction",
		Options: []Option{
			{Key: "burst", Type: Size, Help: "what may move at once after a pause"},
		},
	},
	sep:   "=",
	below: "tcp:HOST:PORT",
	parse: func(argument string) (string, error) {
		_, err := parseRate(argument)
		return argument, err
	},
	prepare: func(s *setup) (*part, error) {
		rate, _ := parseRate(s.argument)
		return over(func(below trigo.Stream) trigo.Stream { return wrap.Rate(below, rate, s.size("burst")) }), nil
	},
}

var tapKind = &kind{
	Kind: Kind{
		Name: "tap", Form: "tap[=text|hex]", Role: Wraps, Argument: "[text|hex]",
		Help: "shows what passes",
	},
	sep:   "=",
	below: "tcp:HOST:PORT",
	parse: func(argument string) (string, error) {
		o := Option{Type: Enum, Choices: []string{"text", "hex"}}
		return argument, o.check(argument)
	},
	prepare: func(s *setup) (*part, error) {
		w := s.opts.Tap
		if w == nil {
			w = os.Stderr
		}
		shared := &lockedWriter{w: w}
		return over(func(below trigo.Stream) trigo.Stream {
			return wrap.Tap(below, shared, &wrap.TapOptions{Hex: s.argument == "hex", Name: describe(below)})
		}), nil
	},
}

// lockedWriter lets many connections write.
type lockedWriter struct {
	mu sync.Mutex
	w  interface{ Write([]byte) (int, error) }
}

func (l *lockedWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}

var countKind = &kind{
	Kind:  Kind{Name: "count", Form: "count", Role: Wraps, Help: "counts the bytes that pass at this place"},
	below: "tcp:HOST:PORT",
	prepare: func(*setup) (*part, error) {
		return over(func(below trigo.Stream) trigo.Stream { return wrap.Count(below) }), nil
	},
}

// timeKind returns a kind whose argument is a duration.
func timeKind(name, help string, put func(below trigo.Stream, s *setup) trigo.Stream) *kind {
	return &kind{
		Kind:  Kind{Name: name, Form: name + "=5m", Role: Wraps, Argument: "DURATION", Help: help},
		sep:   "=",
		below: "tcp:HOST:PORT",
		parse: func(argument string) (string, error) {
			_, err := parseDuration(argument)
			return argument, err
		},
		prepare: func(s *setup) (*part, error) {
			return over(func(below trigo.Stream) trigo.Stream { return put(below, s) }), nil
		},
	}
}

var idleKind = timeKind("idle", "breaks the stream after a silence in both directions", func(below trigo.Stream, s *setup) trigo.Stream {
	d, _ := parseDuration(s.argument)
	return wrap.Idle(below, d)
})

var lifeKind = timeKind("life", "breaks the stream after a time, whatever happens on it", func(below trigo.Stream, s *setup) trigo.Stream {
	d, _ := parseDuration(s.argument)
	return wrap.Life(below, d)
})

var faultKind = &kind{
	Kind: Kind{
		Name: "fault", Form: "fault", Role: Wraps,
		Help: "makes the stream misbehave to a plan, for tests",
		Options: append([]Option{
			{Key: "seed", Type: Int, Help: "what is left to chance depends on it"},
			{Key: "delay", Type: Duration, Help: "before each call that moves bytes"},
			{Key: "jitter", Type: Duration, Help: "up to so much more, by chance"},
			{Key: "chunk", Type: Text, Help: "so many bytes at a time: N, or N-M by chance"},
			{Key: "bandwidth", Type: Rate, Help: "in each direction"},
		}, faultPlaces()...),
	},
	below: "tcp:HOST:PORT",
	check: func(l Layer, _ []Layer) *Error {
		if len(l.settings) == 0 {
			return mistake("fault", "", "such as fault,seed=7,delay=20ms,reset@1MB", "it has no plan")
		}
		if l.refers() {
			return nil
		}
		if _, err := fault.Parse(l.plan(nil)); err != nil {
			return mistake("fault", "", "such as fault,seed=7,chunk=1-1400,delay=20ms,reset@1MB", "%w", err)
		}
		return nil
	},
	prepare: func(s *setup) (*part, error) {
		plan, err := fault.Parse(s.plan(s.values))
		if err != nil {
			return nil, err
		}
		return over(func(below trigo.Stream) trigo.Stream { return plan.Wrap(below) }), nil
	},
}

// faultPlaces are the faults that come at a place, in either direction or one.
func faultPlaces() []Option {
	var all []Option
	for _, direction := range []string{"", "send.", "receive."} {
		for _, o := range []Option{
			{Key: "stall@", Help: "after so many bytes nothing moves any more"},
			{Key: "reset@", Help: "after so many bytes the connection is reset"},
			{Key: "cut@", Help: "after so many bytes it ends too early"},
			{Key: "flip@", Help: "the byte at this place is turned over"},
		} {
			o.Key, o.Type, o.List = direction+o.Key, Place, true
			all = append(all, o)
		}
	}
	return all
}

// refers reports whether a value is to be looked up elsewhere.
func (l Layer) refers() bool {
	for _, s := range l.settings {
		if s.Value.Source != Literal {
			return true
		}
	}
	return false
}

// plan writes the settings as package fault wants them. Its sizes are whole numbers
// with its own units, so they are written in bytes.
func (l Layer) plan(values map[string][]string) string {
	var items []string
	next := make(map[string]int)
	for _, s := range l.settings {
		text := s.Value.Text
		if values != nil {
			text = values[s.Key][next[s.Key]]
			next[s.Key]++
		}
		switch s.option.Type {
		case Place:
			n, _ := ParseSize(text)
			items = append(items, fmt.Sprintf("%s%d", s.Key, n))
		case Rate:
			n, _ := parseRate(text)
			items = append(items, fmt.Sprintf("%s=%d/s", s.Key, n))
		default:
			if s.Key == "chunk" {
				text = inBytes(text)
			}
			items = append(items, s.Key+"="+text)
		}
	}
	return strings.Join(items, ",")
}

// inBytes writes the sizes of a range without units.
func inBytes(text string) string {
	sizes := strings.Split(text, "-")
	for i, size := range sizes {
		n, err := ParseSize(size)
		if err != nil {
			return text // for package fault to complain of
		}
		sizes[i] = strconv.FormatInt(n, 10)
	}
	return strings.Join(sizes, "-")
}
