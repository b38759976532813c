//go:build unix

package netstream

import (
	"errors"
	"syscall"
)

// isStillborn reports whether err, from accept(2), is about a connection that
// was lost before it was accepted and says nothing about the listener. Linux
// hands pending network errors of the new socket to accept (accept(2), "Error
// handling"); EPERM comes from firewall rules; BSD reports ECONNABORTED, which
// package net already passes over.
func isStillborn(err error) bool {
	var errno syscall.Errno
	return errors.As(err, &errno) && stillborn[errno]
}

var stillborn = map[syscall.Errno]bool{
	syscall.EPERM:           true,
	syscall.ECONNABORTED:    true,
	syscall.EPROTO:          true,
	syscall.ENETDOWN:        true,
	syscall.ENOPROTOOPT:     true,
	syscall.EHOSTDOWN:       true,
	syscall.EHOSTUNREACH:    true,
	syscall.EOPNOTSUPP:      true,
	syscall.ENETUNREACH:     true,
	syscall.ESOCKTNOSUPPORT: true,
	syscall.EPROTONOSUPPORT: true,
	syscall.ETIMEDOUT:       true,
	syscall.ECONNRESET:      true,
}
