package file

import (
	"context"
	"io"
	"syscall"

	"trigo/internal/fdstream"
)

// Package relay has the kernel move bytes from one descriptor to another. A File
// lets it, from where the File stands.

var (
	_ fdstream.Receiver = (*File)(nil)
	_ fdstream.Sender   = (*File)(nil)
)

// Itself, [File.ReceiveBy] and [File.SendBy] are for packages of this module that move
// bytes without copying them. Itself returns nil as long as there is something that was
// peeked at.
func (f *File) Itself() any {
	if len(f.peeked) > 0 {
		return nil
	}
	return f
}

// ReceiveBy is a ReceiveSome with op in the place of the system call. op returns EAGAIN
// if the kernel just said so, and io.EOF at the end.
func (f *File) ReceiveBy(ctx context.Context, op func(sysfd int) error) error {
	if err := f.begin(ctx, "receive", f.readable, &f.receiving); err != nil {
		return err
	}
	defer f.receiving.Store(false)
	if f.polled != nil {
		return f.polled.ReceiveBy(ctx, func(sysfd int) error {
			err := op(sysfd)
			if err == io.EOF && f.unmet && awaitsWriter(sysfd) {
				return syscall.EAGAIN
			}
			return err
		})
	}
	if f.ended {
		return io.EOF
	}
	err := f.by(op)
	switch {
	case err == nil:
		return nil
	case err == io.EOF:
		f.ended = true
		return io.EOF
	}
	return f.fail("receive", 0, err)
}

// SendBy is a SendAll with op in the place of the system call. op adds to *moved what
// it has sent, and returns EAGAIN if the kernel just said so and more is to be sent.
func (f *File) SendBy(ctx context.Context, op func(sysfd int) error, moved *int) error {
	*moved = 0
	if err := f.begin(ctx, "send", f.writable, &f.sending); err != nil {
		return err
	}
	defer f.sending.Store(false)
	if f.polled != nil {
		return f.polled.SendBy(ctx, op, moved)
	}
	if err := f.by(op); err != nil {
		return f.fail("send", *moved, err)
	}
	return nil
}

// by calls op with the descriptor of a file that is not polled. It takes no place among
// the calls (see SetLimit): op may be waiting for whoever the bytes go to.
func (f *File) by(op func(sysfd int) error) error {
	raw, err := f.f.SyscallConn()
	if err != nil {
		return err
	}
	if gone := raw.Control(func(sysfd uintptr) { err = op(int(sysfd)) }); gone != nil {
		return gone
	}
	return err
}
