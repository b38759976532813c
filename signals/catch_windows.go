package signals

import (
	"errors"
	"os"
	"syscall"
)

// catchable returns the number of sig. Windows has only these: the one when
// Ctrl-C or Ctrl-Break is pressed, the other when the console is closed.
func catchable(sig os.Signal) (syscall.Signal, error) {
	if sig == os.Interrupt || sig == syscall.SIGTERM {
		return sig.(syscall.Signal), nil
	}
	return 0, errors.ErrUnsupported
}

// raise is not possible: an event can be sent only to all the processes of a
// console.
func raise(syscall.Signal) error { return errors.ErrUnsupported }
