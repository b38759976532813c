//go:build unix

package pollio

import (
	"context"
	"io"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

const errAgain = syscall.EAGAIN

func (fd *FD) initOps() {
	fd.tryRead = func(sysfd uintptr) bool { return fd.r.attempt(fd.read(int(sysfd))) }
	fd.tryWrite = func(sysfd uintptr) bool { return fd.w.attempt(fd.write(int(sysfd))) }
	fd.pollInOp = func(sysfd int) error { return poll(sysfd, unix.POLLIN) }
	fd.pollOutOp = func(sysfd int) error { return poll(sysfd, unix.POLLOUT) }
}

// Read waits for bytes and returns some of them; io.EOF when the kernel
// returned none. p must not be empty.
func (fd *FD) Read(ctx context.Context, p []byte) (int, error) {
	if err := fd.r.begin(ctx); err != nil {
		return 0, err
	}
	fd.rbuf, fd.rn = p, 0
	err := fd.r.run(ctx, fd.tryRead)
	n := fd.rn
	fd.rbuf = nil
	fd.r.end()
	return n, err
}

func (fd *FD) read(sysfd int) error {
	for {
		n, err := fd.sysRead(sysfd, fd.rbuf)
		switch {
		case err == syscall.EINTR:
			continue
		case err != nil:
			return err
		case n == 0:
			return io.EOF
		}
		fd.rn = n
		return nil
	}
}

// Write writes all of p. It returns how much of it was written, also with an
// error.
func (fd *FD) Write(ctx context.Context, p []byte) (int, error) {
	if err := fd.w.begin(ctx); err != nil {
		return 0, err
	}
	if len(p) == 0 {
		fd.w.end()
		return 0, nil
	}
	fd.wbuf, fd.wn = p, 0
	err := fd.w.run(ctx, fd.tryWrite)
	n := fd.wn
	fd.wbuf = nil
	fd.w.end()
	return n, err
}

// maxWrite bounds one system call: some kernels refuse more than 2 GiB.
const maxWrite = 1 << 30

func (fd *FD) write(sysfd int) error {
	for {
		n, err := fd.sysWrite(sysfd, fd.wbuf[:min(len(fd.wbuf), maxWrite)])
		if n > 0 {
			fd.wn += n
			fd.wbuf = fd.wbuf[n:]
		}
		switch {
		case err == syscall.EINTR:
			continue
		case err != nil:
			return err
		case len(fd.wbuf) == 0:
			return nil
		}
		// A fast reader could keep this loop from ever having to wait.
		if fd.w.ctx.Err() != nil {
			return os.ErrDeadlineExceeded // as if it had waited
		}
	}
}

// WaitRead waits until a read would not wait: bytes, the end, or an error are
// there.
func (fd *FD) WaitRead(ctx context.Context) error { return fd.r.do(ctx, fd.pollInOp) }

// WaitWrite waits until a write might not wait.
func (fd *FD) WaitWrite(ctx context.Context) error { return fd.w.do(ctx, fd.pollOutOp) }

// HungUp reports whether the descriptor is dead in both directions, so that
// nothing on it waits any more.
func (fd *FD) HungUp() bool {
	hungUp := false
	raw, err := fd.src.SyscallConn()
	if err != nil {
		return false
	}
	raw.Control(func(sysfd uintptr) {
		fds := [1]unix.PollFd{{Fd: int32(sysfd)}}
		n, err := unix.Poll(fds[:], 0)
		hungUp = n > 0 && err == nil && fds[0].Revents&unix.POLLHUP != 0
	})
	return hungUp
}

// poll is the probe that waiting requires. On a socket that is not writable it
// also asks the kernel for the edge to come.
func poll(sysfd int, events int16) error {
	for {
		fds := [1]unix.PollFd{{Fd: int32(sysfd), Events: events}}
		n, err := unix.Poll(fds[:], 0)
		switch {
		case err == unix.EINTR:
			continue
		case err != nil:
			return err
		case n == 0:
			return errAgain
		}
		return nil
	}
}
