//go:build darwin || freebsd

package endpoint

import "golang.org/x/sys/unix"

// isTerminal reports whether a descriptor is that of a terminal.
func isTerminal(fd int) bool {
	_, err := unix.IoctlGetTermios(fd, unix.TIOCGETA)
	return err == nil
}
