//go:build unix && !linux

package process

import (
	"syscall"

	"golang.org/x/sys/unix"

	"trigo/internal/pollio"
)

// peekKeeps: peek reaps the child.
const peekKeeps = false

// peek asks whether the child pid has ended, and reaps it if so.
func peek(pid int) (s Status, exited bool) { return wait4(pid, unix.WNOHANG) }

func reap(pid int) {}

// wantPidfd: there are none.
func wantPidfd(sys *syscall.SysProcAttr) (adopt func() *pidfd) {
	return func() *pidfd { return nil }
}

// hasLiveMember: who can be signalled counts as alive.
func hasLiveMember(pgid int) bool { return true }

// newPipe returns the two ends of a pipe, for reading and for writing. Both block,
// and neither is inherited: no child is started in between.
func newPipe() (ends [2]int, err error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	if err := unix.Pipe(ends[:]); err != nil {
		return ends, err
	}
	unix.CloseOnExec(ends[0])
	unix.CloseOnExec(ends[1])
	return ends, nil
}

// A relative is a descendant of a child.
type relative struct{ pid int }

// descendants cannot be found.
func descendants(pid int) []relative { return nil }

func (relative) lives() bool { return false }

// holders cannot be found.
func holders(fd *pollio.FD) []relative { return nil }
