//go:build !linux && !darwin && !freebsd

package endpoint

import (
	"io/fs"
	"os"
)

// isTerminal guesses: a device that is standard input is mostly a terminal.
func isTerminal(fd int) bool {
	info, err := os.Stdin.Stat()
	return err == nil && fd == 0 && info.Mode()&fs.ModeCharDevice != 0
}
