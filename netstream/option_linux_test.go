package netstream

import (
	"testing"

	"golang.org/x/sys/unix"
)

// tcpOption reads a socket option of s.
func tcpOption(t *testing.T, s *Stream, name string) (value int) {
	t.Helper()
	option := map[string]int{"TCP_NODELAY": unix.TCP_NODELAY, "TCP_NOTSENT_LOWAT": unix.TCP_NOTSENT_LOWAT}[name]
	raw, err := s.conn().SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	err2 := raw.Control(func(fd uintptr) {
		value, err = unix.GetsockoptInt(int(fd), unix.IPPROTO_TCP, option)
	})
	if err != nil || err2 != nil {
		t.Fatal(err, err2)
	}
	return value
}
