//go:build unix && !linux

package process

import (
	"context"
	"errors"
	"fmt"
)

// withUmask fails: the mask belongs to the whole process.
func withUmask(ctx context.Context, mask int, f func() error) error {
	return fmt.Errorf("umask of a child: %w", errors.ErrUnsupported)
}
