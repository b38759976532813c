package pollio

import (
	"context"
	"net"
	"sync/atomic"
	"syscall"
	"time"
)

// Source is what an FD is made of: *net.TCPConn, *net.UnixConn, *net.UDPConn,
// and an *os.File that the runtime can poll.
type Source interface {
	syscall.Conn
	Read(p []byte) (int, error)
	Write(p []byte) (int, error)
	SetReadDeadline(time.Time) error
	SetWriteDeadline(time.Time) error
	Close() error
}

// An FD is a descriptor with a ctx for each call. It owns its source and both
// deadlines of it: nobody else may set them.
//
// One reading and one writing call may be under way at a time. The errors are
// trigo.ErrClosed, trigo.ErrBusy and those of trigo.CancelError; all others
// are the kernel's and come as they are.
type FD struct {
	src    Source
	raw    syscall.RawConn
	closed atomic.Bool
	socket bool
	r, w   half
}

// New returns an FD that owns src. It fails if src cannot be polled: a regular
// file, a closed descriptor.
func New(src Source) (*FD, error) {
	fd := new(FD)
	if err := fd.Init(src); err != nil {
		return nil, err
	}
	return fd, nil
}

// Init is [New] for an FD that is part of something else.
func (fd *FD) Init(src Source) error {
	raw, err := src.SyscallConn()
	if err != nil {
		return err
	}
	// The only way to ask whether the runtime polls it; it is also the state
	// that everything here starts from, whatever was set before.
	if err := src.SetReadDeadline(time.Time{}); err != nil {
		return err
	}
	if err := src.SetWriteDeadline(time.Time{}); err != nil {
		return err
	}
	fd.src, fd.raw = src, raw
	_, fd.socket = src.(net.Conn)
	fd.r.fd, fd.w.fd = fd, fd
	return nil
}

// ReadOp calls op, with the reading half held, until it returns something else
// than EAGAIN, and waits for the descriptor to be readable in between. op must
// return EAGAIN only when the kernel just said so.
func (fd *FD) ReadOp(ctx context.Context, op func(sysfd int) error) error {
	return fd.r.do(ctx, op)
}

// WriteOp is ReadOp for the writing half.
func (fd *FD) WriteOp(ctx context.Context, op func(sysfd int) error) error {
	return fd.w.do(ctx, op)
}

// HoldWrite calls f, which must not wait, while no other call writes.
func (fd *FD) HoldWrite(ctx context.Context, f func() error) error {
	return fd.w.hold(ctx, f)
}

// Source returns what the FD was made of.
func (fd *FD) Source() Source { return fd.src }

// Closed reports whether Close was called.
func (fd *FD) Closed() bool { return fd.closed.Load() }

// Close closes the source and wakes every call that waits. It never blocks,
// and does nothing the second time.
func (fd *FD) Close() error {
	if !fd.closed.CompareAndSwap(false, true) {
		return nil
	}
	err := fd.src.Close()
	fd.r.retire()
	fd.w.retire()
	return err
}
