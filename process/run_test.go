//go:build unix

package process

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"trigo"
	"trigo/nursery"
	"trigo/trigotest"
)

// Trio: test_run
func TestRunFeedsAndCaptures(t *testing.T) {
	onEachKernel(t, func(t *testing.T) {
		data := bytes.Repeat([]byte("trigo "), 256<<10/6)
		done, err := Run(t.Context(), &Command{Args: []string{"cat"}, Stdin: Bytes(data), Stdout: Capture, Stderr: Capture})
		if err != nil || !bytes.Equal(done.Stdout, data) || len(done.Stderr) != 0 {
			t.Fatalf("%d bytes, %d bytes, %v", len(done.Stdout), len(done.Stderr), err)
		}
		if done.Stderr == nil || done.Pid == 0 || done.Args[0] != "cat" || !done.Status.Success() {
			t.Errorf("completed: %+v", done)
		}
	})
}

// Trio: test_run
func TestStdinIsEmptyByDefault(t *testing.T) {
	for name, stdin := range map[string]Input{"nil": nil, "no bytes": Bytes{}, "null": Null} {
		done, err := Run(t.Context(), &Command{Args: []string{"cat"}, Stdin: stdin, Stdout: Capture})
		if err != nil || len(done.Stdout) != 0 {
			t.Errorf("%s: %q, %v", name, done.Stdout, err)
		}
	}
}

// Trio: test_run
func TestBothOutputsAreCapturedApart(t *testing.T) {
	c := asChild(t, "reverse")
	c.Stdin, c.Stdout, c.Stderr = Bytes("abc"), Capture, Capture
	done, err := Run(t.Context(), c)
	if err != nil || string(done.Stdout) != "abc" || string(done.Stderr) != "cba" {
		t.Errorf("%q, %q, %v", done.Stdout, done.Stderr, err)
	}
}

func TestWhatWasNotCapturedIsNil(t *testing.T) {
	done, err := Run(t.Context(), &Command{Shell: "echo out >&2", Stderr: Capture})
	if err != nil || done.Stdout != nil || string(done.Stderr) != "out\n" {
		t.Errorf("%q, %q, %v", done.Stdout, done.Stderr, err)
	}
}

// Trio: test_run_check
func TestRunChecksTheStatus(t *testing.T) {
	c := &Command{Shell: "echo kept; echo bad thing >&2; exit 3", Stdout: Capture, Stderr: Capture}
	done, err := Run(t.Context(), c)
	var exit *ExitError
	if !errors.As(err, &exit) || exit.Completed != done {
		t.Fatalf("error is %v", err)
	}
	if exit.Status != (Status{Code: 3}) || string(exit.Stdout) != "kept\n" || string(exit.Stderr) != "bad thing\n" {
		t.Errorf("%+v", exit.Completed)
	}
	if want := "run process sh: exited with status 3: bad thing"; err.Error() != want {
		t.Errorf("error is %q, want %q", err, want)
	}

	c.Stdout = Null
	_, err = Run(t.Context(), c)
	if !errors.As(err, &exit) || exit.Stdout != nil || string(exit.Stderr) != "bad thing\n" {
		t.Errorf("without capture of stdout: %v, %+v", err, exit)
	}

	c.NoCheck = true
	done, err = Run(t.Context(), c)
	if err != nil || done.Status.Code != 3 {
		t.Errorf("without check: %+v, %v", done, err)
	}

	_, err = Run(t.Context(), &Command{Shell: "kill -9 $$"})
	if !errors.As(err, &exit) || exit.Status.Signal != syscall.SIGKILL || exit.Status.Code != -1 {
		t.Errorf("killed: %v", err)
	}
	if !strings.Contains(err.Error(), "exited with signal 9 (killed)") {
		t.Errorf("killed: %v", err)
	}
}

// Trio: test_run_with_broken_pipe
func TestChildThatDoesNotReadItsInputIsFine(t *testing.T) {
	c := &Command{Shell: "exec <&-; sleep 0.05", Stdin: Bytes(make([]byte, 128<<10))}
	if done, err := Run(t.Context(), c); err != nil || done.PipesHeld != nil {
		t.Errorf("%+v, %v", done, err)
	}
}

// Trio: test_stderr_stdout
func TestStderrJoinsStdout(t *testing.T) {
	const script = "echo 1; echo 2 >&2; echo 3"
	const want = "1\n2\n3\n"
	t.Run("capture", func(t *testing.T) {
		done, err := Run(t.Context(), &Command{Shell: script, Stdout: Capture, Stderr: ToStdout})
		if err != nil || string(done.Stdout) != want || done.Stderr != nil {
			t.Errorf("%q, %q, %v", done.Stdout, done.Stderr, err)
		}
	})
	t.Run("pipe", func(t *testing.T) {
		err := whilst(t, t.Context(), &Command{Shell: script, Stdout: Pipe, Stderr: ToStdout},
			func(ctx context.Context, n *nursery.Nursery, p *Process) error {
				if p.Stderr() != nil || p.Stdio() != nil {
					t.Errorf("stderr %v, stdio %v", p.Stderr(), p.Stdio())
				}
				all, err := receiveAll(ctx, p.Stdout())
				if all != want {
					t.Errorf("received %q", all)
				}
				return err
			})
		if err != nil {
			t.Error(err)
		}
	})
	t.Run("file", func(t *testing.T) {
		f, err := os.Create(t.TempDir() + "/out")
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, err := Run(t.Context(), &Command{Shell: script, Stdout: File(f), Stderr: ToStdout}); err != nil {
			t.Fatal(err)
		}
		if all, _ := os.ReadFile(f.Name()); string(all) != want {
			t.Errorf("the file has %q", all)
		}
	})
	t.Run("inherited", func(t *testing.T) {
		f, err := os.Create(t.TempDir() + "/out")
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		ours := os.Stdout
		os.Stdout = f
		defer func() { os.Stdout = ours }()
		if _, err := Run(t.Context(), &Command{Shell: script, Stderr: ToStdout}); err != nil {
			t.Fatal(err)
		}
		if all, _ := os.ReadFile(f.Name()); string(all) != want {
			t.Errorf("the file has %q", all)
		}
	})
}

func TestFilesAreTheChildsInputAndOutput(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(dir+"/in", []byte("content"), 0o600); err != nil {
		t.Fatal(err)
	}
	in, err := os.Open(dir + "/in")
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	done, err := Run(t.Context(), &Command{Args: []string{"cat"}, Stdin: File(in), Stdout: Capture, Stderr: Null})
	if err != nil || string(done.Stdout) != "content" {
		t.Errorf("%q, %v", done.Stdout, err)
	}
}

// A pipe of this process does not block, so that a ctx can wake who reads it;
// the child needs one that does, and this process still its own.
// The flag means nothing on a regular file, but package file, for one, sets it on all
// that it opens.
func TestChildSharesThePositionOfAFileThatWasOpenedNotToBlock(t *testing.T) {
	f, err := os.OpenFile(t.TempDir()+"/f", os.O_RDWR|os.O_CREATE|syscall.O_NONBLOCK, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	f.WriteString("before\n")
	if _, err := Run(t.Context(), &Command{Args: []string{"echo", "child"}, Stdout: File(f)}); err != nil {
		t.Error(err)
	}
	f.WriteString("after\n")
	if got, _ := os.ReadFile(f.Name()); string(got) != "before\nchild\nafter\n" {
		t.Errorf("the file holds %q", got)
	}
}

func TestChildGetsABlockingPipeAndOursStaysCancellable(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	if blocks(t, r) {
		t.Skip("os.Pipe blocks here")
	}
	err = whilst(t, t.Context(), &Command{Args: []string{"head", "-c", "3"}, Stdin: File(r), Stdout: Pipe},
		func(ctx context.Context, n *nursery.Nursery, p *Process) error {
			w.Write([]byte("abc"))
			all, err := receiveAll(ctx, p.Stdout())
			if all != "abc" {
				t.Errorf("received %q", all)
			}
			return err
		})
	if err != nil {
		t.Error(err)
	}
	if blocks(t, r) {
		t.Error("our end blocks now")
	}
}

func TestStartWithoutDescriptorsLeavesTheCallersPipeAsItIs(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	none := limit
	none.Cur = 0
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &none); err != nil {
		t.Fatal(err)
	}
	_, err = Open(t.Context(), &Command{Args: []string{"/bin/true"}, Stdin: File(r), Stdout: File(w), Stderr: File(w)})
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	if !errors.Is(err, unix.EMFILE) {
		t.Errorf("started with %v", err)
	}
	if blocks(t, r) || blocks(t, w) {
		t.Error("no ctx can wake who uses the pipe any more")
	}
}

func TestFloodOfBothOutputsWhileWeFeed(t *testing.T) {
	size := 256 << 20
	if raceEnabled {
		size >>= 3
	}
	c := asChild(t, "flood")
	c.Stdin, c.Stdout, c.Stderr = Bytes(make([]byte, size)), Capture, Lines{Each: ignoreLine, Discard: true}
	done, err := Run(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if got := string(done.Stdout[1<<9*64<<10:]); got != fmt.Sprint(size) {
		t.Errorf("the child read %q bytes", got)
	}
}

func ignoreLine(context.Context, []byte) error { return nil }

// Trio: test_for_leaking_fds
func TestNothingIsLeftAfterSuccessFailureAndSpawnError(t *testing.T) {
	onEachKernel(t, func(t *testing.T) {
		trigotest.LeakCheck(t)
		for range 3 {
			Run(t.Context(), &Command{Args: []string{"cat"}, Stdin: Bytes("x"), Stdout: Capture, Stderr: Capture})
			Run(t.Context(), &Command{Shell: "exit 1", Stdin: Bytes("x"), Stdout: Capture, Stderr: Capture})
			Run(t.Context(), &Command{Args: []string{"/nonexistent"}, Stdin: Bytes("x"), Stdout: Capture, Stderr: Capture})
		}
	})
}

func TestDeadContextStartsNothing(t *testing.T) {
	path := t.TempDir() + "/mark"
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(io.ErrNoProgress)
	c := &Command{Args: []string{"touch", path}}
	done, err := Run(ctx, c)
	if done != nil || !errors.Is(err, context.Canceled) || !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("Run: %+v, %v", done, err)
	}
	if p, err := Open(ctx, c); p != nil || !errors.Is(err, context.Canceled) {
		t.Errorf("Open: %v, %v", p, err)
	}
	if err := Supervise(c)(ctx, func(*Process) { t.Error("started") }); !errors.Is(err, context.Canceled) {
		t.Errorf("Supervise: %v", err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("it ran")
	}
}

// brokenReceiver is a pipe that fails for a reason of its own.
type brokenReceiver struct{ receiver }

func (brokenReceiver) ReceiveSome(context.Context, []byte) (int, error) { return 0, errBrokenReceiver }

var errBrokenReceiver = errors.New("the pipe leaks")

// Whatever breaks on our side ends the child, and comes out.
//
// Trio: test_run_process_internal_error
func TestErrorOfOurOwnEndsTheChildAndIsReturned(t *testing.T) {
	onEachKernel(t, func(t *testing.T) {
		trigotest.LeakCheck(t)
		c := &Command{Shell: "trap 'exit 5' TERM; while :; do sleep 0.01; done", Stdin: Bytes("x"), Stdout: Capture, Stderr: Null}
		p, s, err := launch(t.Context(), c, modeRun)
		if err != nil {
			t.Fatal(err)
		}
		s.collectors[0].from = brokenReceiver{s.collectors[0].from}
		done, err := (&supervision{c: c, p: p, s: s}).see(t.Context(), nil)
		if !errors.Is(err, errBrokenReceiver) || alive(done.Pid) {
			t.Errorf("%v; the child lives: %v", err, alive(done.Pid))
		}
		if _, exited := p.Poll(); !exited {
			t.Error("its end was not waited for")
		}
	})
}

// Trio: test_run_process_background_fail
func TestFailureOfASupervisedChildIsTheNurserys(t *testing.T) {
	var exit *ExitError
	err := whilst(t, t.Context(), &Command{Shell: "echo why >&2; exit 7", Stderr: Capture},
		func(ctx context.Context, n *nursery.Nursery, p *Process) error {
			<-ctx.Done()
			return trigo.CancelError(ctx)
		})
	if !errors.As(err, &exit) || exit.Status.Code != 7 || string(exit.Stderr) != "why\n" {
		t.Errorf("error is %v", err)
	}
	err = whilst(t, t.Context(), &Command{Args: []string{"/nonexistent"}}, nil)
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("spawn error: %v", err)
	}
}
