package file

import (
	"context"
	"errors"
	"io/fs"
	"os"

	"trigo"
)

// Temp makes a new file, open for writing and reading, calls f with it, and then
// closes and removes it, with a dead ctx and after a panic too. dir is where; if empty,
// the directory that the system has for that. A * in pattern stands for a random
// string, which otherwise comes at the end. Only this user may open the file.
//
// The error is that of f, joined to one of removing.
//
// Python: tempfile.NamedTemporaryFile.
func Temp(ctx context.Context, dir Path, pattern string, f func(ctx context.Context, file *File) error) (err error) {
	t, err := OpenTemp(ctx, dir, pattern)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, trigo.CloseForcefully(t)) }()
	return f(ctx, t.File)
}

// TempDir makes a new directory, calls f with its path, and then removes it with
// everything in it, with a dead ctx and after a panic too. The arguments are those of
// [Temp].
//
// Python: tempfile.TemporaryDirectory.
func TempDir(ctx context.Context, dir Path, pattern string, f func(ctx context.Context, path Path) error) (err error) {
	t, err := MakeTempDir(ctx, dir, pattern)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, trigo.CloseForcefully(t)) }()
	return f(ctx, t.Path())
}

// A TempFile is a [File] that its Close removes. It is made by [OpenTemp].
type TempFile struct{ *File }

// OpenTemp is [Temp] for a file that lives until its Close.
func OpenTemp(ctx context.Context, dir Path, pattern string) (*TempFile, error) {
	if err := enter(ctx); err != nil {
		return nil, tempError("create", dir, pattern, err)
	}
	defer leave()
	f, err := os.CreateTemp(string(dir), pattern)
	if err != nil {
		return nil, tempError("create", dir, pattern, err)
	}
	info, err := f.Stat()
	var file *File
	if err == nil {
		file, err = adopt(f, info, Path(f.Name()), os.O_RDWR)
	}
	if err != nil {
		f.Close()
		os.Remove(f.Name())
		return nil, tempError("create", dir, pattern, err)
	}
	return &TempFile{file}, nil
}

// Close closes and removes the file, whatever ctx says. A file that somebody has
// removed or moved away is no error.
func (t *TempFile) Close(ctx context.Context) error {
	if t.closed.Load() {
		return nil
	}
	err := t.File.Close(ctx)
	if removing := os.Remove(string(t.path)); removing != nil && !errors.Is(removing, fs.ErrNotExist) {
		err = errors.Join(err, &trigo.OpError{Op: "remove", Layer: t.String(), Err: bare(removing)})
	}
	return err
}

// A TempDirectory is a directory that its Close removes, with everything in it. It is
// made by [MakeTempDir].
type TempDirectory struct{ path Path }

var _ trigo.Resource = (*TempDirectory)(nil)

// MakeTempDir is [TempDir] for a directory that lives until its Close.
func MakeTempDir(ctx context.Context, dir Path, pattern string) (*TempDirectory, error) {
	if err := enter(ctx); err != nil {
		return nil, tempError("make directory", dir, pattern, err)
	}
	defer leave()
	path, err := os.MkdirTemp(string(dir), pattern)
	if err != nil {
		return nil, tempError("make directory", dir, pattern, err)
	}
	return &TempDirectory{Path(path)}, nil
}

// Path returns the path of the directory.
func (t *TempDirectory) Path() Path { return t.path }

func (t *TempDirectory) String() string { return "directory " + string(t.path) }

// Close removes the directory and everything in it, whatever ctx says: it takes as
// long as the disk does.
func (t *TempDirectory) Close(ctx context.Context) error {
	if err := os.RemoveAll(string(t.path)); err != nil {
		return &trigo.OpError{Op: "remove", Layer: t.String(), Err: bare(err)}
	}
	return nil
}

// tempError is the error of making something temporary.
func tempError(op string, dir Path, pattern string, err error) error {
	if dir == "" {
		dir = Path(os.TempDir())
	}
	return &trigo.OpError{Op: op, Layer: layerOf(dir) + string(os.PathSeparator) + pattern, Err: bare(err)}
}
