package signals

import (
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// raise sends n to this very thread, so that it has been delivered when the
// system call returns. Sent to the process it might come a little later, on
// another thread.
func raise(n syscall.Signal) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	return unix.Tgkill(unix.Getpid(), unix.Gettid(), n)
}

const lastNumber = 64

// reserved reports whether n belongs to the C library, and the Go runtime does
// not pass it on.
func reserved(n syscall.Signal) bool { return 32 <= n && n <= 34 }
