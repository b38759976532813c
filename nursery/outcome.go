package nursery

import (
	"context"
	"runtime"
)

// outcome is how a function ended: with an error or none, in a panic, or by
// runtime.Goexit.
type outcome struct {
	err      error
	panicked *PanicError
	goexit   bool
}

// ender is told how what was watched ended.
type ender interface{ ended(o outcome) }

// watched returns the whole body of a goroutine, because after a Goexit there is
// nothing to return to: it runs f and then tells owner, however f ended. A function
// that was called by the body would be one more on the stack of whoever waits.
func watched(ctx context.Context, f func(context.Context) error, owner ender) func() {
	return func() {
		o := outcome{goexit: true} // until it is known better
		defer func() {
			if o.goexit {
				if value := recover(); value != nil {
					o = outcome{panicked: newPanicError(value)}
				}
			}
			owner.ended(o)
		}()
		o.err = f(ctx)
		o.goexit = false
	}
}

// raise ends the calling goroutine the way the watched one ended, if that was
// abrupt.
func (o outcome) raise() {
	if o.panicked != nil {
		panic(o.panicked)
	}
	if o.goexit {
		runtime.Goexit()
	}
}
