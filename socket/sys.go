//go:build linux || darwin || freebsd

package socket

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The system calls. Those that move bytes never block, thanks to MSG_DONTWAIT;
// where that pays, short ones are made without telling the scheduler, for the
// reasons that internal/pollio gives (silent_*.go).

const (
	msgDontWait = unix.MSG_DONTWAIT
	msgTrunc    = unix.MSG_TRUNC
	msgPeek     = unix.MSG_PEEK

	// maxSilent is the most bytes copied without telling the scheduler.
	maxSilent = 16 << 10
)

// recvFrom and sendTo are all of a ping-pong of datagrams. After a system call a
// processor has forgotten where the returns go to, so each call between it and the
// caller costs as much as several elsewhere: there is none here, not even that in
// a method value.

func (t *transfer) recvFrom() func(sysfd int) error {
	return func(sysfd int) error {
		flags := t.flags | msgDontWait
		var name, nameLen unsafe.Pointer
		if t.named {
			t.addr.n = maxSockaddr
			name, nameLen = unsafe.Pointer(&t.addr.buf[0]), unsafe.Pointer(&t.addr.n)
		}
		for {
			var n uintptr
			var errno syscall.Errno
			if silent && len(t.p) <= maxSilent {
				n, _, errno = syscall.RawSyscall6(unix.SYS_RECVFROM, uintptr(sysfd), uintptr(unsafe.Pointer(unsafe.SliceData(t.p))),
					uintptr(len(t.p)), uintptr(flags), uintptr(name), uintptr(nameLen))
			} else {
				n, _, errno = unix.Syscall6(unix.SYS_RECVFROM, uintptr(sysfd), uintptr(unsafe.Pointer(unsafe.SliceData(t.p))),
					uintptr(len(t.p)), uintptr(flags), uintptr(name), uintptr(nameLen))
			}
			if errno != syscall.EINTR {
				t.n = int(n)
				return t.outcome(errno)
			}
		}
	}
}

func (t *transfer) sendTo() func(sysfd int) error {
	return func(sysfd int) error {
		flags := t.flags | msgDontWait | msgNoSignal
		var name unsafe.Pointer
		var nameLen uint32
		if t.named {
			name, nameLen = unsafe.Pointer(&t.addr.buf[0]), t.addr.n
		}
		for {
			var n uintptr
			var errno syscall.Errno
			if silent && len(t.p) <= maxSilent {
				n, _, errno = syscall.RawSyscall6(unix.SYS_SENDTO, uintptr(sysfd), uintptr(unsafe.Pointer(unsafe.SliceData(t.p))),
					uintptr(len(t.p)), uintptr(flags), uintptr(name), uintptr(nameLen))
			} else {
				n, _, errno = unix.Syscall6(unix.SYS_SENDTO, uintptr(sysfd), uintptr(unsafe.Pointer(unsafe.SliceData(t.p))),
					uintptr(len(t.p)), uintptr(flags), uintptr(name), uintptr(nameLen))
			}
			if errno != syscall.EINTR {
				t.n = int(n)
				return t.outcome(errno)
			}
		}
	}
}

func recvmsg(sysfd int, h *unix.Msghdr, flags int) (int, syscall.Errno) {
	n, _, errno := unix.Syscall(unix.SYS_RECVMSG, uintptr(sysfd), uintptr(unsafe.Pointer(h)), uintptr(flags))
	return count(n, errno)
}

func sendmsg(sysfd int, h *unix.Msghdr, flags int) (int, syscall.Errno) {
	n, _, errno := unix.Syscall(unix.SYS_SENDMSG, uintptr(sysfd), uintptr(unsafe.Pointer(h)), uintptr(flags))
	return count(n, errno)
}

func count(n uintptr, errno syscall.Errno) (int, syscall.Errno) {
	if errno != 0 {
		return 0, errno
	}
	return int(n), 0
}

func asError(errno syscall.Errno) error {
	if errno == 0 {
		return nil
	}
	return errno
}

func sysClose(sysfd int) error { return unix.Close(sysfd) }

func sysBind(sysfd int, to *sockaddr) error {
	_, _, errno := unix.Syscall(unix.SYS_BIND, uintptr(sysfd), uintptr(unsafe.Pointer(&to.buf[0])), uintptr(to.n))
	return asError(errno)
}

func sysConnect(sysfd int, to *sockaddr) error {
	_, _, errno := unix.Syscall(unix.SYS_CONNECT, uintptr(sysfd), uintptr(unsafe.Pointer(&to.buf[0])), uintptr(to.n))
	return asError(errno)
}

func sysListen(sysfd, backlog int) error { return unix.Listen(sysfd, backlog) }

func sysShutdown(sysfd, how int) error { return unix.Shutdown(sysfd, how) }

func sysName(sysfd int, peer bool) (*sockaddr, error) {
	trap := uintptr(unix.SYS_GETSOCKNAME)
	if peer {
		trap = unix.SYS_GETPEERNAME
	}
	sa := &sockaddr{n: maxSockaddr}
	_, _, errno := unix.Syscall(trap, uintptr(sysfd), uintptr(unsafe.Pointer(&sa.buf[0])), uintptr(unsafe.Pointer(&sa.n)))
	return sa, asError(errno)
}

func sysGetsockopt(sysfd, level, opt int, p []byte) (int, error) {
	size := uint32(len(p))
	_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(sysfd), uintptr(level), uintptr(opt),
		uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(unsafe.Pointer(&size)), 0)
	return int(size), asError(errno)
}

func sysSetsockopt(sysfd, level, opt int, p []byte) error {
	_, _, errno := unix.Syscall6(unix.SYS_SETSOCKOPT, uintptr(sysfd), uintptr(level), uintptr(opt),
		uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), 0)
	return asError(errno)
}

func sysDup(sysfd int) (int, error) { return unix.FcntlInt(uintptr(sysfd), unix.F_DUPFD_CLOEXEC, 0) }

// sysPrepare makes a descriptor of somebody else non-blocking and
// close-on-exec.
func sysPrepare(sysfd int) error {
	unix.CloseOnExec(sysfd)
	return unix.SetNonblock(sysfd, true)
}

// sysReady reports, without waiting, whether one of the events is there.
func sysReady(sysfd int, events int16) (bool, error) {
	for {
		fds := [1]unix.PollFd{{Fd: int32(sysfd), Events: events}}
		n, err := unix.Poll(fds[:], 0)
		if err == unix.EINTR {
			continue
		}
		return n > 0, err
	}
}

const (
	pollIn  = unix.POLLIN
	pollOut = unix.POLLOUT

	errInProgress = unix.EINPROGRESS
)

// sysTypeOf asks the kernel for the type of a socket.
func sysTypeOf(sysfd int) (int, error) {
	return unix.GetsockoptInt(sysfd, unix.SOL_SOCKET, unix.SO_TYPE)
}

// sysSocketError takes the error that a socket has stored, if any.
func sysSocketError(sysfd int) error {
	n, err := unix.GetsockoptInt(sysfd, unix.SOL_SOCKET, unix.SO_ERROR)
	if err == nil && n != 0 {
		err = syscall.Errno(n)
	}
	return err
}
