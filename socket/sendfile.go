package socket

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"

	"trigo"
)

// SendFile sends n bytes of f, from offset on, or up to the end of f if n is
// negative. It returns how many were sent, also with an error. On Linux the bytes
// do not pass through the process; elsewhere, and for what the system cannot do it
// with, they are read and sent. The position of f is not used and stays as it is.
//
// A cancelled SendFile has sent what it returns, and the socket is usable. Reading
// f is not cancelled: f should be a regular file. A file that ends before n bytes is
// [io.ErrUnexpectedEOF]. It counts as sending from its first byte to its last: beside
// it another call that sends is [trigo.ErrBusy].
func (s *Socket) SendFile(ctx context.Context, f *os.File, offset, n int64) (sent int64, err error) {
	if offset < 0 {
		return 0, s.fail("send file", fmt.Errorf("offset %d: %w", offset, syscall.EINVAL))
	}
	fs := fileSender{s: s, f: f, offset: offset, n: n}
	err = fs.send(ctx)
	if err == nil && n >= 0 && fs.sent < n {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return fs.sent, &trigo.OpError{Op: "send file", Layer: s.String(), N: fs.sent, Err: unwrapOp(err)}
	}
	return fs.sent, nil
}

// fileSender is one call of SendFile.
type fileSender struct {
	s         *Socket
	f         *os.File
	offset, n int64
	sent      int64

	byHand bool   // the kernel cannot do it
	buf    []byte // and it goes through here
}

// send does all of it within one call of pollio, however often that waits: between
// two, another sender would come in.
func (fs *fileSender) send(ctx context.Context) error {
	k, err := fs.s.d.system()
	if err != nil {
		return fs.pieces(ctx, func(n int) (int, error) {
			return fs.readAndSend(n, func(p []byte) (int, error) { return fs.s.Send(ctx, p, 0) })
		})
	}
	from, err := fs.f.SyscallConn()
	if err != nil {
		return err
	}
	t := fs.s.takeOutbound()
	defer t.rest(&fs.s.outbound)
	t.flags, t.named = 0, false
	return k.fd.WriteOp(ctx, func(sysfd int) error {
		return fs.pieces(ctx, func(n int) (int, error) {
			if !fs.byHand {
				moved, err := fs.kernelSends(sysfd, from, n)
				if !cannotSendFile(err) {
					return moved, err
				}
				fs.byHand = true
			}
			return fs.readAndSend(n, func(p []byte) (int, error) {
				t.p = p
				err := t.single(sysfd)
				return t.n, err
			})
		})
	})
}

// filePiece is how much is sent between two looks at the ctx.
const filePiece = 1 << 20

// pieces sends what is left, until there is no more. move sends some of the next n
// bytes.
func (fs *fileSender) pieces(ctx context.Context, move func(n int) (int, error)) error {
	for fs.n < 0 || fs.sent < fs.n {
		// A fast reader could keep this loop from ever having to wait.
		switch {
		case fs.s.Closed():
			return trigo.ErrClosed
		case ctx.Err() != nil:
			return trigo.CancelError(ctx)
		}
		piece := filePiece
		if fs.n >= 0 {
			piece = int(min(fs.n-fs.sent, filePiece))
		}
		moved, err := move(piece)
		if err != nil || moved == 0 {
			return err
		}
		fs.sent += int64(moved)
	}
	return nil
}

func (fs *fileSender) kernelSends(sysfd int, from syscall.RawConn, n int) (moved int, err error) {
	at := fs.offset + fs.sent
	gone := from.Control(func(from uintptr) {
		for {
			if moved, err = sysSendFile(sysfd, int(from), &at, n); err != syscall.EINTR {
				return
			}
		}
	})
	return moved, cmp.Or(gone, err)
}

func (fs *fileSender) readAndSend(n int, send func(p []byte) (int, error)) (int, error) {
	if fs.buf == nil {
		fs.buf = make([]byte, 64<<10)
	}
	got, err := fs.f.ReadAt(fs.buf[:min(n, len(fs.buf))], fs.offset+fs.sent)
	switch {
	case got > 0:
		return send(fs.buf[:got])
	case err == io.EOF:
		return 0, nil
	}
	return 0, err
}

// cannotSendFile reports whether the kernel says that it cannot do it with these
// two, and nothing about either.
func cannotSendFile(err error) bool {
	return errors.Is(err, errors.ErrUnsupported) || errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.EOPNOTSUPP)
}

func unwrapOp(err error) error {
	var op *trigo.OpError
	if errors.As(err, &op) {
		return op.Err
	}
	return err
}
