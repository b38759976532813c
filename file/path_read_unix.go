//go:build unix

package file

import (
	"context"
	"os"
	"syscall"
)

// readBytes reads a small file with no more than the calls that it takes: open,
// fstat, read, close. Package os would also ask whether the poller can have the
// file, and read once more at its end.
func readBytes(ctx context.Context, p Path) ([]byte, error) {
	if err := enter(ctx); err != nil {
		return nil, err
	}
	fd, st, err := openStat(p.name())
	if err != nil {
		leave()
		return nil, err
	}
	if st.Mode&syscall.S_IFMT != syscall.S_IFREG || st.Size <= 0 || st.Size > piece {
		f := os.NewFile(uintptr(fd), string(p))
		info, err := f.Stat()
		leave()
		if err != nil {
			f.Close()
			return nil, err
		}
		return readRest(ctx, p, f, info)
	}
	defer leave()
	defer syscall.Close(fd)
	data := make([]byte, st.Size)
	for read := 0; read < len(data); {
		n, err := syscall.Read(fd, data[read:])
		switch {
		case err == syscall.EINTR:
		case err != nil:
			return nil, err
		case n == 0: // it has become shorter
			return data[:read], nil
		default:
			read += n
		}
	}
	return data, nil
}

// openStat opens a file for reading, waiting for nobody but the disk.
func openStat(name string) (fd int, st syscall.Stat_t, err error) {
	err = again(func() error {
		fd, err = syscall.Open(name, syscall.O_RDONLY|syscall.O_CLOEXEC|nonblocking, 0)
		return err
	})
	if err != nil {
		return -1, st, err
	}
	if err = again(func() error { return syscall.Fstat(fd, &st) }); err != nil {
		syscall.Close(fd)
		return -1, st, err
	}
	return fd, st, nil
}
