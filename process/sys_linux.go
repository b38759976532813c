package process

import (
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"trigo/internal/pollio"
)

// noPidfd and noGroupFlag make this the kernel of older days, in tests.
var noPidfd, noGroupFlag atomic.Bool

// peekKeeps: peek leaves the child a zombie.
const peekKeeps = true

// peek asks whether the child pid has ended, and leaves it a zombie.
func peek(pid int) (s Status, exited bool) {
	for {
		var info unix.Siginfo
		err := unix.Waitid(unix.P_PID, pid, &info, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, nil)
		switch {
		case err == unix.EINTR:
			continue
		case err != nil:
			return lostStatus, true
		case info.Signo == 0:
			return Status{}, false
		}
		// si_status follows si_pid and si_uid in the union that is aligned as a
		// pointer is.
		value := *(*int32)(unsafe.Add(unsafe.Pointer(&info), 16+unsafe.Sizeof(uintptr(0))))
		if info.Code == cldExited {
			return Status{Code: int(value)}, true
		}
		return Status{Code: -1, Signal: syscall.Signal(value)}, true
	}
}

const cldExited = 1 // si_code of a child that was not ended by a signal

// reap frees the number of a child that has ended.
func reap(pid int) { wait4(pid, unix.WNOHANG) }

// wantPidfd asks for a pidfd of the child that is started with sys; made with
// the child, it can be of no one else. adopt makes it pollable. It returns nil
// where there are no pidfds.
func wantPidfd(sys *syscall.SysProcAttr) (adopt func() *pollio.FD) {
	if noPidfd.Load() {
		return func() *pollio.FD { return nil }
	}
	fd := -1
	sys.PidFD = &fd
	return func() *pollio.FD {
		if fd < 0 {
			return nil
		}
		if unix.SetNonblock(fd, true) != nil { // which also lets the runtime poll it
			unix.Close(fd)
			return nil
		}
		f := os.NewFile(uintptr(fd), "pidfd")
		p, err := pollio.New(f)
		if err != nil {
			f.Close()
			return nil
		}
		return p
	}
}

// signalProcessGroup is PIDFD_SIGNAL_PROCESS_GROUP.
const signalProcessGroup = 1 << 2

// groupFlagWorks reports whether the kernel can signal a group through a pidfd.
func groupFlagWorks() bool { return !noGroupFlag.Load() && kernelHasGroupFlag() }

var kernelHasGroupFlag = sync.OnceValue(func() bool {
	fd, err := unix.PidfdOpen(os.Getpid(), 0)
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	err = unix.PidfdSendSignal(fd, 0, nil, signalProcessGroup)
	return err == nil || err == unix.ESRCH // that we lead no group does not matter
})

// pidfdKillGroup sends sig to the group that the child of pidfd leads or led.
func pidfdKillGroup(pidfd *pollio.FD, sig os.Signal) error {
	s, ok := sig.(syscall.Signal)
	if !ok {
		return unix.EINVAL
	}
	raw, err := pidfd.Source().SyscallConn()
	if err != nil {
		return unix.ESRCH // closed: the child was released
	}
	killErr := error(unix.ESRCH)
	raw.Control(func(fd uintptr) {
		killErr = unix.PidfdSendSignal(int(fd), s, nil, signalProcessGroup)
	})
	return killErr
}
