package process

import (
	"fmt"
	"os"
	"slices"
	"sync"
	"syscall"

	"trigo"
)

// A Process is a child, running or ended. Its methods may be called by anyone
// at any time.
//
// Trio: trio.Process.
type Process struct {
	name  string
	args  []string
	pid   int
	group bool // it leads a process group, whose number is pid

	stdin          trigo.SendStream
	stdout, stderr trigo.ReceiveStream
	stdio          *trigo.StapledStream

	turn   chan struct{} // held by the one Wait that watches the kernel
	exited chan struct{} // closed when status is known

	mu         sync.Mutex
	status     Status
	known      bool // status is
	supervised bool // somebody calls release; else the end of the child is the end of it
	reaped     bool // pid may belong to somebody else
	pidfd      *pidfd
}

// Args returns the program's name and arguments; for a [Command.Shell] those of
// the shell.
func (p *Process) Args() []string { return slices.Clone(p.args) }

// Pid returns the child's number. Once its status is known, that number may
// belong to somebody else.
func (p *Process) Pid() int { return p.pid }

// Stdin returns the stream to the child's standard input, or nil if that is not
// a [Pipe]. Closing it is the end of file for the child; [trigo.Abort] kills it.
func (p *Process) Stdin() trigo.SendStream { return p.stdin }

// Stdout returns the stream from the child's standard output, or nil if that is
// not a [Pipe]. It ends when every process that holds the pipe has closed it or
// ended. It is open until it is closed, beyond the end of the child; only
// [Supervise] closes it, when it is cancelled.
func (p *Process) Stdout() trigo.ReceiveStream { return p.stdout }

// Stderr is Stdout for standard error.
func (p *Process) Stderr() trigo.ReceiveStream { return p.stderr }

// Stdio returns Stdin and Stdout as one stream, or nil if they are not both a
// [Pipe]. It is a stream like any other, for TLS or a relay.
func (p *Process) Stdio() *trigo.StapledStream { return p.stdio }

// Poll returns the status of the child, and whether it has ended. It never
// waits.
func (p *Process) Poll() (s Status, exited bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.observe()
	return p.status, p.known
}

// ExitCode returns what the child returned: [Status.Code] of [Process.Poll].
func (p *Process) ExitCode() (code int, exited bool) {
	s, exited := p.Poll()
	return s.Code, exited
}

// Signal sends sig to the child, and to it alone. It does nothing if the child
// has ended.
func (p *Process) Signal(sig os.Signal) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.observe()
	if p.known {
		return nil
	}
	// Nobody else reaps the child, and we only with the lock held, so the number
	// is still its own.
	return p.signalError(sig, kill(p.pid, sig))
}

// SignalGroup sends sig to all processes of the child's group, if it leads one,
// else to the child alone. It does nothing if the child has ended.
func (p *Process) SignalGroup(sig os.Signal) error {
	if !p.group {
		return p.Signal(sig)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.observe()
	if p.known {
		return nil
	}
	// As with Signal: nobody reaps the leader in between.
	return p.signalError(sig, p.signalGroupLocked(sig))
}

// Terminate asks the child's group to end, or the child alone if it leads none:
// SIGTERM. It does nothing if the child has ended.
func (p *Process) Terminate() error { return p.SignalGroup(syscall.SIGTERM) }

// Kill ends the child's group, or the child alone if it leads none: SIGKILL. It
// does nothing if the child has ended. It does not wait for it: see
// [Process.Wait].
func (p *Process) Kill() error { return p.SignalGroup(syscall.SIGKILL) }

func (p *Process) signalError(sig os.Signal, err error) error {
	if err == nil {
		return nil
	}
	return &trigo.OpError{Op: fmt.Sprintf("send signal %d to", sig), Layer: p.name, Err: err}
}

// String is "process cat: running with pid 12" or tells how the child ended.
func (p *Process) String() string {
	if s, exited := p.Poll(); exited {
		return p.name + ": " + s.String()
	}
	return fmt.Sprintf("%s: running with pid %d", p.name, p.pid)
}
