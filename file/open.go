package file

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"syscall"
	"time"

	"trigo"
	"trigo/internal/fdstream"
)

// Open opens a file as bytes. mode is as in Python: one of r (read), w (write
// from the start, what was there is cut off), a (write, always at the end) and x
// (write, and fail with [fs.ErrExist] if the file exists); with + both reading and
// writing. A b makes no difference, a t is refused: see [OpenText]. A new file has
// the permissions 0666, less the umask.
//
// Opening a FIFO for reading does not wait for a writer; the first ReceiveSome
// does. Opening one for writing waits for a reader, until ctx ends. A directory
// is refused with EISDIR.
//
// A bad mode is [fs.ErrInvalid], told before any I/O. A cancelled Open has opened
// nothing; it may have created the file, if the cancel came while the system was
// doing it.
//
// Trio: trio.open_file.
func Open(ctx context.Context, path Path, mode string) (*File, error) {
	flag, err := parseMode(mode, false)
	if err != nil {
		return nil, openError(path, err)
	}
	return OpenFile(ctx, path, flag, 0o666)
}

// OpenFile is [Open] with the flags of [os.OpenFile], and the permissions (before
// the umask) of a file that it creates.
func OpenFile(ctx context.Context, path Path, flag int, perm fs.FileMode) (*File, error) {
	return open(ctx, path, flag, named(path, perm))
}

// opener opens a file, by its name or under a root.
type opener struct {
	open func(flag int) (*os.File, error)
	stat func() (fs.FileInfo, error)
}

// named is the opener of a path.
func named(path Path, perm fs.FileMode) opener {
	return opener{
		open: func(flag int) (*os.File, error) { return os.OpenFile(string(path), flag, perm) },
		stat: func() (fs.FileInfo, error) { return os.Stat(string(path)) },
	}
}

// open is OpenFile by way of o; path is for errors.
func open(ctx context.Context, path Path, flag int, o opener) (*File, error) {
	f, info, err := o.await(ctx, flag)
	if err != nil {
		return nil, openError(path, err)
	}
	file, err := adopt(f, info, path, flag)
	if err != nil {
		f.Close()
		return nil, openError(path, err)
	}
	return file, nil
}

// Opening a FIFO for writing fails while nobody reads it, and neither the poller
// nor inotify tells when somebody comes: a reader waits within its own open(2),
// which is an event for nobody. A thread that waits in open(2) for us could not be
// cancelled. So it is tried again, as often as this.
const (
	firstRetry = time.Millisecond
	lastRetry  = 16 * time.Millisecond
)

// await opens, and never waits within the system for anybody but the disk.
func (o opener) await(ctx context.Context, flag int) (*os.File, fs.FileInfo, error) {
	for pause := firstRetry; ; pause = min(2*pause, lastRetry) {
		f, info, err := o.once(ctx, flag)
		if err == nil || !o.comesLater(ctx, err) {
			return f, info, err
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil, nil, trigo.CancelError(ctx)
		}
	}
}

func (o opener) once(ctx context.Context, flag int) (*os.File, fs.FileInfo, error) {
	if err := enter(ctx); err != nil {
		return nil, nil, err
	}
	defer leave()
	f, err := o.open(flag | nonblocking)
	if err != nil {
		return nil, nil, err
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return f, info, nil
}

// comesLater reports whether err, of an open that must not wait, would have been
// a wait: for the reader of a FIFO (ENXIO), or for somebody who holds a lease on
// the file (EAGAIN).
func (o opener) comesLater(ctx context.Context, err error) bool {
	switch {
	case errors.Is(err, syscall.EAGAIN):
		return true
	case !errors.Is(err, syscall.ENXIO):
		return false
	case enter(ctx) != nil:
		return true // and the wait will see that ctx has ended
	}
	defer leave()
	info, err := o.stat()
	return err == nil && info.Mode()&fs.ModeNamedPipe != 0
}

// FromOS returns a File that owns f: the end of a pipe, say, or a file from a
// listing. Its position is that of f. If it fails, f is still the caller's.
//
// It looks f over, and waits for that only as every call on a file does: for the
// disk, and for a place (see [SetLimit]), which is the wait that ctx ends. ctx has no
// effect on the File.
func FromOS(ctx context.Context, f *os.File) (*File, error) {
	path := Path(f.Name())
	if err := enter(ctx); err != nil {
		return nil, openError(path, err)
	}
	defer leave()
	info, err := f.Stat()
	if err != nil {
		return nil, openError(path, err)
	}
	flag, err := flagsOf(f)
	if err != nil {
		return nil, openError(path, err)
	}
	file, err := adopt(f, info, path, flag)
	if err != nil {
		return nil, openError(path, err)
	}
	file.unmet = false // somebody opened both ends of it
	return file, nil
}

// adopt makes a File of f, which was opened with flag.
func adopt(f *os.File, info fs.FileInfo, path Path, flag int) (*File, error) {
	mode := info.Mode()
	if mode.IsDir() {
		return nil, syscall.EISDIR
	}
	file := &File{
		path: path, f: f,
		readable: readable(flag), writable: writable(flag), appends: flag&os.O_APPEND != 0,
		seekable: mode.IsRegular() || mode.Type() == fs.ModeDevice,
		unmet:    mode&fs.ModeNamedPipe != 0,
	}
	if !file.seekable {
		if s, err := fdstream.New(f, file); err == nil {
			file.polled = s
		}
	}
	if file.seekable && file.appends {
		f.Seek(0, io.SeekEnd) // as Python does: so Tell knows where the next byte goes
	}
	return file, nil
}

// openError is the error of an open that failed.
func openError(path Path, err error) error {
	return &trigo.OpError{Op: "open", Layer: layerOf(path), Err: bare(err)}
}

// layerOf names a file in errors.
func layerOf(path Path) string { return "file " + string(path) }

// bare takes away what package os adds to an error of the system: an OpError
// says it already. A closed file is [trigo.ErrClosed].
func bare(err error) error {
	var (
		onPath *fs.PathError
		onTwo  *os.LinkError
	)
	switch {
	case errors.Is(err, os.ErrClosed) && !errors.Is(err, trigo.ErrClosed):
		return trigo.ErrClosed
	case errors.As(err, &onPath):
		return onPath.Err
	case errors.As(err, &onTwo):
		return onTwo.Err
	}
	return err
}
