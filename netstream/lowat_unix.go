//go:build linux || darwin

package netstream

import "golang.org/x/sys/unix"

// notSentLowat is how much unsent data the kernel may hold before it calls a
// socket not writable. Trio uses the same; far below it, throughput suffers.
const notSentLowat = 16 << 10

// setNotSentLowat is an optimisation: a failure changes nothing but timing.
func setNotSentLowat(c conn) {
	if c.LocalAddr().Network() != "tcp" {
		return
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return
	}
	raw.Control(func(fd uintptr) {
		unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, notSentLowat)
	})
}
