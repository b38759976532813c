//go:build linux && (amd64 || arm64) && !race && !msan && !asan

package pollio

import (
	"syscall"
	"unsafe"
)

// A system call tells the scheduler before and after, because it might block;
// that costs about as much as all the rest of a small read. Calls on sockets
// with MSG_DONTWAIT cannot block, whatever another holder of the descriptor
// has done to its flags, and a short one is over before the scheduler would
// have cared. So these are made without telling it. Longer ones could hold up
// a garbage collection, and pay.
//
// The sanitizers need to see what the kernel writes: with them, and elsewhere,
// it is the ordinary calls (sys_other.go).

// maxSilent is the most bytes copied without telling the scheduler: a few
// microseconds' worth.
const maxSilent = 16 << 10

// Receive receives from a socket and does not wait. It is for the op of a ReadOp.
func Receive(sysfd int, p []byte) (int, error) {
	if len(p) > maxSilent {
		return syscall.Read(sysfd, p)
	}
	n, _, errno := syscall.RawSyscall6(syscall.SYS_RECVFROM, uintptr(sysfd),
		uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), syscall.MSG_DONTWAIT, 0, 0)
	return result(n, errno)
}

// send sends to a socket and does not wait.
func send(sysfd int, p []byte) (int, error) {
	if len(p) > maxSilent {
		return syscall.Write(sysfd, p)
	}
	n, _, errno := syscall.RawSyscall6(syscall.SYS_SENDTO, uintptr(sysfd),
		uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), syscall.MSG_DONTWAIT|syscall.MSG_NOSIGNAL, 0, 0)
	return result(n, errno)
}

func result(n uintptr, errno syscall.Errno) (int, error) {
	switch errno {
	case 0:
		return int(n), nil
	case syscall.EAGAIN:
		return 0, errAgain // a constant: no allocation
	case syscall.EINTR:
		return 0, syscall.EINTR
	}
	return 0, errno
}
