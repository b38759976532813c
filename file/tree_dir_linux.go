package file

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io/fs"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// dirHandle is an open directory. Package os would give each a finalizer, a name
// and an entry in the poller, and read its entries into slices.
type dirHandle struct{ fd int }

// fileID tells a file from all others.
type fileID struct{ dev, ino uint64 }

const dirFlags = unix.O_RDONLY | unix.O_DIRECTORY | unix.O_CLOEXEC

func openDir(path string) (dirHandle, error) { return dirHandle{unix.AT_FDCWD}.open(path, true) }

// open opens a directory by its name in d. follow is whether it may be a link.
func (d dirHandle) open(name string, follow bool) (h dirHandle, err error) {
	flags := dirFlags
	if !follow {
		flags |= unix.O_NOFOLLOW
	}
	err = again(func() error {
		h.fd, err = unix.Openat(d.fd, name, flags, 0)
		return err
	})
	return h, err
}

// maxPath is how long a path the system takes.
const maxPath = unix.PathMax - 1

// openBelow opens a directory anywhere below d, by a path that can be longer than
// the system takes in one go. No name on the way may be a link, unless follow.
func (d dirHandle) openBelow(rel string, follow bool) (dirHandle, error) {
	at := d
	for {
		piece := rel
		if len(piece) > maxPath {
			piece = rel[:strings.LastIndexByte(rel[:maxPath], '/')]
		}
		rel = strings.TrimPrefix(rel[len(piece):], "/")
		h, err := at.openPiece(piece, follow)
		if at != d {
			at.close()
		}
		if err != nil || rel == "" {
			return h, err
		}
		at = h
	}
}

// openPiece is openBelow for a path that is short enough.
func (d dirHandle) openPiece(rel string, follow bool) (h dirHandle, err error) {
	if follow || !strings.Contains(rel, "/") {
		return d.open(rel, follow)
	}
	how := unix.OpenHow{Flags: dirFlags, Resolve: unix.RESOLVE_NO_SYMLINKS}
	err = again(func() error {
		h.fd, err = unix.Openat2(d.fd, rel, &how)
		return err
	})
	if !errors.Is(err, unix.ENOSYS) && !errors.Is(err, unix.EPERM) { // Linux before 5.6, or a sandbox
		return h, err
	}
	return d.openSteps(rel)
}

// openSteps is openPiece for kernels that cannot do it in one call.
func (d dirHandle) openSteps(rel string) (h dirHandle, err error) {
	h = d
	for name := range strings.SplitSeq(rel, "/") {
		above := h
		h, err = above.open(name, false)
		if above != d {
			above.close()
		}
		if err != nil {
			return h, err
		}
	}
	return h, nil
}

func (d dirHandle) close() { unix.Close(d.fd) }

func (d dirHandle) id() (fileID, error) {
	var st unix.Stat_t
	err := again(func() error { return unix.Fstat(d.fd, &st) })
	return fileID{uint64(st.Dev), st.Ino}, err
}

// kind is the type of a file in d.
func (d dirHandle) kind(name string, follow bool) (fs.FileMode, error) {
	flags := unix.AT_SYMLINK_NOFOLLOW
	if follow {
		flags = 0
	}
	var st unix.Stat_t
	if err := again(func() error { return unix.Fstatat(d.fd, name, &st, flags) }); err != nil {
		return 0, err
	}
	return kinds[st.Mode&unix.S_IFMT>>12], nil
}

func kindOfPath(path string, follow bool) (fs.FileMode, error) {
	return dirHandle{unix.AT_FDCWD}.kind(path, follow)
}

// unlink removes a file in d.
func (d dirHandle) unlink(name string) error {
	return again(func() error { return unix.Unlinkat(d.fd, name, 0) })
}

// rmdir removes an empty directory in d.
func (d dirHandle) rmdir(name string) error {
	return again(func() error { return unix.Unlinkat(d.fd, name, unix.AT_REMOVEDIR) })
}

// kinds are the types of files by the number that both getdents and stat have for
// them.
var kinds = [16]fs.FileMode{
	unix.DT_UNKNOWN: unknownKind,
	unix.DT_FIFO:    fs.ModeNamedPipe,
	unix.DT_CHR:     fs.ModeDevice | fs.ModeCharDevice,
	unix.DT_DIR:     fs.ModeDir,
	unix.DT_BLK:     fs.ModeDevice,
	unix.DT_REG:     0,
	unix.DT_LNK:     fs.ModeSymlink,
	unix.DT_SOCK:    fs.ModeSocket,
}

// dirBuffer takes what getdents returns.
type dirBuffer struct {
	raw  []byte
	rest []byte // not yet given out
}

// fill reads on in d. It reports whether there may be more.
func (b *dirBuffer) fill(d dirHandle) (more bool, err error) {
	if b.raw == nil {
		b.raw = make([]byte, 32<<10)
	}
	var n int
	err = again(func() error {
		n, err = unix.Getdents(d.fd, b.raw)
		return err
	})
	if errors.Is(err, unix.ENOENT) { // it was removed: nothing is in it
		err = nil
	}
	b.rest = b.raw[:max(n, 0)]
	return n > 0, err
}

// next returns the next name, which is part of the buffer, and its type.
func (b *dirBuffer) next() (name string, kind fs.FileMode, ok bool) {
	for len(b.rest) > 0 {
		length := binary.NativeEndian.Uint16(b.rest[unsafe.Offsetof(unix.Dirent{}.Reclen):])
		kind = kinds[b.rest[unsafe.Offsetof(unix.Dirent{}.Type)]&15]
		raw := b.rest[unsafe.Offsetof(unix.Dirent{}.Name):length]
		b.rest = b.rest[length:]
		name = unsafe.String(unsafe.SliceData(raw), bytes.IndexByte(raw, 0))
		if name != "." && name != ".." {
			return name, kind, true
		}
	}
	return "", 0, false
}
