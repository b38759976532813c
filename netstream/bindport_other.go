//go:build !linux

package netstream

import "syscall"

// bindWithoutPort does nothing: there is no such option here.
func bindWithoutPort(network, address string, c syscall.RawConn) error { return nil }
