package file

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"syscall"
	"time"

	"trigo"
)

// A Rooted is a directory that no path can lead out of: not by "..", not by an
// absolute path, not by a symbolic link, even if somebody changes the tree at the same
// time. Such a path is an error. It is made by [OpenRooted].
//
// Each call looks at ctx first, and then takes as long as the disk does; where somebody
// has put a FIFO, a ctx ends the wait for its other end. All paths are relative to the
// directory, wherever that is moved. Any number of calls may be under way at a time.
//
// It stands on [os.Root], whose documentation says what it does not guard against.
type Rooted struct {
	path Path
	root *os.Root
}

var _ trigo.Resource = (*Rooted)(nil)

// OpenRooted opens a directory. Symbolic links in path itself are followed. It waits
// for the disk, and for a place (see [SetLimit]), which is the wait that ctx ends; a
// cancelled call has opened nothing. ctx has no effect on the Rooted.
func OpenRooted(ctx context.Context, path Path) (*Rooted, error) {
	if err := enter(ctx); err != nil {
		return nil, rootedError("open", path, "", err)
	}
	defer leave()
	// OpenRoot would wait for the other end of a FIFO.
	info, err := os.Stat(string(path))
	if err == nil && !info.IsDir() {
		err = syscall.ENOTDIR
	}
	var root *os.Root
	if err == nil {
		root, err = os.OpenRoot(string(path))
	}
	if err != nil {
		return nil, rootedError("open", path, "", err)
	}
	return &Rooted{path, root}, nil
}

// Open is the function [Open] under the directory.
func (r *Rooted) Open(ctx context.Context, name Path, mode string) (*File, error) {
	flag, err := parseMode(mode, false)
	if err != nil {
		return nil, rootedError("open", r.path, name, err)
	}
	return r.OpenFile(ctx, name, flag, 0o666)
}

// OpenFile is the function [OpenFile] under the directory.
func (r *Rooted) OpenFile(ctx context.Context, name Path, flag int, perm fs.FileMode) (*File, error) {
	return open(ctx, rootedPath(r.path, name), flag, r.opener(name, perm))
}

// opener is the opener of a path under the directory.
func (r *Rooted) opener(name Path, perm fs.FileMode) opener {
	return opener{
		open: func(flag int) (*os.File, error) { return r.root.OpenFile(string(name), flag, perm) },
		stat: func() (fs.FileInfo, error) { return r.root.Stat(string(name)) },
	}
}

// OpenText is the function [OpenText] under the directory.
func (r *Rooted) OpenText(ctx context.Context, name Path, mode string, opts *TextOptions) (*TextFile, error) {
	return openText(ctx, rootedPath(r.path, name), mode, opts, func(flag int) (*File, error) {
		return r.OpenFile(ctx, name, flag, 0o666)
	})
}

// OpenRooted opens a directory under this one. It stays usable when this one is
// closed.
func (r *Rooted) OpenRooted(ctx context.Context, name Path) (*Rooted, error) {
	root, err := inRoot(ctx, r, "open", name, func() (*os.Root, error) { return r.root.OpenRoot(string(name)) })
	if err != nil {
		return nil, err
	}
	return &Rooted{rootedPath(r.path, name), root}, nil
}

// ReadBytes returns the content of a file, as [Path.ReadBytes] does.
func (r *Rooted) ReadBytes(ctx context.Context, name Path) ([]byte, error) {
	f, info, err := r.opener(name, 0).await(ctx, os.O_RDONLY)
	var data []byte
	if err == nil {
		data, err = readRest(ctx, rootedPath(r.path, name), f, info)
	}
	if err != nil {
		return nil, rootedError("read", r.path, name, err)
	}
	return data, nil
}

// WriteBytes makes data the content of a file, which is created with perm, less the
// umask, if it is not there. Its waits, and what a cancel leaves, are those of
// [Path.WriteBytes].
func (r *Rooted) WriteBytes(ctx context.Context, name Path, data []byte, perm fs.FileMode) error {
	f, err := r.OpenFile(ctx, name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, perm)
	if err == nil {
		err = errors.Join(f.SendAll(ctx, data), f.Close(ctx))
	}
	if err != nil {
		return rootedError("write", r.path, name, cause(err))
	}
	return nil
}

// Stat describes a file; for a symbolic link, what it points to.
func (r *Rooted) Stat(ctx context.Context, name Path) (fs.FileInfo, error) {
	return inRoot(ctx, r, "stat", name, func() (fs.FileInfo, error) { return r.root.Stat(string(name)) })
}

// Lstat describes a file, which may be a symbolic link.
func (r *Rooted) Lstat(ctx context.Context, name Path) (fs.FileInfo, error) {
	return inRoot(ctx, r, "stat", name, func() (fs.FileInfo, error) { return r.root.Lstat(string(name)) })
}

// Readlink returns what a symbolic link points to, which may be outside.
func (r *Rooted) Readlink(ctx context.Context, name Path) (Path, error) {
	target, err := inRoot(ctx, r, "read link", name, func() (string, error) { return r.root.Readlink(string(name)) })
	return Path(target), err
}

// Mkdir makes a directory.
func (r *Rooted) Mkdir(ctx context.Context, name Path, perm fs.FileMode) error {
	return r.do(ctx, "make directory", name, func() error { return r.root.Mkdir(string(name), perm) })
}

// MkdirAll makes a directory and those above it that are not there.
func (r *Rooted) MkdirAll(ctx context.Context, name Path, perm fs.FileMode) error {
	return r.do(ctx, "make directory", name, func() error { return r.root.MkdirAll(string(name), perm) })
}

// Remove removes a file or an empty directory.
func (r *Rooted) Remove(ctx context.Context, name Path) error {
	return r.do(ctx, "remove", name, func() error { return r.root.Remove(string(name)) })
}

// RemoveAll removes a file or a directory with everything in it. That there is none
// is no error.
func (r *Rooted) RemoveAll(ctx context.Context, name Path) error {
	return r.do(ctx, "remove", name, func() error { return r.root.RemoveAll(string(name)) })
}

// Rename moves a file within the directory, and replaces what has that name.
func (r *Rooted) Rename(ctx context.Context, from, to Path) error {
	return r.do(ctx, "rename", from, func() error { return r.root.Rename(string(from), string(to)) })
}

// Link gives a file a second name.
func (r *Rooted) Link(ctx context.Context, from, to Path) error {
	return r.do(ctx, "link", to, func() error { return r.root.Link(string(from), string(to)) })
}

// Symlink makes name a symbolic link to target, which may be anything; following a
// link that leads out fails.
func (r *Rooted) Symlink(ctx context.Context, target, name Path) error {
	return r.do(ctx, "link", name, func() error { return r.root.Symlink(string(target), string(name)) })
}

// Chmod changes permissions.
func (r *Rooted) Chmod(ctx context.Context, name Path, perm fs.FileMode) error {
	return r.do(ctx, "chmod", name, func() error { return r.root.Chmod(string(name), perm) })
}

// Chown changes the owner; for a symbolic link, that of what it points to.
func (r *Rooted) Chown(ctx context.Context, name Path, uid, gid int) error {
	return r.do(ctx, "chown", name, func() error { return r.root.Chown(string(name), uid, gid) })
}

// Lchown changes the owner of a file, which may be a symbolic link.
func (r *Rooted) Lchown(ctx context.Context, name Path, uid, gid int) error {
	return r.do(ctx, "chown", name, func() error { return r.root.Lchown(string(name), uid, gid) })
}

// Chtimes changes the times of the last access and the last change. A zero time
// changes nothing.
func (r *Rooted) Chtimes(ctx context.Context, name Path, accessed, modified time.Time) error {
	return r.do(ctx, "change times", name, func() error { return r.root.Chtimes(string(name), accessed, modified) })
}

// FS returns the directory as a file system for packages that want one, without a
// ctx.
func (r *Rooted) FS() fs.FS { return r.root.FS() }

// Path returns the path that the directory was opened by.
func (r *Rooted) Path() Path { return r.path }

func (r *Rooted) String() string { return "directory " + string(r.path) }

// Underlying returns the [os.Root].
func (r *Rooted) Underlying() any { return r.root }

// Close gives the directory back. Files that were opened under it stay open.
func (r *Rooted) Close(ctx context.Context) error {
	if err := r.root.Close(); err != nil {
		return rootedError("close", r.path, "", err)
	}
	return nil
}

// do makes one call under the directory.
func (r *Rooted) do(ctx context.Context, op string, name Path, call func() error) error {
	_, err := inRoot(ctx, r, op, name, func() (struct{}, error) { return struct{}{}, call() })
	return err
}

// inRoot is do for calls that return something.
func inRoot[T any](ctx context.Context, r *Rooted, op string, name Path, call func() (T, error)) (v T, err error) {
	if err = enter(ctx); err == nil {
		v, err = call()
		leave()
	}
	if err != nil {
		return v, rootedError(op, r.path, name, err)
	}
	return v, nil
}

// rootedPath is how a path under a directory is shown.
func rootedPath(dir, name Path) Path {
	if name == "" {
		return dir
	}
	return dir + Path(os.PathSeparator) + name
}

func rootedError(op string, dir, name Path, err error) error {
	return &trigo.OpError{Op: op, Layer: layerOf(rootedPath(dir, name)), Err: bare(err)}
}
