//go:build !unix

package netstream

import (
	"errors"
	"syscall"
)

// isStillborn reports whether err is about a connection that was lost before
// it was accepted and says nothing about the listener.
func isStillborn(err error) bool {
	return errors.Is(err, syscall.ECONNABORTED) || errors.Is(err, syscall.ECONNRESET)
}
