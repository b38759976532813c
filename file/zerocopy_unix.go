//go:build unix

package file

import "golang.org/x/sys/unix"

// awaitsWriter reports whether a FIFO, from which a read has returned nothing, has had
// no writer yet: else it would be hung up.
func awaitsWriter(sysfd int) bool {
	fds := [1]unix.PollFd{{Fd: int32(sysfd), Events: unix.POLLIN}}
	for {
		n, err := unix.Poll(fds[:], 0)
		if err != unix.EINTR {
			return n == 0 && err == nil
		}
	}
}
