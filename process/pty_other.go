//go:build unix && !linux

package process

import (
	"errors"
	"fmt"
	"os"
)

// connectTerminal fails: each system makes terminals in its own way, and only
// Linux's is known here.
func (w *wiring) connectTerminal(size Size, extra []*os.File) error {
	return fmt.Errorf("terminal: %w", errors.ErrUnsupported)
}
