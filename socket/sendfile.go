package socket

import (
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
// [io.ErrUnexpectedEOF].
func (s *Socket) SendFile(ctx context.Context, f *os.File, offset, n int64) (sent int64, err error) {
	if offset < 0 {
		return 0, s.fail("send file", fmt.Errorf("offset %d: %w", offset, syscall.EINVAL))
	}
	sent, err = s.sendFile(ctx, f, offset, n)
	if err == nil && n >= 0 && sent < n {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return sent, &trigo.OpError{Op: "send file", Layer: s.String(), N: sent, Err: err}
	}
	return sent, nil
}

// sendFileChunk is how much is sent between two looks at the ctx.
const sendFileChunk = 1 << 20

func (s *Socket) sendFile(ctx context.Context, f *os.File, offset, n int64) (sent int64, err error) {
	k, err := s.d.system()
	if err != nil {
		return s.copyFile(ctx, f, offset, n, n < 0)
	}
	raw, err := f.SyscallConn()
	if err != nil {
		return 0, err
	}
	for n < 0 || sent < n {
		chunk := sendFileChunk
		if n >= 0 {
			chunk = int(min(n-sent, sendFileChunk))
		}
		moved := 0
		at := offset + sent
		err := k.fd.WriteOp(ctx, func(sysfd int) error {
			var err error
			gone := raw.Control(func(from uintptr) {
				for {
					if moved, err = sysSendFile(sysfd, int(from), &at, chunk); err != syscall.EINTR {
						return
					}
				}
			})
			if gone != nil {
				return gone
			}
			return err
		})
		if cannotSendFile(err) {
			copied, err := s.copyFile(ctx, f, offset+sent, n-sent, n < 0)
			return sent + copied, err
		}
		if err != nil || moved <= 0 {
			return sent, err
		}
		sent += int64(moved)
	}
	return sent, nil
}

// cannotSendFile reports whether the kernel says that it cannot do it with these
// two, and nothing about either.
func cannotSendFile(err error) bool {
	return errors.Is(err, errors.ErrUnsupported) || errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.EOPNOTSUPP)
}

// copyFile is SendFile by hand.
func (s *Socket) copyFile(ctx context.Context, f *os.File, offset, n int64, toEnd bool) (sent int64, err error) {
	buf := make([]byte, 64<<10)
	for toEnd || sent < n {
		want := len(buf)
		if !toEnd {
			want = int(min(n-sent, int64(want)))
		}
		got, err := f.ReadAt(buf[:want], offset+sent)
		if got == 0 {
			if err == io.EOF {
				err = nil
			}
			return sent, err
		}
		for p := buf[:got]; len(p) > 0; {
			n, err := s.Send(ctx, p, 0)
			sent += int64(n)
			if err != nil {
				return sent, unwrapOp(err)
			}
			p = p[n:]
		}
	}
	return sent, nil
}

func unwrapOp(err error) error {
	var op *trigo.OpError
	if errors.As(err, &op) {
		return op.Err
	}
	return err
}
