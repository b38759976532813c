package file

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync/atomic"

	"trigo"
)

// A Wrapped is anybody's reader or writer with the methods of a [File]. What the
// wrapped value does not have is [errors.ErrUnsupported]. It is made by [Wrap].
//
// ctx is looked at before each call; a call that is under way ends when the wrapped
// value lets it. A Close does not wake it, unless the Close of the wrapped value does.
// If one value is both a reader and a writer, both may be called at the same time.
//
// Trio: what trio.wrap_file returns.
type Wrapped struct {
	w any

	closed             atomic.Bool
	receiving, sending atomic.Bool // the halves
	end                error       // of the holder of receiving: what receiving ended with
	broken             error       // of the holder of sending
}

var _ trigo.Stream = (*Wrapped)(nil)

// Wrap adopts x, which is an [io.Reader], an [io.Writer], or both; anything else is
// [fs.ErrInvalid]. An [os.File] is better served by [FromOS], a [net.Conn] by
// trigo/netstream: there a cancel wakes a call.
//
// Of x, these are used if it has them: Read, Write, Close, Seek, ReadAt, WriteAt,
// Truncate, Flush, Sync, and Peek as that of a [bufio.Reader].
//
// Trio: trio.wrap_file.
func Wrap(x any) (*Wrapped, error) {
	_, reads := x.(io.Reader)
	_, writes := x.(io.Writer)
	if !reads && !writes {
		return nil, fmt.Errorf("a %T neither reads nor writes: %w", x, fs.ErrInvalid)
	}
	return &Wrapped{w: x}, nil
}

// Wrapped returns what was wrapped.
func (w *Wrapped) Wrapped() any { return w.w }

// Underlying returns what was wrapped.
func (w *Wrapped) Underlying() any { return w.w }

func (w *Wrapped) String() string { return fmt.Sprintf("wrapped(%T)", w.w) }

// ReceiveSome calls Read. See [trigo.ReceiveStream]. An error of Read other than
// io.EOF is [trigo.ErrBroken]; it stays until a Seek, as the end does.
func (w *Wrapped) ReceiveSome(ctx context.Context, p []byte) (n int, err error) {
	if len(p) == 0 {
		return 0, io.ErrShortBuffer
	}
	r, ok := w.w.(io.Reader)
	if err := w.begin(ctx, "receive", ok, &w.receiving); err != nil {
		return 0, err
	}
	defer w.receiving.Store(false)
	for range emptyReads {
		if w.end != nil {
			return 0, w.end
		}
		n, err = r.Read(p)
		switch {
		case err == io.EOF:
			w.end = io.EOF
		case err != nil:
			w.end = w.fail("receive", 0, trigo.Broken(err))
		}
		if n > 0 {
			return n, nil
		}
	}
	return 0, w.fail("receive", 0, io.ErrNoProgress)
}

// emptyReads is how often Read may return nothing in a row.
const emptyReads = 100

// SendAll calls Write. See [trigo.SendStream]. An error of Write is
// [trigo.ErrBroken], and stays.
func (w *Wrapped) SendAll(ctx context.Context, p []byte) error {
	to, ok := w.w.(io.Writer)
	if err := w.begin(ctx, "send", ok, &w.sending); err != nil {
		return err
	}
	defer w.sending.Store(false)
	if w.broken != nil {
		return w.fail("send", 0, w.broken)
	}
	if len(p) == 0 {
		return nil
	}
	n, err := to.Write(p)
	if err == nil && n < len(p) {
		err = io.ErrShortWrite
	}
	if err != nil {
		w.broken = trigo.Broken(err)
		return w.fail("send", n, w.broken)
	}
	return nil
}

// WaitSendAllMightNotBlock returns at once: nobody can know.
func (w *Wrapped) WaitSendAllMightNotBlock(ctx context.Context) error {
	_, ok := w.w.(io.Writer)
	if err := w.begin(ctx, "wait to send", ok, &w.sending); err != nil {
		return err
	}
	w.sending.Store(false)
	return nil
}

// Seek moves the position. It counts as receiving and as sending.
func (w *Wrapped) Seek(ctx context.Context, offset int64, whence int) (int64, error) {
	return w.seek(ctx, "seek", offset, whence)
}

// Tell returns the position. It asks by way of Seek, and counts as that.
func (w *Wrapped) Tell(ctx context.Context) (int64, error) {
	return w.seek(ctx, "tell", 0, io.SeekCurrent)
}

func (w *Wrapped) seek(ctx context.Context, op string, offset int64, whence int) (int64, error) {
	s, ok := w.w.(io.Seeker)
	if err := w.begin(ctx, op, ok, &w.receiving); err != nil {
		return 0, err
	}
	defer w.receiving.Store(false)
	if !w.sending.CompareAndSwap(false, true) {
		return 0, w.fail(op, 0, trigo.ErrBusy)
	}
	defer w.sending.Store(false)
	at, err := s.Seek(offset, whence)
	if err == nil && op == "seek" {
		w.end = nil
	}
	return at, w.result(op, 0, err)
}

// ReadAt reads at an offset.
func (w *Wrapped) ReadAt(ctx context.Context, p []byte, offset int64) (n int, err error) {
	r, ok := w.w.(io.ReaderAt)
	if err := w.check(ctx, "read", ok); err != nil {
		return 0, err
	}
	n, err = r.ReadAt(p, offset)
	return n, w.result("read", n, err)
}

// WriteAt writes at an offset.
func (w *Wrapped) WriteAt(ctx context.Context, p []byte, offset int64) (n int, err error) {
	to, ok := w.w.(io.WriterAt)
	if err := w.check(ctx, "write", ok); err != nil {
		return 0, err
	}
	n, err = to.WriteAt(p, offset)
	return n, w.result("write", n, err)
}

// Peek returns up to n of the bytes that come next. It counts as receiving.
func (w *Wrapped) Peek(ctx context.Context, n int) ([]byte, error) {
	p, ok := w.w.(interface{ Peek(int) ([]byte, error) })
	if err := w.begin(ctx, "peek", ok, &w.receiving); err != nil {
		return nil, err
	}
	defer w.receiving.Store(false)
	b, err := p.Peek(n)
	if len(b) > 0 {
		return b, nil // fewer than n are no error
	}
	return nil, w.result("peek", 0, err)
}

// Truncate changes the size.
func (w *Wrapped) Truncate(ctx context.Context, size int64) error {
	t, ok := w.w.(interface{ Truncate(int64) error })
	if err := w.check(ctx, "truncate", ok); err != nil {
		return err
	}
	return w.result("truncate", 0, t.Truncate(size))
}

// Flush sends what the wrapped value keeps back, as a [bufio.Writer] does. It counts
// as sending.
func (w *Wrapped) Flush(ctx context.Context) error {
	f, ok := w.w.(interface{ Flush() error })
	if err := w.begin(ctx, "flush", ok, &w.sending); err != nil {
		return err
	}
	defer w.sending.Store(false)
	return w.result("flush", 0, f.Flush())
}

// Sync waits until what was written is safe.
func (w *Wrapped) Sync(ctx context.Context) error {
	s, ok := w.w.(interface{ Sync() error })
	if err := w.check(ctx, "sync", ok); err != nil {
		return err
	}
	return w.result("sync", 0, s.Sync())
}

// Close closes the wrapped value if it has a Close, whatever ctx says. It does not
// flush.
func (w *Wrapped) Close(ctx context.Context) error {
	if !w.closed.CompareAndSwap(false, true) {
		return nil
	}
	if c, ok := w.w.(io.Closer); ok {
		return w.result("close", 0, c.Close())
	}
	return nil
}

// able tells what the wrapped value can do.
func (w *Wrapped) able() (reads, writes bool) {
	_, reads = w.w.(io.Reader)
	_, writes = w.w.(io.Writer)
	return reads, writes
}

// begin starts a call that uses a half. able is whether what was wrapped can do it.
func (w *Wrapped) begin(ctx context.Context, op string, able bool, half *atomic.Bool) error {
	if err := w.check(ctx, op, able); err != nil {
		return err
	}
	if !half.CompareAndSwap(false, true) {
		return w.fail(op, 0, trigo.ErrBusy)
	}
	return nil
}

func (w *Wrapped) check(ctx context.Context, op string, able bool) error {
	switch {
	case w.closed.Load():
		return w.fail(op, 0, trigo.ErrClosed)
	case ctx.Err() != nil:
		return w.fail(op, 0, trigo.CancelError(ctx))
	case !able:
		return w.fail(op, 0, errors.ErrUnsupported)
	}
	return nil
}

// result is the error of a call that moved n bytes and got err.
func (w *Wrapped) result(op string, n int, err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	return w.fail(op, n, err)
}

func (w *Wrapped) fail(op string, n int, err error) error {
	return &trigo.OpError{Op: op, Layer: w.String(), N: int64(n), Err: err}
}
