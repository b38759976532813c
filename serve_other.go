//go:build !unix && !windows

package trigo

// No sockets, so no lack of them.
var capacityErrors []error
