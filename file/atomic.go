package file

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"

	"trigo"
)

// # Writing a file in one step
//
// Who opens a file while it is being written finds half of it, and so does everybody
// after a crash. So the new content goes into a file beside it, in the same directory
// because only there can it be renamed into place; then it is synced, or the disk
// might have the new name before the content; then comes the rename, which is the one
// step; then the directory is synced, or a crash might bring the old name back.
//
// That is atomicity for those who open the file by its name. Who has the old one open
// keeps it. A crash before the rename leaves the file beside: its name is that of the
// file between a dot and ".tmp-" with a number, it is in nobody's way, and it is not
// looked for: it may belong to somebody who is still writing.

// AtomicOptions say how a file is replaced. Nil is the same as the zero value.
type AtomicOptions struct {
	// Perm are the permissions of the file. If zero, those of the file that is
	// replaced, and 0666 less the umask if there is none.
	Perm fs.FileMode

	// NoSync leaves out the syncing: the step is still one for other processes,
	// but a crash of the machine may leave an empty file.
	NoSync bool
}

// WriteAtomic replaces the content of a file with data, in one step: whoever opens it
// finds the old content or the new, and after a crash at any moment that is so too. The
// permissions and, if allowed, the owner of the old file are kept. A symbolic link
// stays, and what it points to is replaced. Anything but a regular file is
// [fs.ErrInvalid].
//
// If it fails or is cancelled the old file is as it was. Once the new one is in its
// place, WriteAtomic succeeds, whatever ctx says.
//
// Other hard links to the file keep the old content.
func WriteAtomic(ctx context.Context, path Path, data []byte, opts *AtomicOptions) error {
	f, err := CreateAtomic(ctx, path, opts)
	if err != nil {
		return err
	}
	if err := f.SendAll(ctx, data); err != nil {
		return errors.Join(err, trigo.CloseForcefully(f))
	}
	return f.Commit(ctx)
}

// An AtomicFile is a [File] that takes the place of another with Commit, and is gone
// with Close. It is made by [CreateAtomic].
type AtomicFile struct {
	*File
	temporary string
	target    string
	sync      bool
}

// CreateAtomic opens a new file, for writing and reading, that can take the place of
// path: see [WriteAtomic]. Until then path is as it was.
//
//	f, err := file.CreateAtomic(ctx, path, nil)
//	if err != nil {
//		return err
//	}
//	defer f.Close(ctx)
//	... // write
//	return f.Commit(ctx)
func CreateAtomic(ctx context.Context, path Path, opts *AtomicOptions) (*AtomicFile, error) {
	if opts == nil {
		opts = &AtomicOptions{}
	}
	err := enter(ctx)
	if err != nil {
		return nil, atomicError("create", path, err)
	}
	defer leave()
	target, old, err := replaced(string(path))
	if err != nil {
		return nil, atomicError("create", path, err)
	}
	perm := fs.FileMode(0o666)
	if old != nil || opts.Perm != 0 {
		perm = 0o600 // until the content is whole
	}
	f, name, err := createBeside(target, perm)
	if err != nil {
		return nil, atomicError("create", path, err)
	}
	if perm == 0o600 {
		err = resemble(f, old, opts.Perm)
	}
	var info fs.FileInfo
	if err == nil {
		info, err = f.Stat()
	}
	var file *File
	if err == nil {
		file, err = adopt(f, info, Path(name), os.O_RDWR)
	}
	if err != nil {
		f.Close()
		os.Remove(name)
		return nil, atomicError("create", path, err)
	}
	return &AtomicFile{File: file, temporary: name, target: target, sync: !opts.NoSync}, nil
}

// replaced returns the name of the file that path leads to, and what it is; old is
// nil if there is none yet.
func replaced(path string) (target string, old fs.FileInfo, err error) {
	old, err = os.Lstat(path)
	if err == nil && old.Mode()&fs.ModeSymlink != 0 {
		if path, err = filepath.EvalSymlinks(path); err == nil {
			old, err = os.Lstat(path)
		}
	}
	switch {
	case errors.Is(err, fs.ErrNotExist) && path != "":
		return path, nil, nil
	case err != nil:
		return "", nil, err
	case !old.Mode().IsRegular():
		return "", nil, fmt.Errorf("not a regular file: %w", fs.ErrInvalid)
	}
	return path, old, nil
}

// createBeside makes a new file in the directory of target.
func createBeside(target string, perm fs.FileMode) (*os.File, string, error) {
	dir, base := filepath.Split(target)
	if len(base) > 200 {
		base = base[:200] // the longest name of a file is 255 bytes
	}
	for {
		name := fmt.Sprintf("%s.%s.tmp-%d", dir, base, rand.Uint64())
		f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, perm)
		if !errors.Is(err, fs.ErrExist) {
			return f, name, err
		}
	}
}

// resemble gives f the permissions perm, or those of old, and its owner if that is
// allowed.
func resemble(f *os.File, old fs.FileInfo, perm fs.FileMode) error {
	if old != nil {
		own(f, old)
		if perm == 0 {
			perm = old.Mode() & (fs.ModePerm | fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky)
		}
	}
	return f.Chmod(perm)
}

// Commit closes the file and puts it in its place. If it fails, or is cancelled before
// the step, the file is gone and the old one is as it was. Of the errors after the
// step there is one: that the directory could not be synced.
func (a *AtomicFile) Commit(ctx context.Context) error {
	if err := a.begin(ctx, "commit", true, &a.sending); err != nil {
		if !errors.Is(err, trigo.ErrClosed) && !errors.Is(err, trigo.ErrBusy) {
			a.Close(ctx)
		}
		return err
	}
	err := a.install(ctx)
	a.sending.Store(false)
	if err != nil {
		a.Close(ctx)
		return atomicError("commit", Path(a.target), err)
	}
	return nil
}

func (a *AtomicFile) install(ctx context.Context) error {
	if err := enter(ctx); err != nil {
		return err
	}
	defer leave()
	if a.sync {
		if err := a.f.Sync(); err != nil {
			return err
		}
	}
	if ctx.Err() != nil {
		return trigo.CancelError(ctx)
	}
	if !a.closed.CompareAndSwap(false, true) {
		return trigo.ErrClosed
	}
	err := a.f.Close() // before the rename: Windows does not rename what is open
	if err == nil {
		err = os.Rename(a.temporary, a.target)
	}
	if err != nil {
		os.Remove(a.temporary)
		return err
	}
	if a.sync {
		return syncDirectory(filepath.Dir(a.target))
	}
	return nil
}

// Close discards the file, unless Commit has put it in its place. It does so with a
// dead ctx too, and waits for nothing but the disk. The error, if any, is what the
// system said; if it could not remove the file, that stays beside, under its
// temporary name. After Commit, and the second time, it does nothing. Beside a Commit
// it discards the file, and the Commit is [trigo.ErrClosed], unless that has come to
// its step: then it does nothing, and does not wait for it.
func (a *AtomicFile) Close(ctx context.Context) error {
	if !a.closed.CompareAndSwap(false, true) { // as install does: the temporary file is the winner's
		return nil
	}
	err := a.shut(ctx)
	if removing := os.Remove(a.temporary); removing != nil && !errors.Is(removing, fs.ErrNotExist) {
		err = errors.Join(err, atomicError("remove", Path(a.temporary), removing))
	}
	return err
}

func atomicError(op string, path Path, err error) error {
	return &trigo.OpError{Op: op, Layer: layerOf(path), Err: bare(err)}
}
