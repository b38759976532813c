//go:build !unix

package netstream

// acceptConn is the option that tells whether a socket listens.
const acceptConn = 0x2
