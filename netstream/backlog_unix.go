//go:build unix

package netstream

import (
	"os"
	"syscall"
)

// setBacklog changes the backlog of a listening socket by listening again.
// Package net always asks for the kernel's limit.
func setBacklog(l syscall.Conn, n int) error {
	if n == 0 {
		return nil
	}
	raw, err := l.SyscallConn()
	if err != nil {
		return err
	}
	var listenErr error
	err = raw.Control(func(fd uintptr) { listenErr = syscall.Listen(int(fd), clampBacklog(n)) })
	if err != nil {
		return err
	}
	return os.NewSyscallError("listen", listenErr)
}
