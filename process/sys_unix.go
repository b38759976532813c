//go:build unix

package process

import (
	"errors"
	"io"
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"trigo/internal/pollio"
)

// kill sends sig to the process pid, or to the group -pid.
func kill(pid int, sig os.Signal) error {
	s, ok := sig.(syscall.Signal)
	if !ok {
		return errors.ErrUnsupported
	}
	return syscall.Kill(pid, s)
}

// wait4 asks for the end of the child pid.
func wait4(pid, options int) (s Status, exited bool) {
	var ws syscall.WaitStatus
	for {
		got, err := syscall.Wait4(pid, &ws, options, nil)
		switch {
		case err == syscall.EINTR:
			continue
		case err != nil:
			return lostStatus, true
		case got != pid:
			return Status{}, false
		case ws.Signaled():
			return Status{Code: -1, Signal: ws.Signal()}, true
		}
		return Status{Code: ws.ExitStatus()}, true
	}
}

// lostStatus is that of a child that somebody else has reaped: the system, if
// SIGCHLD is ignored.
var lostStatus = Status{Code: -1, Unknown: true}

// readNow reads what is there. n is 0 when there is nothing; the end is io.EOF.
func readNow(fd *pollio.FD, p []byte) (n int, err error) {
	raw, err := fd.Source().SyscallConn()
	if err != nil {
		return 0, err
	}
	var readErr error
	err = raw.Control(func(sysfd uintptr) {
		for {
			n, readErr = unix.Read(int(sysfd), p)
			if readErr != unix.EINTR {
				return
			}
		}
	})
	switch {
	case err != nil:
		return 0, err
	case readErr == unix.EAGAIN:
		return 0, nil
	case readErr != nil:
		return 0, readErr
	case n == 0:
		return 0, io.EOF
	}
	return n, nil
}

// isHangup reports whether err is what a terminal says when nobody has its other
// side open any more.
func isHangup(err error) bool { return errors.Is(err, unix.EIO) }

// isTerminal reports whether f is one.
func isTerminal(f *os.File) bool {
	raw, err := f.SyscallConn()
	if err != nil {
		return false
	}
	is := false
	raw.Control(func(fd uintptr) {
		_, err := unix.IoctlGetWinsize(int(fd), unix.TIOCGWINSZ)
		is = err == nil
	})
	return is
}
