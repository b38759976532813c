//go:build unix

package file

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// nonblocking is the flag with which open(2) waits for nobody.
const nonblocking = syscall.O_NONBLOCK

// flagsOf asks what f was opened for.
func flagsOf(f *os.File) (flag int, err error) {
	raw, err := f.SyscallConn()
	if err != nil {
		return 0, err
	}
	gone := raw.Control(func(fd uintptr) { flag, err = unix.FcntlInt(fd, unix.F_GETFL, 0) })
	if gone != nil {
		err = gone
	}
	return flag, err
}
