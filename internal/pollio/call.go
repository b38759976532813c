package pollio

import (
	"context"
	"sync"
	"syscall"
)

// call is what one call under way needs: a Read, a Write or an op. They are
// pooled, with the closure that the runtime's interface wants, so that a call
// allocates nothing and a descriptor that nobody uses keeps nothing. Whoever waits
// holds one.
type call struct {
	h       *half
	ctx     context.Context
	op      func(sysfd int) error    // nil: a Read or Write
	buf     []byte                   // what was read; what is still to be written
	err     error                    // of the last attempt
	attempt func(sysfd uintptr) bool // what try returns
	once    bool                     // one attempt, and no wait
}

var calls = sync.Pool{New: func() any {
	c := new(call)
	c.attempt = c.try()
	return c
}}

// run tries, in the runtime's wait loop, until that need not wait. It leaves the
// loop to register the ctx: see the essay on the package.
func (c *call) run() (err error) {
	h := c.h
	before := h.done
	for {
		if h.writing() {
			err = h.fd.raw.Write(c.attempt)
		} else {
			err = h.fd.raw.Read(c.attempt)
		}
		if err != nil || !isAgain(c.err) {
			break
		}
		h.register(c.ctx)
	}
	if err == nil {
		err = c.err
	}
	if err == nil && before == h.done {
		return nil // as settle would find
	}
	return h.settle(c.ctx, before, err)
}

// try returns a function that makes one attempt and reports whether the loop is to be
// left: when that was final, or the ctx has to be registered. If it is not, the
// runtime parks the goroutine next.
func (c *call) try() func(sysfd uintptr) bool {
	return func(sysfd uintptr) bool {
		switch {
		case c.op != nil:
			c.err = c.op(int(sysfd))
		case c.h.writing():
			c.err = c.write(int(sysfd))
		default:
			c.err = c.read(int(sysfd))
		}
		if !isAgain(c.err) || c.once || c.h.outside(c.ctx) {
			return true
		}
		c.h.register(c.ctx)
		return false
	}
}

// isAgain reports whether err is errAgain. To compare the two takes twice as long.
func isAgain(err error) bool {
	errno, ok := err.(syscall.Errno)
	return ok && errno == errAgain
}

// end gives the half back, and the call too.
func (c *call) end() {
	h := c.h
	*c = call{attempt: c.attempt}
	calls.Put(c)
	h.end()
}
