//go:build unix && !(linux && (amd64 || arm64) && !race && !msan && !asan)

package pollio

import "syscall"

func (fd *FD) sysRead(sysfd int, p []byte) (int, error)  { return syscall.Read(sysfd, p) }
func (fd *FD) sysWrite(sysfd int, p []byte) (int, error) { return syscall.Write(sysfd, p) }

// Receive receives from a socket and does not wait. It is for the op of a ReadOp.
func Receive(sysfd int, p []byte) (int, error) { return syscall.Read(sysfd, p) }
