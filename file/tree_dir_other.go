//go:build !linux

package file

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// dirHandle is a directory, by its path: descriptors are left to package os.
type dirHandle struct {
	path string
	f    *os.File
}

// fileID is what tells a file from all others.
type fileID string

func openDir(path string) (dirHandle, error) {
	f, err := os.Open(path)
	return dirHandle{path, f}, err
}

func (d dirHandle) open(name string, follow bool) (dirHandle, error) {
	if kind, err := d.kind(name, follow); err != nil || kind != fs.ModeDir {
		if err == nil {
			err = fs.ErrNotExist // it has become something else
		}
		return dirHandle{}, err
	}
	return openDir(d.join(name))
}

func (d dirHandle) openBelow(rel string, follow bool) (dirHandle, error) { return d.open(rel, follow) }

func (d dirHandle) join(name string) string { return d.path + separator + name }

func (d dirHandle) close() { d.f.Close() }

// id is the path without links: os.SameFile has nothing that could be compared
// later.
func (d dirHandle) id() (fileID, error) {
	path, err := filepath.EvalSymlinks(d.path)
	return fileID(path), err
}

func (d dirHandle) kind(name string, follow bool) (fs.FileMode, error) {
	return kindOfPath(d.join(name), follow)
}

func kindOfPath(path string, follow bool) (fs.FileMode, error) {
	stat := os.Lstat
	if follow {
		stat = os.Stat
	}
	info, err := stat(path)
	if err != nil {
		return 0, err
	}
	return info.Mode().Type(), nil
}

func (d dirHandle) unlink(name string) error { return os.Remove(d.join(name)) }
func (d dirHandle) rmdir(name string) error  { return os.Remove(d.join(name)) }

// dirBuffer holds entries that were read.
type dirBuffer struct{ rest []fs.DirEntry }

func (b *dirBuffer) fill(d dirHandle) (more bool, err error) {
	b.rest, err = d.f.ReadDir(batchSize)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return len(b.rest) > 0, err
}

func (b *dirBuffer) next() (name string, kind fs.FileMode, ok bool) {
	if len(b.rest) == 0 {
		return "", 0, false
	}
	entry := b.rest[0]
	b.rest = b.rest[1:]
	return entry.Name(), entry.Type(), true
}
