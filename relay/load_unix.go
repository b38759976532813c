//go:build unix

package relay

import (
	"golang.org/x/sys/unix"

	"trigo/internal/pollio"
)

// canRead: a receive can be a system call of ours.
const canRead = true

func sysRead(fd int, p []byte) (int, error) {
	for {
		n, err := unix.Read(fd, p)
		if err != unix.EINTR {
			return n, err
		}
	}
}

// readFrom reads from the source. Sockets have a faster way for little.
func (p *pump) readFrom(fd int, b []byte) (int, error) {
	for !p.noSocket {
		n, err := pollio.Receive(fd, b)
		switch err {
		case unix.EINTR:
		case unix.ENOTSOCK:
			p.noSocket = true
		default:
			return n, err
		}
	}
	return sysRead(fd, b)
}
