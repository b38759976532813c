//go:build !unix

package netstream

import (
	"errors"
	"fmt"
	"syscall"
)

func setBacklog(l syscall.Conn, n int) error {
	if n == 0 {
		return nil
	}
	return fmt.Errorf("choosing a backlog of %d: %w", clampBacklog(n), errors.ErrUnsupported)
}
