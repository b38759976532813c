package process

import (
	"context"
	"errors"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"trigo/internal/pollio"
)

// noPidfd and noGroupFlag make this the kernel of older days, in tests.
var noPidfd, noGroupFlag atomic.Bool

// A pidfd names a child. It is given to the runtime's poller only when somebody
// waits for long: to register, to be woken through and to deregister costs a
// twentieth of the life of a child as short as /bin/true.
type pidfd struct {
	born    time.Time
	cleanup runtime.Cleanup

	mu     sync.RWMutex // held for reading by who uses fd
	fd     int          // -1: closed
	file   *os.File     // owns fd; nil: nobody has waited for long
	polled *pollio.FD   // owns file; nil if the poller did not take it
}

// youth is how long after its start a child may be waited for on the thread of
// the caller.
const youth = 2 * time.Millisecond

// heldThreads are those that may be held for that, or a crowd of children would
// make a crowd of threads, which the runtime never gives back.
var heldThreads = make(chan struct{}, runtime.NumCPU())

// wantPidfd asks for a pidfd of the child that is started with sys; made with
// the child, it can be of no one else. adopt takes it. It returns nil where there
// are no pidfds.
func wantPidfd(sys *syscall.SysProcAttr) (adopt func() *pidfd) {
	if noPidfd.Load() {
		return func() *pidfd { return nil }
	}
	fd := -1
	sys.PidFD = &fd
	return func() *pidfd {
		if fd < 0 {
			return nil
		}
		p := &pidfd{born: time.Now(), fd: fd}
		p.cleanup = runtime.AddCleanup(p, func(fd int) { unix.Close(fd) }, fd)
		return p
	}
}

// wait waits until the child has ended, or ctx has, or the pidfd is closed. It
// returns an error if the end cannot be waited for.
func (p *pidfd) wait(ctx context.Context) error {
	if p.waitYoung() {
		return nil
	}
	polled, err := p.poll()
	if err == nil {
		polled.WaitRead(ctx)
	}
	return err
}

// waitYoung waits on the thread of the caller until the child has ended, or is
// not young any more. The lock keeps fd open; close, which waits for the lock,
// is called when the child has ended, and that ends the wait too.
func (p *pidfd) waitYoung() (ended bool) {
	// Those who are ready go first: they may be about to feed the child, and whoever
	// waits on the thread keeps a processor from them until the runtime notices.
	runtime.Gosched()
	left := youth - time.Since(p.born)
	if left <= 0 {
		return false
	}
	select {
	case heldThreads <- struct{}{}:
		defer func() { <-heldThreads }()
	default:
		return false
	}
	p.mu.RLock()
	defer p.mu.RUnlock()
	if p.fd < 0 {
		return true
	}
	fds := []unix.PollFd{{Fd: int32(p.fd), Events: unix.POLLIN}}
	timeout := unix.NsecToTimespec(int64(left))
	n, _ := unix.Ppoll(fds, &timeout, nil)
	return n > 0
}

// poll gives the pidfd to the runtime's poller.
func (p *pidfd) poll() (*pollio.FD, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.polled != nil:
		return p.polled, nil
	case p.fd < 0:
		return nil, os.ErrClosed
	case p.file == nil:
		if err := unix.SetNonblock(p.fd, true); err != nil { // or the runtime would not poll it
			return nil, err
		}
		p.cleanup.Stop()
		p.file = os.NewFile(uintptr(p.fd), "pidfd")
	}
	polled, err := pollio.New(p.file)
	p.polled = polled
	return polled, err
}

func (p *pidfd) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.polled != nil:
		p.polled.Close()
	case p.file != nil:
		p.file.Close()
	case p.fd >= 0:
		p.cleanup.Stop()
		unix.Close(p.fd)
	}
	p.fd = -1
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

// signalGroup sends sig to the group that the child leads or led. After close
// it returns ESRCH.
func (p *pidfd) signalGroup(sig os.Signal) error {
	s, ok := sig.(syscall.Signal)
	if !ok {
		return errors.ErrUnsupported
	}
	p.mu.RLock()
	defer p.mu.RUnlock()
	if p.fd < 0 {
		return unix.ESRCH
	}
	return unix.PidfdSendSignal(p.fd, s, nil, signalProcessGroup)
}
