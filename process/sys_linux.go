package process

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// peekKeeps: peek leaves the child a zombie.
const peekKeeps = true

// peek asks whether the child pid has ended, and leaves it a zombie.
func peek(pid int) (s Status, exited bool) {
	for {
		var info unix.Siginfo
		err := unix.Waitid(unix.P_PID, pid, &info, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, nil)
		switch {
		case err == unix.EINTR:
			continue
		case err != nil:
			return lostStatus, true
		case info.Signo == 0:
			return Status{}, false
		}
		// si_status follows si_pid and si_uid in the union that is aligned as a
		// pointer is.
		value := *(*int32)(unsafe.Add(unsafe.Pointer(&info), 16+unsafe.Sizeof(uintptr(0))))
		if info.Code == cldExited {
			return Status{Code: int(value)}, true
		}
		return Status{Code: -1, Signal: syscall.Signal(value)}, true
	}
}

const cldExited = 1 // si_code of a child that was not ended by a signal

// reap frees the number of a child that has ended.
func reap(pid int) { wait4(pid, unix.WNOHANG) }

// newPipe returns the two ends of a pipe, for reading and for writing. Both block,
// and neither is inherited.
func newPipe() (ends [2]int, err error) {
	err = unix.Pipe2(ends[:], unix.O_CLOEXEC)
	return ends, err
}
