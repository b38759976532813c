package netstream

import (
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"trigo"
)

// socketOption returns a socket option of type int.
func socketOption(t *testing.T, c syscall.Conn, level, option int) (value int) {
	t.Helper()
	control(t, c, func(fd int) (err error) {
		value, err = unix.GetsockoptInt(fd, level, option)
		return err
	})
	return value
}

func control(t *testing.T, c syscall.Conn, f func(fd int) error) {
	t.Helper()
	raw, err := c.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var failed error
	if err := raw.Control(func(fd uintptr) { failed = f(int(fd)) }); err != nil {
		t.Fatal(err)
	}
	if failed != nil {
		t.Fatal(failed)
	}
}

// The kernel tells the backlog of a listening TCP socket where it tells the
// lost segments of others.
func TestBacklogOfTheKernel(t *testing.T) {
	limit := backlog(t, nil)
	if limit <= 100 {
		t.Skipf("the limit of the kernel is only %d", limit)
	}
	for n, want := range map[int]int{0: limit, 1: 1, 10: 10, 99999999: limit} {
		if got := backlog(t, &ListenOptions{Backlog: n}); got != want {
			t.Errorf("a backlog of %d is %d in the kernel, want %d", n, got, want)
		}
	}
}

func backlog(t *testing.T, opts *ListenOptions) (n int) {
	l := listenOne(t, "127.0.0.1:0", opts)
	src, _ := trigo.As[syscall.Conn](l)
	control(t, src, func(fd int) error {
		info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
		if err == nil {
			n = int(info.Sacked)
		}
		return err
	})
	return n
}
