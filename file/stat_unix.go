//go:build unix

package file

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// isMount compares the directory with the one above it: a mount point lies on
// another device, or is its own parent.
func isMount(name string) (bool, error) {
	info, err := os.Lstat(name)
	if err != nil || info.Mode()&fs.ModeSymlink != 0 {
		return false, err
	}
	if !info.IsDir() {
		return false, nil
	}
	above, err := os.Lstat(filepath.Join(name, ".."))
	if name == "." || filepath.Base(name) == ".." { // Join goes by the names alone
		above, err = os.Lstat(name + "/..")
	}
	if err != nil {
		return false, err
	}
	return deviceOf(info) != deviceOf(above) || os.SameFile(info, above), nil
}

func deviceOf(info fs.FileInfo) uint64 { return uint64(info.Sys().(*syscall.Stat_t).Dev) }

func isJunction(name string) (bool, error) {
	_, err := os.Lstat(name)
	return false, err
}

func lchmod(name string, mode fs.FileMode) error {
	err := unix.Fchmodat(unix.AT_FDCWD, name, syscallMode(mode), unix.AT_SYMLINK_NOFOLLOW)
	if !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	// Older kernels refuse the flag for every file. It matters only for links.
	info, statErr := os.Lstat(name)
	if statErr != nil {
		return statErr
	}
	if info.Mode()&fs.ModeSymlink != 0 {
		return err
	}
	return os.Chmod(name, mode)
}

// syscallMode is mode as the system counts it.
func syscallMode(mode fs.FileMode) uint32 {
	bits := uint32(mode.Perm())
	for _, b := range []struct {
		mode fs.FileMode
		bit  uint32
	}{{fs.ModeSetuid, syscall.S_ISUID}, {fs.ModeSetgid, syscall.S_ISGID}, {fs.ModeSticky, syscall.S_ISVTX}} {
		if mode&b.mode != 0 {
			bits |= b.bit
		}
	}
	return bits
}
