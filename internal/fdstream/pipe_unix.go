//go:build unix

package fdstream

import (
	"errors"
	"syscall"
)

// isPipe reports whether err says only that nobody reads what we send: EPIPE, and of
// shutdown(2) ENOTCONN. The peer may still have ended its own half properly.
func isPipe(err error) bool {
	return errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ENOTCONN)
}
