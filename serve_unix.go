//go:build unix

package trigo

import "syscall"

var capacityErrors = []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM}
