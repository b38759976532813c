//go:build unix

package process

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"syscall"
)

// start starts c, which is valid. Without an error the pipes are open, the ends
// of the child closed here, and it runs.
func start(ctx context.Context, c *Command, m mode) (*Process, *service, error) {
	path, args := c.argv()
	path, err := lookUp(path)
	if err != nil {
		return nil, nil, err
	}
	if err := checkDir(c.Dir); err != nil {
		return nil, nil, err
	}
	w := &wiring{command: c.name()[len("process "):]}
	defer w.closeLent()
	if err := w.connect(c); err != nil {
		w.abandon()
		return nil, nil, err
	}
	sys, group := c.attributes(m)
	adopt := wantPidfd(sys)
	var pid int
	err = w.withDescriptors(func(fds []uintptr) error {
		attr := &syscall.ProcAttr{Dir: c.Dir, Env: c.environment(), Files: fds, Sys: sys}
		pid, err = fork(ctx, path, args, attr, c.Umask)
		return err
	})
	if err != nil {
		w.abandon()
		return nil, nil, fmt.Errorf("program %s: %w", path, err)
	}
	p := &Process{
		name:       c.name(),
		args:       args,
		pid:        pid,
		group:      group,
		turn:       make(chan struct{}, 1),
		exited:     make(chan struct{}),
		supervised: m != modeOpen,
		pidfd:      adopt(),
	}
	s := w.handOver(c, p)
	return p, s, nil
}

// lookUp finds a program by the name of a command.
func lookUp(name string) (path string, err error) {
	if strings.Contains(name, "/") {
		return name, nil
	}
	path, err = exec.LookPath(name)
	if errors.Is(err, exec.ErrNotFound) {
		return "", fmt.Errorf("program %s in PATH: %w", name, fs.ErrNotExist)
	}
	if err != nil {
		return "", fmt.Errorf("program: %w", err)
	}
	return path, nil
}

// checkDir finds out what the kernel would tell with an error that might as
// well be about the program.
func checkDir(dir string) error {
	if dir == "" {
		return nil
	}
	info, err := os.Stat(dir)
	if err == nil && !info.IsDir() {
		err = syscall.ENOTDIR
	}
	if err != nil {
		return fmt.Errorf("directory %s: %w", dir, bare(err))
	}
	return nil
}

// bare takes the path off an error that is going to be told with it.
func bare(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// attributes returns what the kernel is to do for the child beside running it,
// and whether the child leads a group.
func (c *Command) attributes(m mode) (sys *syscall.SysProcAttr, group bool) {
	sys = &syscall.SysProcAttr{}
	switch {
	case c.PTY:
		sys.Setsid, sys.Setctty, sys.Ctty = true, true, 0
	case c.Session:
		sys.Setsid = true
	default:
		sys.Setpgid = c.ownGroup(m)
	}
	if id := c.Credential; id != nil {
		sys.Credential = &syscall.Credential{Uid: id.UID, Gid: id.GID, Groups: id.Groups}
	}
	return sys, sys.Setsid || sys.Setpgid
}

func (c *Command) ownGroup(m mode) bool {
	if c.Group == DefaultGroup {
		return m != modeOpen && !(c.Stdin == Inherit && isTerminal(os.Stdin))
	}
	return c.Group == OwnGroup
}

// fork starts the program, with a umask of its own if one is wanted.
func fork(ctx context.Context, path string, args []string, attr *syscall.ProcAttr, umask *fs.FileMode) (pid int, err error) {
	if umask == nil {
		return syscall.ForkExec(path, args, attr)
	}
	err = withUmask(ctx, int(*umask), func() (err error) {
		pid, err = syscall.ForkExec(path, args, attr)
		return err
	})
	return pid, err
}
