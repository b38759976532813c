//go:build unix

package file

import (
	"errors"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

func rename(from, to string) error { return os.Rename(from, to) }

func unlink(name string) error { return again(func() error { return syscall.Unlink(name) }) }

func rmdir(name string) error { return again(func() error { return syscall.Rmdir(name) }) }

// touch sets the times of a file to now, which whoever may write it may do.
func touch(name string) error { return again(func() error { return unix.Utimes(name, nil) }) }

// again makes a system call until no signal interrupts it.
func again(f func() error) error {
	for {
		if err := f(); !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}
