package trigo

import "syscall"

// Winsock's own numbers, which package syscall does not name.
var capacityErrors = []error{
	syscall.Errno(10024), // WSAEMFILE
	syscall.Errno(10055), // WSAENOBUFS
	syscall.Errno(8),     // WSA_NOT_ENOUGH_MEMORY
}
