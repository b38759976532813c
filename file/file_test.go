package file

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"

	"trigo"
)

func TestModesDoWhatPythonsDo(t *testing.T) {
	for _, c := range []struct {
		mode, before, after string // before: "-" if there is no file
		err                 error
		reads, writes       bool
		at                  int64
	}{
		{mode: "r", before: "old", after: "old", reads: true},
		{mode: "rb", before: "old", after: "old", reads: true},
		{mode: "r", before: "-", err: fs.ErrNotExist},
		{mode: "r+", before: "old", after: "Xld", reads: true, writes: true},
		{mode: "r+b", before: "-", err: fs.ErrNotExist},
		{mode: "w", before: "old", after: "X", writes: true},
		{mode: "w", before: "-", after: "X", writes: true},
		{mode: "+w", before: "old", after: "X", reads: true, writes: true},
		{mode: "a", before: "old", after: "oldX", writes: true, at: 3},
		{mode: "ab", before: "-", after: "X", writes: true},
		{mode: "a+", before: "old", after: "oldX", reads: true, writes: true, at: 3},
		{mode: "x", before: "-", after: "X", writes: true},
		{mode: "x", before: "old", err: fs.ErrExist},
		{mode: "bx+", before: "-", after: "X", reads: true, writes: true},
	} {
		t.Run(c.mode+" on "+c.before, func(t *testing.T) {
			path := Path(filepath.Join(t.TempDir(), "file"))
			if c.before != "-" {
				path = scratch(t, c.before)
			}
			f, err := Open(t.Context(), path, c.mode)
			if !errors.Is(err, c.err) {
				t.Fatalf("err = %v, want %v", err, c.err)
			}
			if err != nil {
				if !strings.Contains(err.Error(), string(path)) || strings.Count(err.Error(), "open") != 1 {
					t.Errorf("the error is %q", err)
				}
				return
			}
			defer f.Close(t.Context())
			if at, err := f.Tell(t.Context()); at != c.at || err != nil {
				t.Errorf("position %d, %v; want %d", at, err, c.at)
			}
			if _, err := f.ReceiveSome(t.Context(), make([]byte, 9)); errors.Is(err, errors.ErrUnsupported) == c.reads {
				t.Errorf("receive: %v", err)
			}
			if _, err := f.Seek(t.Context(), 0, io.SeekStart); err != nil {
				t.Error(err)
			}
			if err := f.SendAll(t.Context(), []byte("X")); errors.Is(err, errors.ErrUnsupported) == c.writes {
				t.Errorf("send: %v", err)
			}
			if got := contentOf(t, path); got != c.after {
				t.Errorf("the file has %q, want %q", got, c.after)
			}
		})
	}
}

func TestBadModeIsNamedBeforeAnyIO(t *testing.T) {
	path := scratch(t, "old")
	for mode, why := range map[string]string{
		"":    "none of r, w, a and x",
		"b":   "none of r, w, a and x",
		"rw":  "more than one",
		"wt":  "OpenText",
		"rr":  "twice",
		"w++": "twice",
		"wU":  "'U'",
		"é":   "none of its letters",
	} {
		_, err := Open(t.Context(), path, mode)
		if !errors.Is(err, fs.ErrInvalid) || !strings.Contains(err.Error(), why) || !strings.Contains(err.Error(), "mode") {
			t.Errorf("mode %q: %v", mode, err)
		}
	}
	for mode, why := range map[string]string{"wb": "are for Open", "t": "none of", "rtt": "twice", "rb": "are for Open", "wxt": "more than one"} {
		_, err := OpenText(t.Context(), path, mode, nil)
		if !errors.Is(err, fs.ErrInvalid) || !strings.Contains(err.Error(), why) {
			t.Errorf("text mode %q: %v", mode, err)
		}
	}
	if got := contentOf(t, path); got != "old" {
		t.Errorf("the file has %q", got)
	}
}

func TestDeadCtxTouchesNothing(t *testing.T) {
	dead := deadCtxOf(t)
	path := scratch(t, "old")
	if _, err := Open(dead, path, "w"); !errors.Is(err, context.Canceled) {
		t.Errorf("open: %v", err)
	}
	f := mustOpen(t, path, "r+")
	for name, call := range map[string]func() error{
		"ReceiveSome": func() error { _, err := f.ReceiveSome(dead, make([]byte, 1)); return err },
		"SendAll":     func() error { return f.SendAll(dead, []byte("new")) },
		"Wait":        func() error { return f.WaitSendAllMightNotBlock(dead) },
		"Peek":        func() error { _, err := f.Peek(dead, 1); return err },
		"Seek":        func() error { _, err := f.Seek(dead, 2, io.SeekStart); return err },
		"Tell":        func() error { _, err := f.Tell(dead); return err },
		"ReadAt":      func() error { _, err := f.ReadAt(dead, make([]byte, 1), 0); return err },
		"WriteAt":     func() error { _, err := f.WriteAt(dead, []byte("new"), 0); return err },
		"Truncate":    func() error { return f.Truncate(dead, 0) },
		"Sync":        func() error { return f.Sync(dead) },
		"Flush":       func() error { return f.Flush(dead) },
		"Stat":        func() error { _, err := f.Stat(dead); return err },
	} {
		var op *trigo.OpError
		if err := call(); !errors.Is(err, context.Canceled) || !errors.As(err, &op) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if at, err := f.Tell(t.Context()); at != 0 || err != nil {
		t.Errorf("position %d, %v", at, err)
	}
	if got := contentOf(t, path); got != "old" {
		t.Errorf("the file has %q", got)
	}
}

func TestCloseClosesWithADeadCtxAndTwice(t *testing.T) {
	f := mustOpen(t, scratch(t, "old"), "r+")
	for range 2 {
		if err := f.Close(deadCtxOf(t)); err != nil {
			t.Errorf("close: %v", err)
		}
	}
	if _, err := f.f.Stat(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("the descriptor: %v", err)
	}
	if _, err := f.ReceiveSome(t.Context(), make([]byte, 1)); !errors.Is(err, trigo.ErrClosed) {
		t.Errorf("receive: %v", err)
	}
	if err := f.SendAll(t.Context(), nil); !errors.Is(err, trigo.ErrClosed) {
		t.Errorf("send: %v", err)
	}
	if _, err := f.Seek(t.Context(), 0, io.SeekStart); !errors.Is(err, trigo.ErrClosed) {
		t.Errorf("seek: %v", err)
	}
	if err := f.Sync(t.Context()); !errors.Is(err, trigo.ErrClosed) {
		t.Errorf("sync: %v", err)
	}
}

func TestAFileIsAReader(t *testing.T) {
	content := strings.Repeat("all of it. ", 1000)
	f := mustOpen(t, scratch(t, content), "r")
	if err := iotest.TestReader(plainReader{t, f}, []byte(content)); err != nil {
		t.Error(err)
	}
}

func TestEndOfAFileStaysUntilASeek(t *testing.T) {
	path := scratch(t, "some")
	f := mustOpen(t, path, "r")
	p := make([]byte, 10)
	if n, err := f.ReceiveSome(t.Context(), p); n != 4 || err != nil {
		t.Fatalf("received %d, %v", n, err)
	}
	for range 2 {
		if n, err := f.ReceiveSome(t.Context(), p); n != 0 || err != io.EOF {
			t.Fatalf("at the end: %d, %v", n, err)
		}
		if err := os.WriteFile(string(path), []byte("some more"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := f.Seek(t.Context(), 0, io.SeekCurrent); err != nil {
		t.Fatal(err)
	}
	if n, err := f.ReceiveSome(t.Context(), p); string(p[:n]) != " more" || err != nil {
		t.Errorf("received %q, %v", p[:n], err)
	}
}

func TestPositionsAndOffsets(t *testing.T) {
	ctx := t.Context()
	path := scratch(t, "0123456789")
	f := mustOpen(t, path, "r+")
	if b, err := f.Peek(ctx, 4); string(b) != "0123" || err != nil {
		t.Errorf("peek %q, %v", b, err)
	}
	if at, err := f.Seek(ctx, -3, io.SeekEnd); at != 7 || err != nil {
		t.Errorf("seek %d, %v", at, err)
	}
	if b, err := f.Peek(ctx, 100); string(b) != "789" || err != nil {
		t.Errorf("peek %q, %v", b, err)
	}
	p := make([]byte, 4)
	if n, err := f.ReadAt(ctx, p, 2); string(p[:n]) != "2345" || err != nil {
		t.Errorf("read at 2: %q, %v", p[:n], err)
	}
	if n, err := f.ReadAt(ctx, p, 8); string(p[:n]) != "89" || err != io.EOF {
		t.Errorf("read at 8: %q, %v", p[:n], err)
	}
	if n, err := f.WriteAt(ctx, []byte("ab"), 0); n != 2 || err != nil {
		t.Errorf("write at 0: %d, %v", n, err)
	}
	if at, err := f.Tell(ctx); at != 7 || err != nil {
		t.Errorf("tell: %d, %v", at, err)
	}
	if err := f.SendAll(ctx, []byte("XYZW")); err != nil {
		t.Error(err)
	}
	if err := f.Truncate(ctx, 10); err != nil {
		t.Error(err)
	}
	if err := errors.Join(f.Flush(ctx), f.Sync(ctx)); err != nil {
		t.Error(err)
	}
	if info, err := f.Stat(ctx); err != nil || info.Size() != 10 {
		t.Errorf("stat: %v, %v", info, err)
	}
	if got := contentOf(t, path); got != "ab23456XYZ" {
		t.Errorf("the file has %q", got)
	}
	if _, err := f.Seek(ctx, -1, io.SeekStart); !errors.Is(err, syscall.EINVAL) {
		t.Errorf("seek before the start: %v", err)
	}
	if _, err := f.Seek(ctx, 0, io.SeekEnd); err != nil {
		t.Error(err)
	}
	if b, err := f.Peek(ctx, 1); len(b) != 0 || err != io.EOF {
		t.Errorf("peek at the end: %q, %v", b, err)
	}
}

func TestPeekSeesWhatReceiveSomeWouldReturn(t *testing.T) {
	ctx := t.Context()
	f := mustOpen(t, scratch(t, "old"), "r+")
	if got, err := receiveAll(ctx, f); got != "old" || err != nil {
		t.Fatalf("received %q, %v", got, err)
	}
	if _, err := f.WriteAt(ctx, []byte("+"), 3); err != nil {
		t.Fatal(err)
	}
	if b, err := f.Peek(ctx, 1); err != io.EOF { // that stays the end
		t.Errorf("peek at the end: %q, %v", b, err)
	}
	if _, err := f.Seek(ctx, 3, io.SeekStart); err != nil {
		t.Error(err)
	}
	for name, f := range map[string]*File{"file": f, "pipe": pipeWith(t, "+")} {
		if b, err := f.Peek(ctx, math.MaxInt); string(b) != "+" || err != nil {
			t.Errorf("peek at a %s: %q, %v", name, b, err)
		}
	}
}

// pipeWith returns the end of a pipe that holds text.
func pipeWith(t *testing.T, text string) *File {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	w.WriteString(text)
	w.Close()
	f, err := FromOS(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close(context.Background()) })
	return f
}

func TestAppendingFileWritesAtItsEndOnly(t *testing.T) {
	path := scratch(t, "old")
	f := mustOpen(t, path, "a")
	if _, err := f.WriteAt(t.Context(), []byte("x"), 0); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("write at 0: %v", err)
	}
	if _, err := f.Seek(t.Context(), 0, io.SeekStart); err != nil {
		t.Error(err)
	}
	if err := f.SendAll(t.Context(), []byte("+")); err != nil {
		t.Error(err)
	}
	if got := contentOf(t, path); got != "old+" {
		t.Errorf("the file has %q", got)
	}
}

func TestDirectoryIsRefused(t *testing.T) {
	if _, err := Open(t.Context(), Path(t.TempDir()), "r"); !errors.Is(err, syscall.EISDIR) {
		t.Errorf("err = %v", err)
	}
}

func TestSecondCallOfAHalfIsBusy(t *testing.T) {
	f := mustOpen(t, scratch(t, "old"), "r+")
	f.receiving.Store(true) // as if a read were under way
	if _, err := f.ReceiveSome(t.Context(), make([]byte, 1)); !errors.Is(err, trigo.ErrBusy) {
		t.Errorf("receive: %v", err)
	}
	if _, err := f.Seek(t.Context(), 0, io.SeekStart); !errors.Is(err, trigo.ErrBusy) {
		t.Errorf("seek: %v", err)
	}
	if err := f.SendAll(t.Context(), []byte("x")); err != nil {
		t.Errorf("the other half: %v", err)
	}
	f.receiving.Store(false)
	f.sending.Store(true)
	if _, err := f.Seek(t.Context(), 0, io.SeekStart); !errors.Is(err, trigo.ErrBusy) {
		t.Errorf("seek: %v", err)
	}
	f.sending.Store(false)
	if _, err := f.Seek(t.Context(), 0, io.SeekStart); err != nil {
		t.Errorf("seek: %v", err)
	}
}

func TestCancelStopsALongWriteBetweenPieces(t *testing.T) {
	path := scratch(t, "")
	f := mustOpen(t, path, "w")
	ctx := &dyingCtx{Context: t.Context(), looks: 3}
	err := f.SendAll(ctx, make([]byte, 10*piece))
	var op *trigo.OpError
	if !errors.Is(err, context.Canceled) || !errors.As(err, &op) {
		t.Fatalf("err = %v", err)
	}
	if size := int64(len(contentOf(t, path))); op.N != size || size == 0 || size >= 10*piece {
		t.Errorf("N is %d, the file has %d bytes", op.N, size)
	}
}

// dyingCtx is cancelled after so many looks at it.
type dyingCtx struct {
	context.Context
	looks int
}

func (c *dyingCtx) Err() error {
	if c.looks--; c.looks < 0 {
		return context.Canceled
	}
	return nil
}

func TestReadingAndWritingAllocateNothing(t *testing.T) {
	path := scratch(t, strings.Repeat("x", 1<<20))
	f := mustOpen(t, path, "r+")
	p := make([]byte, 100)
	if n := testing.AllocsPerRun(100, func() {
		if _, err := f.ReceiveSome(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		if err := f.SendAll(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestLayersOfAFile(t *testing.T) {
	f := mustOpen(t, scratch(t, ""), "r")
	if under, ok := trigo.As[*os.File](f); !ok || under != f.f {
		t.Errorf("As finds %v", under)
	}
	if f.FD() != nil {
		t.Error("a regular file can be polled")
	}
	raw, err := f.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	called := false
	if err := raw.Control(func(uintptr) { called = true }); err != nil || !called {
		t.Errorf("control: %v, called %v", err, called)
	}
}
