package relay

import (
	"context"
	"net"
	"time"

	"golang.org/x/sys/unix"

	"trigo"
)

// flush waits until the kernel has delivered what it was given to send, because
// the reset that follows would drop it. Other transports have nothing like it.
//
// The kernel tells how much is left but not when that becomes nothing, so it is
// asked again and again, ever more slowly.
func flush(ctx context.Context, s trigo.Stream) {
	tcp, ok := trigo.As[*net.TCPConn](s)
	if !ok {
		return
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return
	}
	for wait := time.Millisecond; ctx.Err() == nil; wait = min(2*wait, 50*time.Millisecond) {
		left := 0
		err := raw.Control(func(fd uintptr) {
			info, err := unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO)
			if err != nil || info.State == tcpClose {
				return // reset: what is left stays left
			}
			left, _ = unix.IoctlGetInt(int(fd), unix.SIOCOUTQ)
		})
		if err != nil || left == 0 {
			return
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
	}
}

const tcpClose = 7 // TCP_CLOSE of the kernel's include/net/tcp_states.h
