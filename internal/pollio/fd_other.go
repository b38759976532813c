//go:build !unix

package pollio

import (
	"context"
	"errors"
	"syscall"
)

// Where the kernel offers no readiness (Windows: completion only), the ctx is
// registered from the start of the call and the standard library does the I/O.
// A call that need not wait then pays for a registration, unless its ctx was
// that of the call before.

const errAgain = syscall.EAGAIN

func (c *call) read(int) error  { return errors.ErrUnsupported }
func (c *call) write(int) error { return errors.ErrUnsupported }

// Read waits for bytes and returns some of them, or io.EOF.
func (fd *FD) Read(ctx context.Context, p []byte) (n int, err error) {
	err = fd.r.block(ctx, func() (err error) {
		n, err = fd.src.Read(p)
		return err
	})
	return n, err
}

// Write writes all of p. It returns how much of it was written, also with an
// error.
func (fd *FD) Write(ctx context.Context, p []byte) (n int, err error) {
	err = fd.w.block(ctx, func() (err error) {
		if len(p) > 0 {
			n, err = fd.src.Write(p)
		}
		return err
	})
	return n, err
}

// WriteNow leaves everything to Write: without readiness, nothing can be tried.
func (fd *FD) WriteNow(p []byte) (int, error) { return 0, nil }

// WaitRead is not possible without readiness.
func (fd *FD) WaitRead(ctx context.Context) error { return errors.ErrUnsupported }

// WaitWrite returns at once, as its contract allows: it may be early.
func (fd *FD) WaitWrite(ctx context.Context) error {
	return fd.w.block(ctx, func() error { return nil })
}

// HungUp cannot be known without readiness.
func (fd *FD) HungUp() bool { return false }
