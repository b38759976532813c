//go:build linux || darwin || freebsd

package socket

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"strconv"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"trigo"
)

// Trio: test_SocketType_setsockopt
func TestOptionsInAllForms(t *testing.T) {
	s := open(t, inet, stream, 0)
	ok(t, s.SetsockoptInt(unix.IPPROTO_TCP, unix.TCP_NODELAY, 1))
	if n, err := s.GetsockoptInt(unix.IPPROTO_TCP, unix.TCP_NODELAY); n == 0 || err != nil {
		t.Error(n, err)
	}
	ok(t, s.SetsockoptBytes(unix.IPPROTO_TCP, unix.TCP_NODELAY, make([]byte, 4)))
	if b, err := s.GetsockoptBytes(unix.IPPROTO_TCP, unix.TCP_NODELAY, 4); !bytes.Equal(b, make([]byte, 4)) || err != nil {
		t.Error(b, err)
	}
	if b, err := s.GetsockoptBytes(unix.IPPROTO_TCP, unix.TCP_NODELAY, 1); len(b) != 1 || err != nil {
		t.Error(b, err)
	}
	ok(t, SetsockoptStruct(s, unix.SOL_SOCKET, unix.SO_LINGER, unix.Linger{Onoff: 1, Linger: 7}))
	l, err := GetsockoptStruct[unix.Linger](s, unix.SOL_SOCKET, unix.SO_LINGER)
	if l.Onoff == 0 || l.Linger != 7 || err != nil {
		t.Errorf("%+v, %v", l, err)
	}
	if _, err := GetsockoptStruct[struct{ P *int }](s, unix.SOL_SOCKET, unix.SO_LINGER); !errors.Is(err, errPointers) {
		t.Errorf("a structure with a pointer: %v", err)
	}
	wantIs(t, "no such option", s.SetsockoptInt(unix.SOL_SOCKET, 9999, 1), syscall.ENOPROTOOPT)
	if large := uint64(1 << 40); strconv.IntSize > 32 {
		wantIs(t, "too large", s.SetsockoptInt(unix.SOL_SOCKET, unix.SO_RCVBUF, int(large)), syscall.EINVAL)
	}
	_, err = s.GetsockoptBytes(unix.SOL_SOCKET, unix.SO_RCVBUF, -1)
	wantIs(t, "negative size", err, syscall.EINVAL)
}

func tempFile(t *testing.T, data []byte) *os.File {
	t.Helper()
	f, err := os.Create(t.TempDir() + "/f")
	ok(t, err)
	t.Cleanup(func() { f.Close() })
	_, err = f.Write(data)
	ok(t, err)
	return f
}

func receiveAll(ctx context.Context, s *Socket) ([]byte, error) {
	var got []byte
	buf := make([]byte, 64<<10)
	for {
		n, err := s.Recv(ctx, buf, 0)
		if err == io.EOF {
			return got, nil
		}
		if err != nil {
			return got, err
		}
		got = append(got, buf[:n]...)
	}
}

func TestSendFile(t *testing.T) {
	data := bytes.Repeat([]byte("0123456789abcdef"), 1<<18) // 4 MiB
	f := tempFile(t, data)
	for _, c := range []struct{ offset, n int64 }{{0, -1}, {5, -1}, {7, 1<<20 + 3}, {0, 0}, {1 << 30, -1}} {
		a, b := connected(t)
		var got []byte
		receive := async(t, func() (err error) { got, err = receiveAll(bounded(t), b); return err })
		sent, err := a.SendFile(bounded(t), f, c.offset, c.n)
		ok(t, err)
		ok(t, a.Shutdown(syscall.SHUT_WR))
		ok(t, receive())
		want := data[min(c.offset, int64(len(data))):]
		if c.n >= 0 {
			want = want[:c.n]
		}
		if !bytes.Equal(got, want) || sent != int64(len(want)) {
			t.Errorf("%+v: sent %d, received %d, want %d", c, sent, len(got), len(want))
		}
	}
	a, _ := connected(t)
	_, err := a.SendFile(bounded(t), tempFile(t, []byte("abc")), 0, 5)
	wantIs(t, "beyond the end", err, io.ErrUnexpectedEOF)
	_, err = a.SendFile(bounded(t), f, -1, 5)
	wantIs(t, "negative offset", err, syscall.EINVAL)
}

func TestSendFileFallsBack(t *testing.T) {
	a, b := connected(t)
	data := bytes.Repeat([]byte("x"), 100<<10)
	f := tempFile(t, data)
	receive := async(t, func() error {
		got, err := receiveAll(bounded(t), b)
		if !bytes.Equal(got, data[5:]) {
			t.Errorf("received %d bytes", len(got))
		}
		return err
	})
	byHand := fileSender{s: a, f: f, offset: 5, n: -1, byHand: true}
	err := byHand.send(bounded(t))
	if byHand.sent != int64(len(data)-5) || err != nil {
		t.Error(byHand.sent, err)
	}
	ok(t, a.Shutdown(syscall.SHUT_WR))
	ok(t, receive())
}

// Between two pieces another sender could come in, be it one that does not wait: its
// bytes would stand in the middle of the file, and the file would be refused the rest.
func TestSendFileIsOneSender(t *testing.T) {
	const size = 3 << 20
	f := tempFile(t, bytes.Repeat([]byte("x"), size))
	for _, byHand := range []bool{false, true} {
		a, b := pair(t, stream)
		file := fileSender{s: a, f: f, n: -1, byHand: byHand}
		send := async(t, func() error {
			defer a.Shutdown(syscall.SHUT_WR)
			return file.send(bounded(t))
		})
		untilParked(t, 1)
		other := async(t, func() error {
			for {
				_, err := a.Send(bounded(t), []byte("y"), msgDontWait)
				if !errors.Is(err, trigo.ErrBusy) {
					return nil // it was sent, or the end was before it
				}
			}
		})
		got, err := receiveAll(bounded(t), b)
		ok(t, err)
		ok(t, send())
		ok(t, other())
		if y := bytes.IndexByte(got, 'y'); len(got) < size || y >= 0 && y < size {
			t.Errorf("by hand %v: received %d bytes, y at %d", byHand, len(got), y)
		}
	}
}

func TestSendFileOfNothingSaysWhatSendSays(t *testing.T) {
	a, _ := pair(t, stream)
	f := tempFile(t, nil)
	_, err := a.SendFile(deadCtx(), f, 0, 0)
	wantCancelled(t, deadCtx(), "with a dead ctx", err)
	ok(t, a.Close(bounded(t)))
	_, err = a.SendFile(bounded(t), f, 0, 0)
	wantIs(t, "on a closed socket", err, trigo.ErrClosed)
}

func TestSendFileIsCancelled(t *testing.T) {
	a, b := pair(t, stream)
	f := tempFile(t, bytes.Repeat([]byte("x"), 4<<20))
	ctx, cancel := context.WithCancel(context.Background())
	var sent int64
	send := async(t, func() (err error) { sent, err = a.SendFile(ctx, f, 0, -1); return err })
	untilParked(t, 1)
	cancel()
	err := send()
	wantCancelled(t, ctx, "SendFile", err)
	var op *trigo.OpError
	if !errors.As(err, &op) || op.N != sent {
		t.Errorf("%v: does not say %d", err, sent)
	}
	ok(t, a.Shutdown(syscall.SHUT_WR))
	got, err := receiveAll(bounded(t), b)
	if int64(len(got)) != sent || err != nil {
		t.Errorf("%d received, %d said to be sent, %v", len(got), sent, err)
	}
}
