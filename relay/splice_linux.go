package relay

import (
	"context"
	"errors"
	"io"
	"time"

	"golang.org/x/sys/unix"
)

// # Bytes that are not seen
//
// A splice takes two calls: one moves what has come from the source into a pipe,
// one moves it from the pipe to the other side. The pipe belongs to one direction
// at a time and is empty before each receive, so a receive that would have to
// wait waits for the source and never for the pipe, and a send for the other side.
// A wait that a ctx ends leaves the rest in the pipe, and its length is known, so
// the send can go on from there.
//
// What is in the pipe when a direction ends is lost with it, as what is in a buffer
// would be. It was not counted.

// errCannot says that the kernel does not do it with these two.
var errCannot = errors.New("cannot be spliced")

// fileChunk is how much of a file is sent between two looks at the ctx.
const fileChunk = 1 << 20

func (p *pump) prepareUnseen() { p.giveOp = p.give }

// spliceIn receives into a pipe.
func (p *pump) spliceIn(fd int) error {
	if p.pipe == nil {
		pipe, err := takePipe()
		if err != nil {
			p.cannot(err)
			return errCannot
		}
		p.pipe = pipe
	}
	n, err := splice(fd, p.pipe.w, min(p.pipe.size, p.inPipe))
	if n > 0 {
		p.piped = n
		p.bulk = n >= fewBytes || p.mode == CopySplice
		return nil
	}
	p.dropPipe()
	switch {
	case err == nil:
		return io.EOF
	case refused(err):
		p.cannot(err)
		return errCannot
	}
	return err
}

// sendUnseen sends what is not in the buffer. If the kernel refuses, it is in the
// buffer then, as much as fits.
func (p *pump) sendUnseen(ctx context.Context) error {
	switch {
	case p.path == PathSendfile:
		return p.sendFile(ctx)
	case p.path == PathSplice && p.piped > 0:
		if err := p.out.SendBy(ctx, p.giveOp, &p.gave); err != nil {
			return err
		}
	}
	if p.piped == 0 {
		return nil
	}
	p.takeBuffer()
	n, err := sysRead(p.pipe.r, p.buf[:min(p.piped, len(p.buf))])
	if err != nil {
		return err
	}
	p.piped -= n
	p.b = p.buf[:n]
	return nil
}

// give is the system call of a send from the pipe.
func (p *pump) give(fd int) error {
	for p.piped > 0 {
		n, err := splice(p.pipe.r, fd, p.piped)
		switch {
		case n > 0:
			p.piped -= n
			p.unseen(n)
		case refused(err):
			p.cannot(err)
			return nil
		case err != nil:
			return err
		default:
			return io.ErrUnexpectedEOF // it was in the pipe
		}
	}
	return nil
}

// sendFile sends a piece of the file. Whatever is wrong with the file, a receive
// finds again, and says it in the words of the stream.
func (p *pump) sendFile(ctx context.Context) (err error) {
	gone := p.in.ReceiveBy(ctx, func(fd int) error {
		p.file = fd
		err = p.out.SendBy(ctx, p.giveFile, &p.gave)
		return nil
	})
	if gone != nil {
		p.fileEnd = true
	}
	return err
}

// giveFile is the system call of a send from the file.
func (p *pump) giveFile(fd int) error {
	// It reads the disk, and does not wait for the other side.
	p.busy.stop(time.Since(p.start))
	defer func() { p.busy.run(time.Since(p.start)) }()
	for {
		n, err := unix.Sendfile(fd, p.file, nil, fileChunk)
		switch {
		case n > 0:
			p.unseen(n)
			return nil
		case err == nil:
			p.fileEnd = true
			return nil
		case refused(err):
			p.cannot(err)
			return nil
		case err != unix.EINTR:
			return err
		}
	}
}

// unseen counts bytes that the other side took from the kernel.
func (p *pump) unseen(n int) {
	p.gave += n
	p.inKernel += int64(n)
	p.moved(n)
}

// refused reports whether the kernel does not want to do it with these two, or
// cannot read the file, which is none of the errors of a connection.
func refused(err error) bool {
	switch err {
	case unix.EINVAL, unix.ENOSYS, unix.EPERM, unix.EOPNOTSUPP, unix.EOVERFLOW, unix.EIO, unix.EISDIR, unix.ESTALE:
		return true
	}
	return false
}

// cannot makes the direction copy from now on.
func (p *pump) cannot(err error) {
	p.path, p.why = PathCopy, "the kernel did not do it: "+err.Error()
}

func splice(from, to, n int) (int, error) {
	for {
		moved, err := unix.Splice(from, nil, to, nil, n, unix.SPLICE_F_MOVE|unix.SPLICE_F_NONBLOCK)
		if err != unix.EINTR {
			return int(moved), err
		}
	}
}

// dropPipe gives the pipe back if it is empty. What else is in it nobody shall
// get.
func (p *pump) dropPipe() {
	switch {
	case p.pipe == nil:
	case p.piped == 0:
		p.pipe.giveBack()
	default:
		p.pipe.close()
	}
	p.pipe, p.piped = nil, 0
}
