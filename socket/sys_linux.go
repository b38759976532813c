package socket

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	msgNoSignal = unix.MSG_NOSIGNAL
	msgCloexec  = unix.MSG_CMSG_CLOEXEC
)

const bornFlags = unix.SOCK_NONBLOCK | unix.SOCK_CLOEXEC

// bareType takes from a type the flags that can be given along with it.
func bareType(typ int) int { return typ &^ bornFlags }

func sysSocket(family, typ, proto int) (int, error) {
	return unix.Socket(family, typ|bornFlags, proto)
}

func sysPair(family, typ, proto int) ([2]int, error) {
	return unix.Socketpair(family, typ|bornFlags, proto)
}

func sysAccept(sysfd int, from *sockaddr) (int, error) {
	from.n = maxSockaddr
	fd, _, errno := unix.Syscall6(unix.SYS_ACCEPT4, uintptr(sysfd), uintptr(unsafe.Pointer(&from.buf[0])),
		uintptr(unsafe.Pointer(&from.n)), bornFlags, 0, 0)
	return int(fd), asError(errno)
}

// sysSniff asks the kernel what a socket is.
func sysSniff(sysfd int) (family, typ, proto int, err error) {
	if typ, err = sysTypeOf(sysfd); err != nil {
		return 0, 0, 0, err
	}
	if family, err = unix.GetsockoptInt(sysfd, unix.SOL_SOCKET, unix.SO_DOMAIN); err != nil {
		return 0, 0, 0, err
	}
	proto, err = unix.GetsockoptInt(sysfd, unix.SOL_SOCKET, unix.SO_PROTOCOL)
	return family, typ, proto, err
}

type mmsghdr = unix.Mmsghdr

// maxBatch is how many messages the kernel takes at once.
const maxBatch = 1024

func recvmmsg(sysfd int, h []mmsghdr, flags int) (int, syscall.Errno) {
	n, _, errno := unix.Syscall6(unix.SYS_RECVMMSG, uintptr(sysfd), uintptr(unsafe.Pointer(&h[0])),
		uintptr(min(len(h), maxBatch)), uintptr(flags), 0, 0)
	return count(n, errno)
}

func sendmmsg(sysfd int, h []mmsghdr, flags int) (int, syscall.Errno) {
	n, _, errno := unix.Syscall6(unix.SYS_SENDMMSG, uintptr(sysfd), uintptr(unsafe.Pointer(&h[0])),
		uintptr(min(len(h), maxBatch)), uintptr(flags), 0, 0)
	return count(n, errno)
}

// sysSendFile returns EINVAL or the like where the kernel cannot do it with
// these two.
func sysSendFile(sysfd, from int, offset *int64, n int) (int, error) {
	return unix.Sendfile(sysfd, from, offset, n)
}

// truncTells: with MSG_TRUNC among the flags, receiving returns the length of the
// whole datagram.
const truncTells = true
