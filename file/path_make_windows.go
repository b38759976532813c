package file

import (
	"io/fs"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/windows"
)

// rename is os.Rename without replacing.
func rename(from, to string) error {
	f, err := windows.UTF16PtrFromString(from)
	if err != nil {
		return err
	}
	t, err := windows.UTF16PtrFromString(to)
	if err != nil {
		return err
	}
	return windows.MoveFileEx(f, t, 0)
}

// unlink removes a file or a link, but no directory.
func unlink(name string) error {
	info, err := os.Lstat(name)
	if err != nil {
		return err
	}
	if info.IsDir() && info.Mode()&fs.ModeSymlink == 0 {
		return syscall.EISDIR
	}
	return os.Remove(name)
}

func rmdir(name string) error { return syscall.Rmdir(name) }

// touch sets the times of a file to now.
func touch(name string) error {
	now := time.Now()
	return os.Chtimes(name, now, now)
}
