package file

import (
	"context"
	"errors"
	"io"

	"trigo"
)

// Seek moves the position, and returns the new one from the start of the file.
// whence is [io.SeekStart], [io.SeekCurrent] or [io.SeekEnd]. It counts as receiving
// and as sending. What has no positions, such as a FIFO, is
// [errors.ErrUnsupported].
func (f *File) Seek(ctx context.Context, offset int64, whence int) (at int64, err error) {
	if err := f.begin(ctx, "seek", true, &f.receiving); err != nil {
		return 0, err
	}
	defer f.receiving.Store(false)
	if !f.sending.CompareAndSwap(false, true) {
		return 0, f.fail("seek", 0, trigo.ErrBusy)
	}
	defer f.sending.Store(false)
	err = f.do(ctx, "seek", true, func() error {
		at, err = f.f.Seek(offset, whence)
		return err
	})
	if err == nil {
		f.ended = false
	}
	return at, err
}

// Tell returns the position.
func (f *File) Tell(ctx context.Context) (at int64, err error) {
	err = f.do(ctx, "tell", true, func() error {
		at, err = f.f.Seek(0, io.SeekCurrent)
		return err
	})
	return at, err
}

// ReadAt fills p with what stands at offset, and leaves the position alone. It
// returns [io.EOF], with what there was, if the file ends before p is full. A
// cancelled ReadAt returns what it has read.
func (f *File) ReadAt(ctx context.Context, p []byte, offset int64) (n int, err error) {
	if len(p) == 0 {
		return 0, f.check(ctx, "read", f.readable)
	}
	for n < len(p) {
		got, end := 0, false
		err := f.do(ctx, "read", f.readable, func() (err error) {
			got, err = f.f.ReadAt(p[n:min(len(p), n+piece)], offset+int64(n))
			if err == io.EOF {
				end, err = true, nil
			}
			return err
		})
		n += got
		if err != nil {
			return n, moved(err, n)
		}
		if end {
			return n, io.EOF
		}
	}
	return n, nil
}

// WriteAt writes p at offset, and leaves the position alone. On an error n is how
// much was written. A file that was opened with a is [errors.ErrUnsupported].
func (f *File) WriteAt(ctx context.Context, p []byte, offset int64) (n int, err error) {
	if len(p) == 0 {
		return 0, f.check(ctx, "write", f.writable)
	}
	if f.appends {
		return 0, f.fail("write", 0, unsupported("it writes at its end only"))
	}
	for n < len(p) {
		wrote := 0
		err := f.do(ctx, "write", f.writable, func() (err error) {
			wrote, err = f.f.WriteAt(p[n:min(len(p), n+piece)], offset+int64(n))
			return err
		})
		n += wrote
		if err != nil {
			return n, moved(err, n)
		}
	}
	return n, nil
}

// moved has the error of a call say that n bytes went before.
func moved(err error, n int) error {
	var op *trigo.OpError
	if errors.As(err, &op) {
		op.N = int64(n)
	}
	return err
}

// Truncate makes the file size bytes long, with zeros where there was nothing. It
// leaves the position alone.
func (f *File) Truncate(ctx context.Context, size int64) error {
	return f.do(ctx, "truncate", f.writable, func() error { return f.f.Truncate(size) })
}

// Flush does nothing: a File keeps nothing back. It is there for who has
// something that is either a File or a [TextFile].
func (f *File) Flush(ctx context.Context) error { return f.check(ctx, "flush", true) }

// Sync waits until what was written is on the disk. A cancel does not end that
// wait.
func (f *File) Sync(ctx context.Context) error {
	return f.do(ctx, "sync", true, f.f.Sync)
}
