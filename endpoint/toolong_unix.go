//go:build unix

package endpoint

import (
	"errors"
	"syscall"
)

// isTooLong reports whether a datagram was refused because of its length.
func isTooLong(err error) bool { return errors.Is(err, syscall.EMSGSIZE) }
