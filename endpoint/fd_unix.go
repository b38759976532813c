//go:build unix

package endpoint

import (
	"context"
	"errors"
	"fmt"
	"syscall"

	"golang.org/x/sys/unix"

	"trigo"
	"trigo/internal/fdstream"
	"trigo/netstream"
	"trigo/socket"
)

// openFD makes a stream of an inherited descriptor. It is closed with the stream.
func openFD(ctx context.Context, fd int, way Direction) (trigo.Stream, error) {
	if ctx.Err() != nil {
		return nil, trigo.CancelError(ctx)
	}
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
	if err != nil {
		return nil, &trigo.OpError{Op: "open", Layer: fmt.Sprintf("descriptor %d", fd), Err: err}
	}
	s, err := socket.FromFD(fd)
	if err == nil {
		conn, err := netstream.FromSocket(s)
		if err != nil {
			s.Close(ctx)
			return nil, err
		}
		return conn, nil
	}
	if !errors.Is(err, syscall.ENOTSOCK) {
		return nil, err
	}
	name := fmt.Sprintf("fd %d", fd)
	var out trigo.SendStream
	var in trigo.ReceiveStream
	mode := flags & unix.O_ACCMODE
	if way != ReceiveOnly && mode != unix.O_RDONLY {
		o, err := fdstream.OpenOutput(fd, name)
		if err != nil {
			return nil, err
		}
		out = o
	}
	if way != SendOnly && mode != unix.O_WRONLY {
		i, err := fdstream.OpenInput(fd, name)
		if err != nil {
			if out != nil {
				out.Close(ctx)
			}
			return nil, err
		}
		in = i
	}
	return pair(out, in, name), nil
}

// makeFIFO makes a named pipe, if there is none yet.
func makeFIFO(path string, mode uint32) error {
	if err := unix.Mkfifo(path, mode); err != nil && !errors.Is(err, unix.EEXIST) {
		return &trigo.OpError{Op: "make", Layer: "fifo " + path, Err: err}
	}
	return nil
}
