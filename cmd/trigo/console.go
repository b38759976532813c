package main

import (
	"fmt"
	"io"
	"sync"
)

// console is standard error. Lines go out whole, whoever writes them, and a
// meter that is being shown makes room for them.
type console struct {
	mu     sync.Mutex
	w      io.Writer
	status bool // the meter's line is being shown
}

func newConsole(w io.Writer) *console { return &console{w: w} }

// printf writes one line.
func (c *console) printf(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.clear()
	fmt.Fprintf(c.w, format+"\n", args...)
}

// fail reports a failure: one line, and a second one if something may help.
// subject says whose it was, and may be empty.
func (c *console) fail(subject string, f *failure) {
	if f.hint != "" {
		c.printf("trigo: %s%v\n  hint: %s", subject, f, f.hint)
	} else {
		c.printf("trigo: %s%v", subject, f)
	}
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
