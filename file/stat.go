package file

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// Stat returns what the system knows about the file; of a symbolic link, about
// what it leads to.
func (p Path) Stat(ctx context.Context) (fs.FileInfo, error) { return ask(ctx, "stat", p, os.Stat) }

// Lstat is [Path.Stat] about a symbolic link itself.
func (p Path) Lstat(ctx context.Context) (fs.FileInfo, error) { return ask(ctx, "lstat", p, os.Lstat) }

// Exists reports whether there is something at p. A symbolic link that leads
// nowhere does not exist, nor does what lies below something that is no
// directory.
//
// It and the Is calls fail only if the answer cannot be known: if ctx is dead, or
// a directory on the way must not be entered.
func (p Path) Exists(ctx context.Context) (bool, error) {
	return p.test(ctx, "exists", os.Stat, func(fs.FileMode) bool { return true })
}

// IsFile reports whether p is a regular file, or a link to one.
func (p Path) IsFile(ctx context.Context) (bool, error) {
	return p.test(ctx, "is file", os.Stat, fs.FileMode.IsRegular)
}

// IsDir reports whether p is a directory, or a link to one.
func (p Path) IsDir(ctx context.Context) (bool, error) {
	return p.test(ctx, "is dir", os.Stat, fs.FileMode.IsDir)
}

// IsSymlink reports whether p is a symbolic link, also one that leads nowhere.
func (p Path) IsSymlink(ctx context.Context) (bool, error) {
	return p.test(ctx, "is symlink", os.Lstat, func(m fs.FileMode) bool { return m&fs.ModeSymlink != 0 })
}

// IsFIFO reports whether p is a named pipe, or a link to one.
func (p Path) IsFIFO(ctx context.Context) (bool, error) {
	return p.test(ctx, "is fifo", os.Stat, func(m fs.FileMode) bool { return m&fs.ModeNamedPipe != 0 })
}

// IsSocket reports whether p is a Unix socket, or a link to one.
func (p Path) IsSocket(ctx context.Context) (bool, error) {
	return p.test(ctx, "is socket", os.Stat, func(m fs.FileMode) bool { return m&fs.ModeSocket != 0 })
}

// IsBlockDevice reports whether p is a block device, or a link to one.
func (p Path) IsBlockDevice(ctx context.Context) (bool, error) {
	const devices = fs.ModeDevice | fs.ModeCharDevice
	return p.test(ctx, "is block device", os.Stat, func(m fs.FileMode) bool { return m&devices == fs.ModeDevice })
}

// IsCharDevice reports whether p is a character device, or a link to one.
func (p Path) IsCharDevice(ctx context.Context) (bool, error) {
	return p.test(ctx, "is char device", os.Stat, func(m fs.FileMode) bool { return m&fs.ModeCharDevice != 0 })
}

// IsMount reports whether a file system is mounted at p. A link is not followed.
func (p Path) IsMount(ctx context.Context) (bool, error) {
	is, err := ask(ctx, "is mount", p, isMount)
	return known(is, err)
}

// IsJunction reports whether p is a junction, a kind of link that only Windows
// has.
func (p Path) IsJunction(ctx context.Context) (bool, error) {
	is, err := ask(ctx, "is junction", p, isJunction)
	return known(is, err)
}

// test asks with stat and looks at the mode.
func (p Path) test(ctx context.Context, op string, stat func(string) (fs.FileInfo, error), is func(fs.FileMode) bool) (bool, error) {
	info, err := ask(ctx, op, p, stat)
	return known(err == nil && is(info.Mode()), err)
}

// known turns errors that say that there is no such file into the answer no.
func known(is bool, err error) (bool, error) {
	if isAbsent(err) || errors.Is(err, syscall.ELOOP) {
		return false, nil
	}
	return is, err
}

// isAbsent reports whether err says that there is nothing by that name.
func isAbsent(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}

// Samefile reports whether p and other are the same file by different names.
// Links are followed.
func (p Path) Samefile(ctx context.Context, other Path) (bool, error) {
	mine, err := p.Stat(ctx)
	if err != nil {
		return false, err
	}
	theirs, err := other.Stat(ctx)
	if err != nil {
		return false, err
	}
	return os.SameFile(mine, theirs), nil
}

// Chmod changes the permissions of p; of a symbolic link, those of what it leads
// to.
func (p Path) Chmod(ctx context.Context, mode fs.FileMode) error {
	return p.call(ctx, "chmod", func(name string) error { return os.Chmod(name, mode) })
}

// LChmod is [Path.Chmod] that does not follow a link. Most systems give links no
// permissions: there it Is [errors.ErrUnsupported] on a link.
func (p Path) LChmod(ctx context.Context, mode fs.FileMode) error {
	return p.call(ctx, "lchmod", func(name string) error { return lchmod(name, mode) })
}
