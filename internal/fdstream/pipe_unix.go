//go:build unix

package fdstream

import (
	"errors"
	"syscall"
)

// isPipe reports whether err says only that nobody reads what we send. The
// peer may still have ended its own half properly.
func isPipe(err error) bool { return errors.Is(err, syscall.EPIPE) }
