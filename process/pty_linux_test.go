package process

import (
	"bytes"
	"context"
	"errors"
	"os"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"

	"trigo"
	"trigo/nursery"
	"trigo/trigotest"
)

func needPTY(t *testing.T) {
	t.Helper()
	if f, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0); err != nil {
		t.Skipf("no terminals here: %v", err)
	} else {
		f.Close()
	}
}

func TestPTYIsATerminalOfTheGivenSize(t *testing.T) {
	needPTY(t)
	done, err := Run(t.Context(), &Command{
		Shell: "test -t 0 && test -t 1 && test -t 2 && stty size && echo x >/dev/tty",
		PTY:   true, Size: Size{Rows: 33, Cols: 101}, Stdout: Capture,
	})
	if err != nil || string(done.Stdout) != "33 101\r\nx\r\n" {
		t.Errorf("%q, %v", done.Stdout, err)
	}
}

func TestWhatIsTypedAtAPTYEnds(t *testing.T) {
	needPTY(t)
	for typed, shown := range map[string]string{
		"":          "",
		"line\n":    "line\r\nline\r\n",
		"no line":   "no lineno line",
		"a\nb\nc\n": "",
	} {
		done, err := Run(t.Context(), &Command{Args: []string{"cat"}, PTY: true, Stdin: Bytes(typed), Stdout: Capture})
		if err != nil {
			t.Errorf("%q: %v", typed, err)
			continue
		}
		// With several lines, echo and output may mix.
		if shown != "" && string(done.Stdout) != shown {
			t.Errorf("%q was shown as %q", typed, done.Stdout)
		}
		for _, word := range strings.Fields(typed) {
			if strings.Count(string(done.Stdout), word) != 2 {
				t.Errorf("%q was shown as %q", typed, done.Stdout)
			}
		}
	}
}

func TestEndOfTheChildIsTheEndOfThePTY(t *testing.T) {
	needPTY(t)
	trigotest.LeakCheck(t)
	err := whilst(t, t.Context(), &Command{Shell: "read x; echo got $x", PTY: true, Stdin: Pipe, Stdout: Pipe},
		func(ctx context.Context, n *nursery.Nursery, p *Process) error {
			if err := p.Stdio().SendAll(ctx, []byte("that\n")); err != nil {
				return err
			}
			all, err := receiveAll(ctx, p.Stdio())
			if !strings.HasSuffix(all, "got that\r\n") {
				t.Errorf("shown: %q", all)
			}
			if err != nil {
				return err
			}
			_, err = p.Wait(ctx) // to close the terminal before would hang up
			return err
		})
	if err != nil {
		t.Error(err)
	}
}

func TestChildThatClosesItsTerminalIsNotHungUpOn(t *testing.T) {
	needPTY(t)
	done, err := Run(t.Context(), &Command{Shell: "exec <&- >&- 2>&-; sleep 0.05; exit 3", PTY: true, Stdout: Capture, NoCheck: true})
	if err != nil || done.Status.Code != 3 {
		t.Errorf("%v, %v", done.Status, err)
	}
}

func TestInterruptIsTypedAtAPTY(t *testing.T) {
	needPTY(t)
	var status Status
	c := &Command{Shell: "echo ready; exec sleep 1000", PTY: true, Stdin: Pipe, Stdout: Pipe, NoCheck: true}
	err := whilst(t, t.Context(), c, func(ctx context.Context, n *nursery.Nursery, p *Process) error {
		if _, err := receiveLine(ctx, p.Stdout()); err != nil {
			return err
		}
		if err := p.Stdin().SendAll(ctx, []byte{3}); err != nil {
			return err
		}
		var err error
		status, err = p.Wait(ctx)
		return err
	})
	if err != nil || status.Signal != syscall.SIGINT {
		t.Errorf("%v, %v", status, err)
	}
}

func TestCancelEndsAChildWithAPTY(t *testing.T) {
	needPTY(t)
	trigotest.LeakCheck(t)
	ctx, lines := stopper(t)
	lines.Each = func(each func(context.Context, []byte) error) func(context.Context, []byte) error {
		return func(ctx context.Context, line []byte) error {
			return each(ctx, []byte(strings.TrimSpace(string(line))))
		}
	}(lines.Each)
	done, err := Run(ctx, &Command{Shell: "sleep 1000 & echo ready; sleep 1000", PTY: true, Stdout: lines})
	isStopped(t, err)
	if alive(done.Pid) || string(done.Stdout) != "ready\r\n" {
		t.Errorf("%q, %v", done.Stdout, done.Status)
	}
}

// typing supervises a child with a terminal while body types.
func typing(t *testing.T, shell string, body func(ctx context.Context, p *Process)) {
	t.Helper()
	needPTY(t)
	trigotest.LeakCheck(t)
	c := &Command{Shell: shell, PTY: true, Stdin: Pipe, Stdout: Pipe, NoCheck: true}
	err := whilst(t, t.Context(), c, func(ctx context.Context, n *nursery.Nursery, p *Process) error {
		body(ctx, p)
		n.Cancel(nil)
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func TestCloseOfAPTYsInputWakesWhoTypes(t *testing.T) {
	typing(t, "exec sleep 1000", func(ctx context.Context, p *Process) {
		sent := make(chan error, 1)
		go func() {
			err := trigo.ErrBusy
			for errors.Is(err, trigo.ErrBusy) {
				err = p.Stdin().SendAll(ctx, bytes.Repeat([]byte("a\n"), 1<<18)) // nobody reads it
			}
			sent <- err
		}()
		for !errors.Is(p.Stdin().SendAll(ctx, nil), trigo.ErrBusy) {
			runtime.Gosched()
		}
		dead, cancel := context.WithCancel(ctx)
		cancel()
		if err := p.Stdin().Close(dead); !errors.Is(err, context.Canceled) {
			t.Errorf("Close of what is full, with a dead ctx: %v", err)
		}
		err := <-sent
		if !errors.Is(err, trigo.ErrClosed) || errors.Is(err, context.Canceled) {
			t.Errorf("who sent got %v", err)
		}
		if err := p.Stdin().WaitSendAllMightNotBlock(ctx); !errors.Is(err, trigo.ErrClosed) {
			t.Errorf("a wait after Close: %v", err)
		}
	})
}

func TestInputOfAPTYIsClosedByManyAtOnce(t *testing.T) {
	typing(t, "cat >/dev/null", func(ctx context.Context, p *Process) {
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				if err := p.Stdin().Close(ctx); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if _, err := p.Wait(ctx); err != nil { // its input has ended
			t.Error(err)
		}
	})
}
