package file

import (
	"context"
	"errors"
	"io/fs"
	"syscall"
	"time"
)

// Move gives a file or a tree another name, also on another file system: there it
// is copied, with its times, and then removed. On the same file system it is
// [Path.Replace]; on another a target that is there already is [fs.ErrExist] unless
// both are files.
//
// A cancel or a failure while it copies removes the copy and leaves p as it was. If
// it comes while p is being removed, the copy is complete, and some of p may be left.
func (p Path) Move(ctx context.Context, target Path) error {
	_, err := p.Replace(ctx, target)
	if !isOtherDevice(err) {
		return err
	}
	info, err := p.Lstat(ctx)
	if err != nil {
		return err
	}
	keep := &CopyOptions{KeepTimes: true}
	switch {
	case info.IsDir():
		if _, err := target.Lstat(ctx); !errors.Is(err, fs.ErrNotExist) {
			if err == nil {
				err = opError("move", target, fs.ErrExist)
			}
			return err
		}
		if err := p.CopyTree(ctx, target, keep); err != nil {
			clean, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanUpTime)
			defer cancel()
			return errors.Join(err, target.RemoveAll(clean))
		}
		return p.RemoveAll(ctx)
	case info.Mode()&fs.ModeSymlink != 0:
		err = p.call(ctx, "move", func(name string) error { return copyLink(name, target.name(), true) })
	default:
		err = p.Copy(ctx, target, keep)
	}
	if err != nil {
		return err
	}
	return p.Unlink(ctx, nil)
}

// cleanUpTime bounds the removal of a copy that was not finished.
const cleanUpTime = 30 * time.Second

// isOtherDevice reports whether a file cannot be renamed because the target is on
// another file system.
func isOtherDevice(err error) bool {
	const windowsNotSameDevice = syscall.Errno(17)
	return errors.Is(err, syscall.EXDEV) || separator == `\` && errors.Is(err, windowsNotSameDevice)
}
