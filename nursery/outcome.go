package nursery

import "runtime"

// outcome is how a function ended: with an error or none, in a panic, or by
// runtime.Goexit.
type outcome struct {
	err      error
	panicked *PanicError
	goexit   bool
}

// watch runs f and then calls ended, however f ended. It is the whole body of
// a goroutine: after a Goexit there is nothing to return to.
func watch(f func() error, ended func(outcome)) {
	var o outcome
	returned := false
	defer func() {
		if !returned {
			if value := recover(); value != nil {
				o.panicked = newPanicError(value)
			} else {
				o.goexit = true
			}
		}
		ended(o)
	}()
	o.err = f()
	returned = true
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
