//go:build unix && !linux

package signals

import "syscall"

// raise sends n to this process.
func raise(n syscall.Signal) error { return syscall.Kill(syscall.Getpid(), n) }

const lastNumber = 31

func reserved(syscall.Signal) bool { return false }
