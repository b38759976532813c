//go:build unix

package pollio

import (
	"context"
	"errors"
	"io"
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"trigo"
)

const errAgain = syscall.EAGAIN

// Read waits for bytes and returns some of them; io.EOF when the kernel
// returned none. p must not be empty.
func (fd *FD) Read(ctx context.Context, p []byte) (n int, err error) {
	c, err := fd.r.begin(ctx)
	if err != nil {
		return 0, err
	}
	c.buf = p
	if err = c.run(); err == nil {
		n = len(c.buf)
	}
	c.end()
	return n, err
}

func (c *call) read(sysfd int) error {
	for {
		var n int
		var err error
		if c.h.fd.socket {
			n, err = Receive(sysfd, c.buf)
		} else {
			n, err = syscall.Read(sysfd, c.buf)
		}
		switch {
		case err == syscall.EINTR:
			continue
		case err != nil:
			return err
		case n == 0:
			return io.EOF
		}
		c.buf = c.buf[:n]
		return nil
	}
}

// Write writes all of p. It returns how much of it was written, also with an
// error.
func (fd *FD) Write(ctx context.Context, p []byte) (int, error) {
	c, err := fd.w.begin(ctx)
	if err != nil {
		return 0, err
	}
	c.buf = p
	if len(p) > 0 {
		err = c.run()
	}
	n := len(p) - len(c.buf)
	c.end()
	return n, err
}

// WriteNow writes what the kernel takes of p at once, perhaps nothing, and never
// waits. What that leaves is for a Write, which waits for the kernel.
func (fd *FD) WriteNow(p []byte) (int, error) {
	switch {
	case fd.closed.Load():
		return 0, trigo.ErrClosed
	case !fd.w.busy.CompareAndSwap(false, true):
		return 0, trigo.ErrBusy
	}
	c := calls.Get().(*call)
	c.h, c.ctx, c.buf, c.once = &fd.w, context.Background(), p, true
	err := fd.raw.Write(c.attempt)
	if err == nil && !isAgain(c.err) {
		err = c.err
	}
	if err != nil {
		// Perhaps a ctx has ended that an earlier call was under. That is undone
		// here, and is nothing to this call.
		if err = fd.w.settle(c.ctx, fd.w.done, err); errors.Is(err, os.ErrDeadlineExceeded) {
			err = nil
		}
	}
	n := len(p) - len(c.buf)
	c.end()
	return n, err
}

// maxWrite bounds one system call: some kernels refuse more than 2 GiB.
const maxWrite = 1 << 30

func (c *call) write(sysfd int) error {
	for {
		var n int
		var err error
		if p := c.buf[:min(len(c.buf), maxWrite)]; c.h.fd.socket {
			n, err = send(sysfd, p)
		} else {
			n, err = syscall.Write(sysfd, p)
		}
		if n > 0 {
			c.buf = c.buf[n:]
		}
		switch {
		case err == syscall.EINTR:
			continue
		case err != nil:
			return err
		case len(c.buf) == 0:
			return nil
		}
		// A fast reader could keep this loop from ever having to wait.
		if c.ctx.Err() != nil {
			return os.ErrDeadlineExceeded // as if it had waited
		}
	}
}

// WaitRead waits until a read would not wait: bytes, the end, or an error are
// there.
func (fd *FD) WaitRead(ctx context.Context) error { return fd.r.do(ctx, pollIn) }

// WaitWrite waits until a write might not wait.
func (fd *FD) WaitWrite(ctx context.Context) error { return fd.w.do(ctx, pollOut) }

func pollIn(sysfd int) error  { return poll(sysfd, unix.POLLIN) }
func pollOut(sysfd int) error { return poll(sysfd, unix.POLLOUT) }

// HungUp reports whether the descriptor is dead in both directions, so that
// nothing on it waits any more.
func (fd *FD) HungUp() bool {
	hungUp := false
	fd.raw.Control(func(sysfd uintptr) {
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
