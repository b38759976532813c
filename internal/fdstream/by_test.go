//go:build linux

package fdstream_test

import (
	"context"
	"errors"
	"io"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"trigo"
	"trigo/internal/fdstream"
)

func TestOwnSystemCallsKeepTheContractOfTheStream(t *testing.T) {
	r, w := pipe(t)
	in, err := fdstream.OpenInput(r, "input")
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close(t.Context())
	out, err := fdstream.OpenOutput(w, "output")
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close(t.Context())
	if in.Itself() != any(in) || out.Itself() != any(out) {
		t.Error("a pipe is not itself")
	}

	// As much as fits, and then the wait for more room ends with the ctx.
	ctx, cancel := context.WithCancel(t.Context())
	moved, waits := 0, 0
	err = out.SendBy(ctx, func(fd int) error {
		for {
			n, err := unix.Write(fd, make([]byte, 1000))
			if err != nil {
				waits++
				cancel()
				return err
			}
			moved += n
		}
	}, &moved)
	var op *trigo.OpError
	if !errors.Is(err, context.Canceled) || !errors.As(err, &op) || op.N != int64(moved) || moved == 0 || waits == 0 {
		t.Errorf("after %d bytes and %d waits: %v", moved, waits, err)
	}

	got := 0
	read := func(fd int) error {
		n, err := unix.Read(fd, make([]byte, 1<<20))
		got += max(0, n)
		if err == nil && n == 0 {
			err = io.EOF
		}
		return err
	}
	if err := in.ReceiveBy(t.Context(), read); err != nil || got != moved {
		t.Errorf("received %d bytes, %v; want %d", got, err, moved)
	}
	out.Close(t.Context())
	if err := out.SendBy(t.Context(), nil, &moved); !errors.Is(err, trigo.ErrClosed) {
		t.Errorf("on a closed stream: %v", err)
	}
	if err := in.ReceiveBy(t.Context(), read); err != io.EOF {
		t.Errorf("at the end: %v", err)
	}
	if err := in.ReceiveBy(t.Context(), nil); err != io.EOF { // it stays, without a call
		t.Errorf("after the end: %v", err)
	}
}

func TestFileIsReadByOthersFromWhereItStands(t *testing.T) {
	name := t.TempDir() + "/f"
	if err := os.WriteFile(name, []byte("abcdef"), 0o600); err != nil {
		t.Fatal(err)
	}
	fd, err := unix.Open(name, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	inherited(t, fd)
	in, err := fdstream.OpenInput(fd, "input")
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close(t.Context())
	p := make([]byte, 2)
	if n, err := in.ReceiveSome(t.Context(), p); n != 2 || err != nil {
		t.Fatal(n, err)
	}
	if err := in.ReceiveBy(t.Context(), func(fd int) error { _, err := unix.Read(fd, p); return err }); err != nil || string(p) != "cd" {
		t.Errorf("%q, %v", p, err)
	}
	dead, cancel := context.WithCancel(t.Context())
	cancel()
	if err := in.ReceiveBy(dead, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("with a dead ctx: %v", err)
	}
	if n, err := in.ReceiveSome(t.Context(), p); err != nil || string(p[:n]) != "ef" {
		t.Errorf("%q, %v", p[:n], err)
	}
}

func TestFileThatIsSentToHasNoDescriptorToWaitFor(t *testing.T) {
	fd, err := unix.Open(t.TempDir()+"/f", unix.O_RDWR|unix.O_CREAT|unix.O_CLOEXEC, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	inherited(t, fd)
	out, err := fdstream.OpenOutput(fd, "output")
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close(t.Context())
	if out.Itself() != nil {
		t.Error("a regular file is given to others")
	}
	if err := out.SendBy(t.Context(), nil, new(int)); !errors.Is(err, errors.ErrUnsupported) {
		t.Error(err)
	}
}
