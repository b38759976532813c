//go:build unix

package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"trigo"
	"trigo/nursery"
)

// opened starts c unsupervised, and ends it with the test.
func opened(t *testing.T, c *Command) *Process {
	t.Helper()
	p, err := Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.Kill()
		p.Wait(context.Background())
		for _, r := range []trigo.Resource{p.Stdin(), p.Stdout(), p.Stderr()} {
			if r != nil {
				trigo.CloseForcefully(r)
			}
		}
	})
	return p
}

// inBothWays runs a test with a child that Open has started and with one that
// is supervised.
func inBothWays(t *testing.T, c *Command, test func(ctx context.Context, t *testing.T, p *Process)) {
	t.Helper()
	c.NoCheck = false
	onEachKernel(t, func(t *testing.T) {
		t.Run("Open", func(t *testing.T) { test(t.Context(), t, opened(t, c)) })
		t.Run("Supervise", func(t *testing.T) {
			supervised := *c
			supervised.NoCheck = true
			err := whilst(t, t.Context(), &supervised, func(ctx context.Context, n *nursery.Nursery, p *Process) error {
				test(ctx, t, p)
				n.Cancel(nil)
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	})
}

// Trio: test_basic, test_basic_no_pidfd
func TestProcessTellsWhatItIs(t *testing.T) {
	inBothWays(t, &Command{Args: []string{"sh", "-c", "exit 3"}}, func(ctx context.Context, t *testing.T, p *Process) {
		if p.Stdin() != nil || p.Stdout() != nil || p.Stderr() != nil || p.Stdio() != nil {
			t.Error("it has streams, and no pipes")
		}
		if !slices.Equal(p.Args(), []string{"sh", "-c", "exit 3"}) || p.Pid() <= 0 {
			t.Errorf("args %q, pid %d", p.Args(), p.Pid())
		}
		s, err := p.Wait(ctx)
		if err != nil || s != (Status{Code: 3}) {
			t.Errorf("%v, %v", s, err)
		}
		if got := p.String(); got != "process sh: exited with status 3" {
			t.Errorf("String is %q", got)
		}
	})
}

// Trio: test_auto_update_returncode
func TestStatusIsKnownWithoutWait(t *testing.T) {
	inBothWays(t, &Command{Args: []string{"cat"}, Stdin: Pipe, Stdout: Pipe}, func(ctx context.Context, t *testing.T, p *Process) {
		if s, exited := p.Poll(); exited || s != (Status{}) {
			t.Errorf("while it runs: %v, %v", s, exited)
		}
		if got, want := p.String(), fmt.Sprintf("process cat: running with pid %d", p.Pid()); got != want {
			t.Errorf("String is %q, want %q", got, want)
		}
		p.Stdin().Close(ctx)
		if _, err := receiveAll(ctx, p.Stdout()); err != nil { // then it is about to end
			t.Error(err)
		}
		if !poll(ctx, func() bool { _, exited := p.ExitCode(); return exited }) {
			t.Error("it did not end")
		}
	})
}

// Trio: test_multi_wait, test_multi_wait_no_pidfd
func TestManyWaitAndEachCanBeCancelled(t *testing.T) {
	inBothWays(t, &Command{Args: []string{"sleep", "1000"}}, func(ctx context.Context, t *testing.T, p *Process) {
		err := nursery.Run(ctx, func(ctx context.Context, n *nursery.Nursery) error {
			short, cancel := context.WithCancelCause(ctx)
			cancelled := make(chan error)
			for range 3 {
				n.Go(func(context.Context) error {
					_, err := p.Wait(short)
					cancelled <- err
					return nil
				})
				poll(ctx, func() bool { return len(p.turn) == 1 }) // one of these, or the supervisor
			}
			ended := make(chan Status)
			for range 3 {
				n.Go(func(ctx context.Context) error {
					s, err := p.Wait(ctx)
					ended <- s
					return err
				})
			}
			cancel(errStopped)
			for range 3 {
				if err := <-cancelled; !errors.Is(err, errStopped) {
					t.Errorf("a cancelled Wait: %v", err)
				}
			}
			if _, exited := p.Poll(); exited {
				t.Error("it has ended with the Waits")
			}
			syscall.Kill(p.Pid(), syscall.SIGKILL) // p.Kill would look for the end itself
			for range 3 {
				if s := <-ended; s.Signal != syscall.SIGKILL {
					t.Errorf("a Wait returned %v", s)
				}
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
}

// Trio: test_subprocess_pidfd_unnotified
func TestPollThatFindsTheEndWakesAWait(t *testing.T) {
	inBothWays(t, &Command{Args: []string{"sleep", "1000"}}, func(ctx context.Context, t *testing.T, p *Process) {
		done := make(chan Status, 1)
		go func() {
			s, _ := p.Wait(ctx)
			done <- s
		}()
		p.Kill()
		poll(ctx, func() bool { _, exited := p.Poll(); return exited })
		if s := <-done; s.Signal != syscall.SIGKILL {
			t.Errorf("Wait returned %v", s)
		}
	})
}

func TestWaitIsCancelledBeforeDuringAndByItsDeadline(t *testing.T) {
	inBothWays(t, &Command{Args: []string{"sleep", "1000"}}, func(ctx context.Context, t *testing.T, p *Process) {
		dead, cancel := context.WithCancelCause(ctx)
		cancel(errStopped)
		if _, err := p.Wait(dead); !errors.Is(err, context.Canceled) || !errors.Is(err, errStopped) {
			t.Errorf("dead before: %v", err)
		}
		late, cancelLate := context.WithTimeout(ctx, 10*time.Millisecond)
		defer cancelLate()
		if _, err := p.Wait(late); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("deadline: %v", err)
		}
	})
}

// Trio: test_signals
func TestSignals(t *testing.T) {
	for name, c := range map[string]struct {
		send func(p *Process) error
		want syscall.Signal
	}{
		"Kill":       {(*Process).Kill, syscall.SIGKILL},
		"Terminate":  {(*Process).Terminate, syscall.SIGTERM},
		"USR1":       {func(p *Process) error { return p.Signal(syscall.SIGUSR1) }, syscall.SIGUSR1},
		"group USR1": {func(p *Process) error { return p.SignalGroup(syscall.SIGUSR1) }, syscall.SIGUSR1},
	} {
		t.Run(name, func(t *testing.T) {
			inBothWays(t, &Command{Args: []string{"sleep", "1000"}}, func(ctx context.Context, t *testing.T, p *Process) {
				if err := c.send(p); err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithTimeout(ctx, time.Second)
				defer cancel()
				s, err := p.Wait(ctx)
				if err != nil || s.Signal != c.want || s.Code != -1 || s.Success() {
					t.Errorf("%+v, %v", s, err)
				}
				if want := fmt.Sprintf("exited with signal %d ", c.want); !strings.Contains(p.String(), want) {
					t.Errorf("String is %q", p)
				}
				if err := c.send(p); err != nil {
					t.Errorf("after the end: %v", err)
				}
			})
		})
	}
}

func TestKillBesideTheEndOfTheChildIsNoError(t *testing.T) {
	for range 300 {
		p, err := Open(t.Context(), &Command{Args: []string{"true"}, Group: OwnGroup})
		if err != nil {
			t.Fatal(err)
		}
		err = nursery.Run(t.Context(), func(ctx context.Context, n *nursery.Nursery) error {
			for range 2 {
				n.Go(func(ctx context.Context) error {
					for _, exited := p.Poll(); !exited; _, exited = p.Poll() {
						if err := p.Kill(); err != nil {
							return err
						}
					}
					return nil
				})
			}
			_, err := p.Wait(ctx) // and reaps it
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestSignalThatDoesNotExistIsAnError(t *testing.T) {
	inBothWays(t, &Command{Args: []string{"sleep", "1000"}}, func(ctx context.Context, t *testing.T, p *Process) {
		if err := p.Signal(syscall.Signal(1000)); !errors.Is(err, syscall.EINVAL) {
			t.Errorf("to it: %v", err)
		}
		if err := p.SignalGroup(syscall.Signal(1000)); !errors.Is(err, syscall.EINVAL) {
			t.Errorf("to its group: %v", err)
		}
	})
}

// Trio: test_wait_reapable_fails, test_wait_reapable_fails_no_pidfd
func TestStatusThatTheSystemDoesNotTellIsUnknown(t *testing.T) {
	inBothWays(t, &Command{Args: []string{"cat"}, Stdin: Pipe}, func(ctx context.Context, t *testing.T, p *Process) {
		signal.Ignore(syscall.SIGCHLD)
		defer heedChildren()
		p.Stdin().Close(ctx)
		s, err := p.Wait(ctx)
		if err != nil || !s.Unknown || s.Success() {
			t.Errorf("%+v, %v", s, err)
		}
		if !strings.Contains(s.String(), "not known") {
			t.Errorf("String is %q", s)
		}
	})
}

// heedChildren undoes signal.Ignore(SIGCHLD), which signal.Reset does not.
func heedChildren() {
	ch := make(chan os.Signal, 1)
	signal.Notify(ch, syscall.SIGCHLD)
	signal.Stop(ch)
}

// Trio: test_pipes
func TestPipesAreStreams(t *testing.T) {
	c := asChild(t, "reverse")
	c.Stdin, c.Stdout, c.Stderr = Pipe, Pipe, Pipe
	inBothWays(t, c, func(ctx context.Context, t *testing.T, p *Process) {
		if p.Stdio() == nil {
			t.Fatal("no Stdio")
		}
		if err := p.Stdio().SendAll(ctx, []byte("abc")); err != nil {
			t.Fatal(err)
		}
		if err := p.Stdio().SendEOF(ctx); err != nil {
			t.Fatal(err)
		}
		out, err := receiveAll(ctx, p.Stdio())
		if out != "abc" || err != nil {
			t.Errorf("stdout: %q, %v", out, err)
		}
		out, err = receiveAll(ctx, p.Stderr())
		if out != "cba" || err != nil {
			t.Errorf("stderr: %q, %v", out, err)
		}
	})
}

// Trio: test_interactive
func TestInteractiveTalk(t *testing.T) {
	c := asChild(t, "calculator")
	c.Stdin, c.Stdout = Pipe, Pipe
	inBothWays(t, c, func(ctx context.Context, t *testing.T, p *Process) {
		for _, n := range []int{0, 1, 10, 999999} {
			question := fmt.Sprintln(n)
			for _, part := range []string{question[:1], question[1:]} {
				short, cancel := context.WithTimeout(ctx, 10*time.Millisecond)
				if n, err := p.Stdout().ReceiveSome(short, make([]byte, 1)); !errors.Is(err, context.DeadlineExceeded) {
					t.Fatalf("before the question is complete: %d, %v", n, err)
				}
				cancel()
				if err := p.Stdin().SendAll(ctx, []byte(part)); err != nil {
					t.Fatal(err)
				}
			}
			got := 0
			for got < n+1 {
				k, err := p.Stdout().ReceiveSome(ctx, make([]byte, n+1-got))
				if err != nil {
					t.Fatal(err)
				}
				got += k
			}
		}
		p.Stdin().Close(ctx)
		if rest, err := receiveAll(ctx, p.Stdout()); rest != "" || err != nil {
			t.Errorf("at the end: %q, %v", rest, err)
		}
	})
}

func TestAbortOfStdioKillsTheChild(t *testing.T) {
	inBothWays(t, &Command{Args: []string{"cat"}, Stdin: Pipe, Stdout: Pipe}, func(ctx context.Context, t *testing.T, p *Process) {
		if err := trigo.Abort(p.Stdio()); err != nil {
			t.Error(err)
		}
		if s, err := p.Wait(ctx); s.Signal != syscall.SIGKILL || err != nil {
			t.Errorf("%v, %v", s, err)
		}
		if err := p.Stdin().SendAll(ctx, nil); !errors.Is(err, trigo.ErrClosed) {
			t.Errorf("Stdin: %v", err)
		}
	})
}

func TestGroupOfASupervisedChildHasWaitDelayToFinishWithThePipes(t *testing.T) {
	onEachKernel(t, func(t *testing.T) {
		err := whilst(t, t.Context(), &Command{Shell: "(sleep 0.1; echo late) & echo early", Stdout: Pipe},
			func(ctx context.Context, n *nursery.Nursery, p *Process) error {
				all, err := receiveAll(ctx, p.Stdout())
				if all != "early\nlate\n" {
					t.Errorf("received %q", all)
				}
				return err
			})
		if err != nil {
			t.Error(err)
		}
	})
}

func TestOutputIsThereAfterTheEndOfTheChild(t *testing.T) {
	inBothWays(t, &Command{Shell: "echo tail", Stdout: Pipe}, func(ctx context.Context, t *testing.T, p *Process) {
		if _, err := p.Wait(ctx); err != nil {
			t.Fatal(err)
		}
		if all, err := receiveAll(ctx, p.Stdout()); all != "tail\n" || err != nil {
			t.Errorf("%q, %v", all, err)
		}
	})
}

func TestOpenedChildOutlivesItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	p, err := Open(ctx, &Command{Args: []string{"cat"}, Stdin: Pipe, Stdout: Pipe})
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := p.Stdin().SendAll(t.Context(), []byte("alive")); err != nil {
		t.Error(err)
	}
	p.Stdin().Close(t.Context())
	if all, err := receiveAll(t.Context(), p.Stdout()); all != "alive" || err != nil {
		t.Errorf("%q, %v", all, err)
	}
	p.Stdout().Close(t.Context())
	if s, err := p.Wait(t.Context()); !s.Success() || err != nil {
		t.Errorf("%v, %v", s, err)
	}
}

// Trio: test_waitid_eintr
func TestInterruptedSystemCallsAreMadeAgain(t *testing.T) {
	got := make(chan os.Signal, 1)
	signal.Notify(got, syscall.SIGUSR2)
	defer signal.Stop(got)
	inBothWays(t, &Command{Args: []string{"sleep", "0.05"}}, func(ctx context.Context, t *testing.T, p *Process) {
		for exited := false; !exited; _, exited = p.Poll() {
			syscall.Kill(os.Getpid(), syscall.SIGUSR2)
			<-got
		}
		if s, err := p.Wait(ctx); err != nil || !s.Success() {
			t.Errorf("%v, %v", s, err)
		}
	})
}
