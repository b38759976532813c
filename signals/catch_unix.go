//go:build unix

package signals

import (
	"errors"
	"os"
	"syscall"
)

var errUncatchable = errors.New("cannot be caught")

// catchable returns the number of sig, or an error if no program can catch it.
func catchable(sig os.Signal) (syscall.Signal, error) {
	n, ok := sig.(syscall.Signal)
	switch {
	case !ok || n < 1 || n > lastNumber:
		return 0, errors.ErrUnsupported
	case n == syscall.SIGKILL || n == syscall.SIGSTOP || reserved(n):
		return 0, errUncatchable
	}
	return n, nil
}
