package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"unicode"

	"trigo/endpoint"
	"trigo/netstream"
)

// console is where the tool speaks to people or to their machines: standard
// error, or the log file. Lines go out whole, whoever writes them, and a meter
// that is being shown makes room for them.
type console struct {
	mu     sync.Mutex
	w      io.Writer
	status bool // the meter's line is being shown

	json    *slog.Logger // nil: text
	quiet   count
	verbose count
}

func newConsole(w io.Writer) *console { return &console{w: w} }

// Write writes what is a line already, or several.
func (c *console) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.clear()
	return c.w.Write(p)
}

// asJSON makes every line an object.
func (c *console) asJSON() {
	c.json = slog.New(slog.NewJSONHandler(c, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// say tells text, or text with attrs where machines read.
func (c *console) say(level slog.Level, text string, attrs ...slog.Attr) {
	switch {
	case level >= slog.LevelError && c.quiet > 1,
		level < slog.LevelError && c.quiet > 0:
		return
	case c.json != nil:
		c.json.LogAttrs(context.Background(), level, text, attrs...)
	default:
		fmt.Fprintln(c, text)
	}
}

// notice tells what is no error, unless -q.
func (c *console) notice(text string, attrs ...slog.Attr) { c.say(slog.LevelInfo, text, attrs...) }

// detail tells what only -v wants to know, or -vv if level is 2.
func (c *console) detail(level count, text string, attrs ...slog.Attr) {
	if c.verbose >= level {
		c.say(slog.LevelInfo, text, attrs...)
	}
}

// fail reports a failure: one line, and a second one if something may help.
// subject says whose it was, and may be empty.
func (c *console) fail(subject string, f *failure, attrs ...slog.Attr) {
	if c.json != nil {
		c.say(slog.LevelError, subject+f.Error(), append(attrs, failureAttrs(f)...)...)
		return
	}
	text := oneLine(fmt.Sprintf("trigo: %s%v", subject, f))
	if hint := f.remedy(); hint != "" {
		text += "\n  hint: " + oneLine(hint)
	}
	c.say(slog.LevelError, text)
}

// oneLine makes a line of text that others may have had a hand in: a file's name, a
// peer's answer.
func oneLine(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, text)
}

// failureAttrs takes a failure apart.
func failureAttrs(f *failure) []slog.Attr {
	attrs := []slog.Attr{slog.Int("code", f.code)}
	if f.side != "" {
		attrs = append(attrs, slog.String("side", f.side))
	}
	if hint := f.remedy(); hint != "" {
		attrs = append(attrs, slog.String("hint", hint))
	}
	var elapsed []map[string]any
	if f.report != nil {
		attrs = append(attrs, slog.String("phase", "relay"))
		attrs = append(attrs, reportAttrs(*f.report)...)
		elapsed = append(elapsed, map[string]any{"phase": "relay", "ms": milliseconds(f.report.Duration)})
	}
	var e *endpoint.Error
	if errors.As(f.err, &e) {
		attrs = append(attrs, slog.String("address", e.Text), slog.String("layer", e.Layer), slog.String("phase", string(e.Phase)))
		for _, t := range e.Took {
			elapsed = append(elapsed, map[string]any{"layer": t.Layer, "phase": t.Phase, "ms": milliseconds(t.Duration)})
		}
	}
	if elapsed != nil {
		attrs = append(attrs, slog.Any("elapsed", elapsed))
	}
	var dial *netstream.DialError
	if errors.As(f.err, &dial) {
		var tried []map[string]any
		for _, a := range dial.Report.Attempts {
			tried = append(tried, attemptFields(a))
		}
		attrs = append(attrs, slog.Any("attempts", tried))
	}
	var causes []string
	for err := errors.Unwrap(f.err); err != nil; err = errors.Unwrap(err) {
		causes = append(causes, err.Error())
	}
	return append(attrs, slog.Any("causes", causes))
}

// show shows a line that the next one replaces. Terminals only. An empty line
// takes the last one away.
func (c *console) show(line string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.clear()
	if line != "" {
		fmt.Fprint(c.w, line)
		c.status = true
	}
}

func (c *console) clear() {
	if c.status {
		fmt.Fprint(c.w, "\r\x1b[K")
		c.status = false
	}
}
