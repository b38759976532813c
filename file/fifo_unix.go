//go:build unix

package file

import (
	"io/fs"
	"syscall"
)

func makeFIFO(path string, perm fs.FileMode) error {
	return syscall.Mkfifo(path, uint32(perm.Perm()))
}
