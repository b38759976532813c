package process

import (
	"context"
	"os"
	"syscall"
	"time"
)

// # Ending a whole group
//
// kill(-pgid) is the tool, and its danger is that pgid is a number. When the
// last process of a group is gone, the number is free, and a signal meant for
// stragglers may hit strangers. What keeps the number ours:
//
//   - As long as the leader, our child, is not reaped, the number is taken. Nobody
//     but us reaps it. So while it runs, or is a zombie, kill(-pgid) is safe.
//   - A pidfd names the child and not a number, and from Linux 6.9 on it names the
//     group too: pidfd_send_signal with PIDFD_SIGNAL_PROCESS_GROUP. It is safe
//     also after the leader was reaped, and then it even tells when the group is
//     empty: ESRCH. While the leader is a zombie it is a member like any other.
//
// So where the kernel has the flag, a supervised child is reaped at once and its
// group is ended through the pidfd. On older Linux kernels the child is looked
// at with WNOWAIT and stays a zombie until its group has been ended; who is left
// is read from /proc. On other systems a child cannot be looked at without
// reaping it: there the group is signalled after that, by number. POSIX keeps a
// number from being given to a new process while a group has it, so this errs only
// if the group is empty and its number is taken again in that very moment.
//
// Rejected: to give the child a subreaper (PR_SET_CHILD_SUBREAPER concerns the
// whole of our process, and all its libraries), and to mark descendants with a
// variable in their environment (programs print their environments). A cgroup
// would be better than all of this, but one must be allowed to make it.

// needsZombie reports whether the leader must stay a zombie until its group was
// ended.
func (p *Process) needsZombie() bool { return p.group && peekKeeps && !p.hasGroupFlag() }

func (p *Process) hasGroupFlag() bool { return p.pidfd != nil && groupFlagWorks() }

// signalGroup sends sig to the group of p, also when its leader has ended but was
// not released. It returns ESRCH when nobody is left to get it.
func (p *Process) signalGroup(sig os.Signal) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.signalGroupLocked(sig)
}

// signalGroupLocked is signalGroup for who holds p.mu.
func (p *Process) signalGroupLocked(sig os.Signal) error {
	if p.hasGroupFlag() {
		return p.pidfd.signalGroup(sig)
	}
	return kill(-p.pid, sig)
}

// groupLives reports whether anybody of the group still runs.
func (p *Process) groupLives() bool {
	if !p.group || p.signalGroup(syscall.Signal(0)) == syscall.ESRCH {
		return false
	}
	// What is left may be zombies, that some parent is slow to reap.
	return hasLiveMember(p.pid)
}

// awaitEnd waits until the child has ended and nobody of its group runs, or ctx
// ends.
func (p *Process) awaitEnd(ctx context.Context) bool {
	if _, err := p.Wait(ctx); err != nil {
		return false
	}
	return p.awaitGroup(ctx)
}

func (p *Process) awaitGroup(ctx context.Context) bool {
	return poll(ctx, func() bool { return !p.groupLives() })
}

// killGroup ends whoever is left of the group, and waits until they are gone. A
// process that was killed may be held up in the kernel, by a dead disk say, so
// that has an end too. It reports whether anybody was left.
func (p *Process) killGroup() (found bool) {
	if !p.groupLives() {
		return false
	}
	p.signalGroup(syscall.SIGKILL)
	ctx, cancel := context.WithTimeout(context.Background(), killPatience)
	defer cancel()
	p.awaitGroup(ctx)
	return true
}

// killPatience is how long processes may take to go after SIGKILL.
const killPatience = time.Second
