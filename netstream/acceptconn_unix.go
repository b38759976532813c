//go:build unix

package netstream

import "golang.org/x/sys/unix"

// acceptConn is the option that tells whether a socket listens.
const acceptConn = unix.SO_ACCEPTCONN
