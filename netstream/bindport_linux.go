package netstream

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// bindWithoutPort leaves the choice of the local port to connect(2), which may
// use one port towards many peers. bind(2) would take a port for itself alone,
// and there are only some 28000 of them. Old kernels lack the option and work.
func bindWithoutPort(network, address string, c syscall.RawConn) error {
	return c.Control(func(fd uintptr) {
		unix.SetsockoptInt(int(fd), unix.SOL_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1)
	})
}
