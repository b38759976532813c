package file

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"sync/atomic"
	"syscall"

	"trigo"
	"trigo/internal/fdstream"
	"trigo/internal/pollio"
)

// A File is an open file, as bytes. It is a [trigo.Stream] that receives and sends
// at the position of the file; see [trigo.ReceiveStream] and [trigo.SendStream] for
// what is not said here. It is made by [Open].
//
// On a regular file, calls wait for the disk and for a place (see [SetLimit]); ctx
// is looked at before the call and between pieces of 1 MiB, and ends the wait for a
// place. On everything that can be polled, such as FIFOs and terminals, a cancel
// wakes the call at once.
//
// The end of a regular file is where it ends at the time. It stays the end for
// ReceiveSome until the next Seek, even if the file grows.
//
// One call may receive and one may send at a time; a second gets
// [trigo.ErrBusy]. Seek counts as both. ReadAt, WriteAt, Stat, Truncate and Sync can be
// called by anybody at any time. Close may race everything.
//
// What the file was not opened for, or cannot do, is [errors.ErrUnsupported].
//
// Trio: the asynchronous file objects of trio.open_file.
type File struct {
	path               Path
	f                  *os.File
	readable, writable bool
	appends            bool
	seekable           bool             // a regular file or a disk
	polled             *fdstream.Stream // nil if the file cannot be polled

	closed             atomic.Bool
	receiving, sending atomic.Bool // the halves

	// Of the holder of receiving.
	ended  bool   // io.EOF was returned; not for polled, which knows itself
	unmet  bool   // a FIFO that may not have had a writer yet
	peeked []byte // received and not yet given out; never if seekable
}

var _ trigo.Stream = (*File)(nil)

// piece is how much is read or written at a time, between two looks at the ctx.
const piece = 1 << 20

// ReceiveSome reads at the position and moves it. See [trigo.ReceiveStream].
//
// On a FIFO that nobody has opened for writing yet it waits until somebody does
// (Linux, FreeBSD); the end of file comes when all writers are gone.
func (f *File) ReceiveSome(ctx context.Context, p []byte) (n int, err error) {
	if len(p) == 0 {
		return 0, io.ErrShortBuffer
	}
	if err := f.begin(ctx, "receive", f.readable, &f.receiving); err != nil {
		return 0, err
	}
	defer f.receiving.Store(false)
	if len(f.peeked) > 0 {
		n = copy(p, f.peeked)
		f.peeked = f.peeked[n:]
		return n, nil
	}
	return f.receive(ctx, p)
}

// receive is ReceiveSome for the holder of the half, past what was peeked.
func (f *File) receive(ctx context.Context, p []byte) (n int, err error) {
	if f.polled != nil {
		if f.unmet {
			if err := f.polled.FD().WaitRead(ctx); err != nil {
				return 0, f.fail("receive", 0, err)
			}
			f.unmet = false
		}
		return f.polled.ReceiveSome(ctx, p)
	}
	if f.ended {
		return 0, io.EOF
	}
	if err := enter(ctx); err != nil {
		return 0, f.fail("receive", 0, err)
	}
	n, err = f.f.Read(p[:min(len(p), piece)])
	leave()
	switch {
	case n > 0:
		return n, nil
	case err == io.EOF:
		f.ended = true
		return 0, io.EOF
	}
	return 0, f.fail("receive", 0, err)
}

// SendAll writes at the position and moves it; at the end, if the file was opened
// with a. See [trigo.SendStream]. A regular file that could not be written to (a
// disk that is full) is not broken: the error is the system's.
func (f *File) SendAll(ctx context.Context, p []byte) error {
	if err := f.begin(ctx, "send", f.writable, &f.sending); err != nil {
		return err
	}
	defer f.sending.Store(false)
	if f.polled != nil {
		return f.polled.SendAll(ctx, p)
	}
	for sent := 0; sent < len(p); {
		if err := enter(ctx); err != nil {
			return f.fail("send", sent, err)
		}
		n, err := f.f.Write(p[sent:min(len(p), sent+piece)])
		leave()
		sent += n
		if err != nil {
			return f.fail("send", sent, err)
		}
	}
	return nil
}

// WaitSendAllMightNotBlock waits until the file takes more. A regular file always
// does.
func (f *File) WaitSendAllMightNotBlock(ctx context.Context) error {
	if err := f.begin(ctx, "wait to send", f.writable, &f.sending); err != nil {
		return err
	}
	defer f.sending.Store(false)
	if f.polled != nil {
		return f.polled.WaitSendAllMightNotBlock(ctx)
	}
	return nil
}

// Peek returns up to n of the bytes that ReceiveSome would return next, at most 1 MiB,
// and leaves them there. It waits for at least one, as ReceiveSome does, and returns
// io.EOF at the end. On a file that is not regular it may return fewer than there are,
// and what it returned is valid until the next receive.
func (f *File) Peek(ctx context.Context, n int) ([]byte, error) {
	if n <= 0 {
		return nil, io.ErrShortBuffer
	}
	if err := f.begin(ctx, "peek", f.readable, &f.receiving); err != nil {
		return nil, err
	}
	defer f.receiving.Store(false)
	if f.seekable {
		return f.peekAt(ctx, n)
	}
	if len(f.peeked) == 0 {
		buf := make([]byte, min(n, piece))
		got, err := f.receive(ctx, buf)
		if err != nil {
			return nil, err
		}
		f.peeked = buf[:got]
	}
	n = min(n, len(f.peeked))
	return f.peeked[:n:n], nil
}

func (f *File) peekAt(ctx context.Context, n int) ([]byte, error) {
	if f.ended {
		return nil, io.EOF
	}
	if err := enter(ctx); err != nil {
		return nil, f.fail("peek", 0, err)
	}
	defer leave()
	at, err := f.f.Seek(0, io.SeekCurrent)
	if err != nil {
		return nil, f.fail("peek", 0, err)
	}
	buf := make([]byte, min(n, piece))
	got, err := f.f.ReadAt(buf, at)
	switch {
	case got > 0:
		return buf[:got], nil
	case err == io.EOF:
		return nil, io.EOF
	}
	return nil, f.fail("peek", 0, err)
}

// Close closes the file, whatever ctx says. It never waits: what SendAll took is
// with the system, and [File.Sync] waits until it is on the disk.
func (f *File) Close(ctx context.Context) error {
	if !f.closed.CompareAndSwap(false, true) {
		return nil
	}
	return f.shut(ctx)
}

// shut is Close for who has set closed.
func (f *File) shut(ctx context.Context) error {
	if f.polled != nil {
		return f.polled.Close(ctx)
	}
	if err := f.f.Close(); err != nil {
		return f.fail("close", 0, err)
	}
	return nil
}

// Path returns the path that the file was opened by.
func (f *File) Path() Path { return f.path }

func (f *File) String() string { return layerOf(f.path) }

// Underlying returns the [os.File]: for what this package does not do, or to move
// bytes without copying them. Its position is the File's, its deadlines are not for
// others to set, and closing is for the File.
func (f *File) Underlying() any { return f.f }

// SyscallConn gives access to the descriptor.
func (f *File) SyscallConn() (syscall.RawConn, error) { return f.f.SyscallConn() }

// FD returns the descriptor for packages of this module that move bytes in other
// ways. It is nil if the file cannot be polled, and as long as there is something
// that was peeked at.
func (f *File) FD() *pollio.FD {
	if f.polled == nil || len(f.peeked) > 0 {
		return nil
	}
	return f.polled.FD()
}

// able tells what the file was opened for.
func (f *File) able() (reads, writes bool) { return f.readable, f.writable }

// begin starts a call that uses a half. able is whether the file was opened for it.
func (f *File) begin(ctx context.Context, op string, able bool, half *atomic.Bool) error {
	if err := f.check(ctx, op, able); err != nil {
		return err
	}
	if !half.CompareAndSwap(false, true) {
		return f.fail(op, 0, trigo.ErrBusy)
	}
	return nil
}

// check is begin for a call that uses no half.
func (f *File) check(ctx context.Context, op string, able bool) error {
	switch {
	case f.closed.Load():
		return f.fail(op, 0, trigo.ErrClosed)
	case ctx.Err() != nil:
		return f.fail(op, 0, trigo.CancelError(ctx))
	case !able:
		return f.fail(op, 0, errNotOpenFor)
	}
	return nil
}

var errNotOpenFor = unsupported("not opened for that")

// unsupported is an error that Is [errors.ErrUnsupported] and says why.
type unsupported string

func (u unsupported) Error() string        { return string(u) }
func (u unsupported) Is(target error) bool { return target == errors.ErrUnsupported }

func (f *File) fail(op string, n int, err error) error {
	err = bare(err)
	if errors.Is(err, syscall.ESPIPE) {
		err = unsupported("it has no positions")
	}
	return &trigo.OpError{Op: op, Layer: f.String(), N: int64(n), Err: err}
}

// Stat describes the file.
func (f *File) Stat(ctx context.Context) (info fs.FileInfo, err error) {
	err = f.do(ctx, "stat", true, func() error {
		info, err = f.f.Stat()
		return err
	})
	return info, err
}

// do makes one call on the file that uses no half of it.
func (f *File) do(ctx context.Context, op string, able bool, call func() error) error {
	if err := f.check(ctx, op, able); err != nil {
		return err
	}
	if err := enter(ctx); err != nil {
		return f.fail(op, 0, err)
	}
	defer leave()
	if err := call(); err != nil {
		return f.fail(op, 0, err)
	}
	return nil
}
