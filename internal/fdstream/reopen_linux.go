package fdstream

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// reopen opens what fd is open on once more, as a description of its own that
// does not block. It fails without /proc, on files of other users, and for a
// pipe without a reader.
func reopen(fd int, dir direction) (int, error) {
	mode := unix.O_RDONLY
	if dir == sends {
		mode = unix.O_WRONLY
	}
	return unix.Open(fmt.Sprintf("/proc/self/fd/%d", fd), mode|unix.O_NONBLOCK|unix.O_CLOEXEC|unix.O_NOCTTY, 0)
}
