//go:build unix

package process

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestLinesAreGivenWhileTheChildRunsAndCaptured(t *testing.T) {
	fifo := t.TempDir() + "/fifo"
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	var lines []string
	done, err := Run(t.Context(), &Command{
		Args: []string{"sh", "-c", `echo one; read x < "$0"; printf 'two\n\nlast'`, fifo},
		Stdout: Lines{Each: func(_ context.Context, line []byte) error {
			lines = append(lines, string(line))
			if len(lines) == 1 { // the child waits for it
				return writeFile(fifo, "go\n")
			}
			return nil
		}},
	})
	if err != nil || !slices.Equal(lines, []string{"one", "two", "", "last"}) || string(done.Stdout) != "one\ntwo\n\nlast" {
		t.Errorf("%q, %q, %v", lines, done.Stdout, err)
	}
}

func TestLinesOfBothOutputsCanBeDiscarded(t *testing.T) {
	var out, errs []string
	collect := func(to *[]string) Lines {
		return Lines{Discard: true, Each: func(_ context.Context, line []byte) error {
			*to = append(*to, string(line))
			return nil
		}}
	}
	done, err := Run(t.Context(), &Command{Shell: "echo a; echo b >&2; echo c", Stdout: collect(&out), Stderr: collect(&errs)})
	if err != nil || done.Stdout != nil || done.Stderr != nil {
		t.Errorf("%q, %q, %v", done.Stdout, done.Stderr, err)
	}
	if !slices.Equal(out, []string{"a", "c"}) || !slices.Equal(errs, []string{"b"}) {
		t.Errorf("lines %q, %q", out, errs)
	}
}

func TestErrorOfALineEndsTheChild(t *testing.T) {
	bad := errors.New("bad line")
	done, err := Run(t.Context(), &Command{
		Shell:  "echo x; exec sleep 1000",
		Stdout: Lines{Each: func(context.Context, []byte) error { return bad }},
	})
	var exit *ExitError
	if !errors.Is(err, bad) || errors.As(err, &exit) || errors.Is(err, context.Canceled) {
		t.Errorf("error is %v", err)
	}
	if done.Status.Signal != syscall.SIGTERM || string(done.Stdout) != "x\n" {
		t.Errorf("%v, %q", done.Status, done.Stdout)
	}
}

func TestLineThatIsNeverTakenIsGivenUpAfterWaitDelay(t *testing.T) {
	done, err := Run(t.Context(), &Command{
		Shell: "echo 1; echo 2; echo 3", WaitDelay: 50 * time.Millisecond,
		Stdout: Lines{Each: func(ctx context.Context, _ []byte) error {
			<-ctx.Done()
			return context.Cause(ctx)
		}},
	})
	if err != nil || string(done.Stdout) != "1\n2\n3\n" {
		t.Errorf("%q, %v", done.Stdout, err)
	}
}

func TestLinesAreSplitHoweverTheyArrive(t *testing.T) {
	text := "a\n\nbc\ndef\n\n\nlast"
	want := strings.Split(text, "\n")
	for size := 1; size <= len(text); size++ {
		var got []string
		l := &lineSplitter{each: func(_ context.Context, line []byte) error {
			got = append(got, string(line))
			return nil
		}}
		for part := range slices.Chunk([]byte(text), size) {
			if err := l.add(t.Context(), part); err != nil {
				t.Fatal(err)
			}
		}
		if err := l.finish(t.Context()); err != nil || !slices.Equal(got, want) {
			t.Errorf("in pieces of %d: %q, %v", size, got, err)
		}
	}
}

func TestLongLineComesInPieces(t *testing.T) {
	for _, size := range []int{maxLine - 1, maxLine, maxLine + 1, 3*maxLine + 5} {
		var got []byte
		var sizes []int
		l := &lineSplitter{each: func(_ context.Context, line []byte) error {
			got = append(got, line...)
			sizes = append(sizes, len(line))
			return nil
		}}
		text := bytes.Repeat([]byte("x"), size)
		for part := range slices.Chunk(append(text, '\n'), 100_000) {
			l.add(t.Context(), part)
		}
		l.finish(t.Context())
		if !bytes.Equal(got, text) || slices.Max(sizes) > maxLine || len(sizes) != (size+maxLine-1)/maxLine {
			t.Errorf("%d bytes came as %v", size, sizes)
		}
	}
}
