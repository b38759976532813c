package file

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"trigo"
)

func TestFileLendsItsDescriptorWhereItStands(t *testing.T) {
	ctx := t.Context()
	f := mustOpen(t, scratch(t, "0123456789"), "r+")
	if _, err := f.Seek(ctx, 4, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	if f.Itself() != any(f) {
		t.Error("it is somebody else")
	}
	p := make([]byte, 100)
	read := func(got *string) func(int) error {
		return func(sysfd int) error {
			n, err := syscall.Read(sysfd, p)
			*got = string(p[:max(n, 0)])
			if n == 0 && err == nil {
				return io.EOF
			}
			return err
		}
	}
	var got string
	if err := f.ReceiveBy(ctx, read(&got)); got != "456789" || err != nil {
		t.Errorf("received %q, %v", got, err)
	}
	for range 2 {
		if err := f.ReceiveBy(ctx, read(&got)); err != io.EOF {
			t.Errorf("at the end: %v", err)
		}
	}
	moved := 7
	err := f.SendBy(ctx, func(sysfd int) error {
		n, err := syscall.Write(sysfd, []byte("+"))
		moved += n
		return err
	}, &moved)
	if moved != 1 || err != nil {
		t.Errorf("sent %d, %v", moved, err)
	}
	if err := f.ReceiveBy(deadCtxOf(t), read(&got)); !errors.Is(err, context.Canceled) {
		t.Errorf("dead ctx: %v", err)
	}
	if _, err := f.Seek(ctx, 0, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	if err := f.ReceiveBy(ctx, func(int) error { return syscall.EIO }); !errors.Is(err, syscall.EIO) {
		t.Errorf("a failure: %v", err)
	}
}

func TestLentFIFOWaitsForItsFirstWriterToo(t *testing.T) {
	path := fifo(t)
	r := mustOpen(t, path, "r")
	p := make([]byte, 10)
	result := make(chan error, 1)
	n := 0
	go func() {
		result <- r.ReceiveBy(t.Context(), func(sysfd int) (err error) {
			if n, err = syscall.Read(sysfd, p); n == 0 && err == nil {
				return io.EOF
			}
			return err
		})
	}()
	awaitParked(t, "file.(*File).ReceiveBy")
	w := mustOpen(t, path, "w")
	if err := w.SendAll(t.Context(), []byte("hello")); err != nil {
		t.Fatal(err)
	}
	if err := <-result; string(p[:n]) != "hello" || err != nil {
		t.Errorf("received %q, %v", p[:n], err)
	}
	w.Close(t.Context())
	if err := r.ReceiveBy(t.Context(), func(int) error { return io.EOF }); err != io.EOF {
		t.Errorf("at the end: %v", err)
	}
}

func TestFilesAreSentByTheKernel(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	received := make(chan string, 1)
	go func() {
		c, err := l.Accept()
		if err != nil {
			received <- err.Error()
			return
		}
		defer c.Close()
		b, _ := io.ReadAll(c)
		received <- string(b)
	}()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	content := strings.Repeat("0123456789", 10_000)
	f := mustOpen(t, scratch(t, content), "r")
	raw, err := c.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	for err == nil {
		err = f.ReceiveBy(t.Context(), func(from int) error {
			sent := 0
			var err error
			gone := raw.Write(func(to uintptr) bool {
				sent, err = unix.Sendfile(int(to), from, nil, 1<<20)
				return err != syscall.EAGAIN
			})
			if sent == 0 && err == nil {
				err = io.EOF
			}
			return errors.Join(gone, err)
		})
		if errors.Is(err, io.EOF) {
			break
		}
	}
	c.Close()
	if got := <-received; got != content {
		t.Errorf("received %d bytes", len(got))
	}
	var stream trigo.Stream = f
	if _, ok := trigo.As[fs.File](stream); !ok {
		t.Error("As does not find the file below")
	}
	if _, ok := trigo.As[*os.File](stream); !ok {
		t.Error("As does not find the os.File below")
	}
}
