package file

import (
	"context"
	"errors"
	"io/fs"
	"os"
)

// MkdirOptions says how [Path.Mkdir] makes a directory.
type MkdirOptions struct {
	Mode    fs.FileMode // the permissions, before the umask; 0: 0o777
	Parents bool        // make the directories above it too, those with 0o777
	ExistOK bool        // a directory that is there already is no error
}

// Mkdir makes a directory. What is there already is [fs.ErrExist]. A cancel can
// leave some of the parents made.
func (p Path) Mkdir(ctx context.Context, opts *MkdirOptions) error {
	if opts == nil {
		opts = &MkdirOptions{}
	}
	mode := opts.Mode
	if mode == 0 {
		mode = 0o777
	}
	err := p.call(ctx, "mkdir", func(name string) error {
		err := os.Mkdir(name, mode)
		if err == nil || !opts.ExistOK || errors.Is(err, fs.ErrNotExist) {
			return err
		}
		// Systems have other reasons too that come before "it exists".
		if info, statErr := os.Stat(name); statErr == nil && info.IsDir() {
			return nil
		}
		return err
	})
	if parent := p.Parent(); opts.Parents && errors.Is(err, fs.ErrNotExist) && !parent.Equal(p) {
		if err := parent.Mkdir(ctx, &MkdirOptions{Parents: true, ExistOK: true}); err != nil {
			return err
		}
		return p.Mkdir(ctx, &MkdirOptions{Mode: mode, ExistOK: opts.ExistOK})
	}
	return err
}

// TouchOptions says how [Path.Touch] makes a file.
type TouchOptions struct {
	Mode      fs.FileMode // the permissions of a new file, before the umask; 0: 0o666
	Exclusive bool        // a file that is there already is fs.ErrExist
}

// Touch makes an empty file, or sets the times of one that is there to now.
func (p Path) Touch(ctx context.Context, opts *TouchOptions) error {
	if opts == nil {
		opts = &TouchOptions{}
	}
	mode, flag := opts.Mode, os.O_CREATE|os.O_WRONLY
	if mode == 0 {
		mode = 0o666
	}
	if opts.Exclusive {
		flag |= os.O_EXCL
	}
	return p.call(ctx, "touch", func(name string) error {
		if !opts.Exclusive {
			if err := touch(name); err == nil {
				return nil
			}
		}
		f, err := os.OpenFile(name, flag|nonblocking, mode)
		if err != nil {
			return err
		}
		return f.Close()
	})
}

// SymlinkTo makes p a symbolic link that says target, which need not exist and,
// if it is relative, starts from the directory of p. On Windows it leads to a
// directory if there is one when the link is made.
func (p Path) SymlinkTo(ctx context.Context, target Path) error {
	return p.call(ctx, "symlink", func(name string) error { return os.Symlink(string(target), name) })
}

// HardlinkTo makes p another name of the file target.
func (p Path) HardlinkTo(ctx context.Context, target Path) error {
	return p.call(ctx, "hardlink", func(name string) error { return os.Link(target.name(), name) })
}

// Readlink returns what a symbolic link says.
func (p Path) Readlink(ctx context.Context) (Path, error) {
	return ask(ctx, "readlink", p, func(name string) (Path, error) {
		target, err := os.Readlink(name)
		return Path(target), err
	})
}

// Rename gives the file another name, and returns that. What is at target is
// replaced on POSIX, if the system can: a file by a file, an empty directory by
// a directory. On Windows it is [fs.ErrExist]. A relative target starts from the
// current directory, not from that of p.
func (p Path) Rename(ctx context.Context, target Path) (Path, error) {
	return p.moveTo(ctx, "rename", target, rename)
}

// Replace is [Path.Rename] that replaces a file on all systems.
func (p Path) Replace(ctx context.Context, target Path) (Path, error) {
	return p.moveTo(ctx, "replace", target, os.Rename)
}

func (p Path) moveTo(ctx context.Context, op string, target Path, f func(from, to string) error) (Path, error) {
	return ask(ctx, op, p, func(name string) (Path, error) {
		if err := f(name, target.name()); err != nil {
			return "", err
		}
		return target, nil
	})
}

// UnlinkOptions says how [Path.Unlink] removes a file.
type UnlinkOptions struct {
	MissingOK bool // that there is nothing is no error
}

// Unlink removes a file or a link; for a directory there are [Path.Rmdir] and
// [Path.RemoveAll].
func (p Path) Unlink(ctx context.Context, opts *UnlinkOptions) error {
	return p.call(ctx, "unlink", func(name string) error {
		err := unlink(name)
		if opts != nil && opts.MissingOK && errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	})
}

// Rmdir removes an empty directory.
func (p Path) Rmdir(ctx context.Context) error { return p.call(ctx, "rmdir", rmdir) }
