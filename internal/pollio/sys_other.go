//go:build unix && !(linux && (amd64 || arm64) && !race && !msan && !asan)

package pollio

import "syscall"

// Receive receives from a socket and does not wait. It is for the op of a ReadOp.
func Receive(sysfd int, p []byte) (int, error) { return syscall.Read(sysfd, p) }

// send sends to a socket and does not wait.
func send(sysfd int, p []byte) (int, error) { return syscall.Write(sysfd, p) }
