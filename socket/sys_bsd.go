//go:build darwin || freebsd

package socket

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

const msgCloexec = 0

func bareType(typ int) int { return typ }

// born makes a new descriptor what every socket of this package is from birth.
// The lock keeps a fork from coming in between.
func born(open func() (int, error)) (int, error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	sysfd, err := open()
	if err == nil {
		if err = sysPrepare(sysfd); err != nil {
			unix.Close(sysfd)
		}
	}
	return sysfd, err
}

func sysSocket(family, typ, proto int) (int, error) {
	return born(func() (int, error) { return unix.Socket(family, typ, proto) })
}

func sysPair(family, typ, proto int) (fds [2]int, err error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	if fds, err = unix.Socketpair(family, typ, proto); err != nil {
		return fds, err
	}
	for _, fd := range fds {
		if err := sysPrepare(fd); err != nil {
			unix.Close(fds[0])
			unix.Close(fds[1])
			return fds, err
		}
	}
	return fds, nil
}

// sysAccept does not wait, because the listening socket is non-blocking, and so
// may hold the lock.
func sysAccept(sysfd int, from *sockaddr) (int, error) {
	return born(func() (int, error) {
		from.n = maxSockaddr
		fd, _, errno := unix.Syscall(unix.SYS_ACCEPT, uintptr(sysfd), uintptr(unsafe.Pointer(&from.buf[0])),
			uintptr(unsafe.Pointer(&from.n)))
		return int(fd), asError(errno)
	})
}

// sysSniff asks the kernel what a socket is; the protocol is not to be had
// everywhere.
func sysSniff(sysfd int) (family, typ, proto int, err error) {
	if typ, err = sysTypeOf(sysfd); err != nil {
		return 0, 0, 0, err
	}
	name, err := sysName(sysfd, false)
	if err != nil {
		return 0, 0, 0, err
	}
	return name.family(), typ, 0, nil
}

// mmsghdr is a message with its length, as Linux has it.
type mmsghdr struct {
	Hdr unix.Msghdr
	Len uint32
}

// recvmmsg receives one message after the other until none is there.
func recvmmsg(sysfd int, h []mmsghdr, flags int) (int, syscall.Errno) {
	for i := range h {
		n, errno := recvmsg(sysfd, &h[i].Hdr, flags)
		if errno != 0 {
			if i > 0 {
				errno = 0
			}
			return i, errno
		}
		h[i].Len = uint32(n)
	}
	return len(h), 0
}

func sendmmsg(sysfd int, h []mmsghdr, flags int) (int, syscall.Errno) {
	n, errno := sendmsg(sysfd, &h[0].Hdr, flags)
	h[0].Len = uint32(n)
	return 1, errno
}

// sysSendFile is not used: the call differs from system to system.
func sysSendFile(sysfd, from int, offset *int64, n int) (int, error) { return 0, unix.ENOTSUP }

// truncTells: with MSG_TRUNC among the flags, receiving returns the length of the
// whole datagram.
const truncTells = false
