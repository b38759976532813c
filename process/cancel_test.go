//go:build unix

package process

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"trigo"
	"trigo/nursery"
	"trigo/trigotest"
)

// stopper cancels a ctx as soon as a line of output is "ready".
func stopper(t *testing.T) (ctx context.Context, lines Lines) {
	ctx, cancel := context.WithCancelCause(t.Context())
	t.Cleanup(func() { cancel(nil) })
	return ctx, Lines{Each: func(_ context.Context, line []byte) error {
		if string(line) == "ready" {
			cancel(errStopped)
		}
		return nil
	}}
}

var errStopped = errors.New("the test has stopped it")

// isStopped wants the error of a call cancelled by a stopper.
func isStopped(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, context.Canceled) || !errors.Is(err, errStopped) {
		t.Errorf("error is %v, want a cancellation with its cause", err)
	}
}

func TestCancelEndsTheWholeGroup(t *testing.T) {
	onEachKernel(t, func(t *testing.T) {
		trigotest.LeakCheck(t)
		ctx, lines := stopper(t)
		start := time.Now()
		done, err := Run(ctx, &Command{
			Shell:  "sleep 1000 & echo $!; echo ready; exec sleep 1000",
			Stdout: lines, Grace: time.Second,
		})
		took := time.Since(start)
		isStopped(t, err)
		grandchild, _ := strconv.Atoi(strings.Fields(string(done.Stdout))[0])
		if grandchild == 0 || alive(grandchild) || alive(done.Pid) {
			t.Errorf("alive: the child %v, its child %d %v", alive(done.Pid), grandchild, alive(grandchild))
		}
		if done.Status.Signal != syscall.SIGTERM || took > time.Second+slack {
			t.Errorf("%v after %v", done.Status, took)
		}
		if done.PipesHeld != nil || done.Survivors != nil {
			t.Errorf("held %v, survivors %v", done.PipesHeld, done.Survivors)
		}
	})
}

// Trio: test_warn_on_cancel_SIGKILL_escalation
func TestChildThatIgnoresTERMIsKilledAfterGraceWithALogLine(t *testing.T) {
	onEachKernel(t, func(t *testing.T) {
		ctx, lines := stopper(t)
		var log journal
		start := time.Now()
		done, err := Run(ctx, &Command{
			Shell:  "trap '' TERM; echo ready; while :; do sleep 1000; done",
			Stdout: lines, Stderr: Null, Grace: 100 * time.Millisecond, Logger: log.logger(),
		})
		took := time.Since(start)
		isStopped(t, err)
		if done.Status.Signal != syscall.SIGKILL || took < 100*time.Millisecond || took > 100*time.Millisecond+slack {
			t.Errorf("%v after %v", done.Status, took)
		}
		if !strings.Contains(log.String(), "ignored the request to terminate") || !strings.Contains(log.String(), "grace=100ms") {
			t.Errorf("log: %q", log.String())
		}
	})
}

func TestMemberThatIgnoresTERMIsKilledAfterItsLeader(t *testing.T) {
	onEachKernel(t, func(t *testing.T) {
		ctx, lines := stopper(t)
		done, err := Run(ctx, &Command{
			Shell:  "(trap '' TERM; exec sh -c 'echo $$; echo ready; exec sleep 1000') & wait",
			Stdout: lines, Stderr: Null, Grace: 50 * time.Millisecond, Logger: new(journal).logger(),
		})
		isStopped(t, err)
		member, _ := strconv.Atoi(strings.Fields(string(done.Stdout))[0])
		if member == 0 || alive(member) || done.Status.Signal != syscall.SIGTERM {
			t.Errorf("member %d alive: %v; leader %v", member, alive(member), done.Status)
		}
	})
}

func TestMemberHasTheRestOfTheGraceToFinish(t *testing.T) {
	onEachKernel(t, func(t *testing.T) {
		ctx, lines := stopper(t)
		done, err := Run(ctx, &Command{
			Shell:  "(trap 'sleep 0.1; echo finished; exit' TERM; echo ready; while :; do sleep 0.01; done) & wait",
			Stdout: lines, Stderr: Null,
		})
		isStopped(t, err)
		if !strings.Contains(string(done.Stdout), "finished") {
			t.Errorf("output is %q", done.Stdout)
		}
	})
}

func TestNegativeGraceKillsAtOnce(t *testing.T) {
	ctx, lines := stopper(t)
	done, err := Run(ctx, &Command{Shell: "trap 'exit 0' TERM; echo ready; sleep 1000", Stdout: lines, Grace: -1})
	isStopped(t, err)
	if done.Status.Signal != syscall.SIGKILL {
		t.Errorf("status %v", done.Status)
	}
}

func TestOutputBeforeAndDuringTheCancelIsReturned(t *testing.T) {
	ctx, lines := stopper(t)
	done, err := Run(ctx, &Command{
		Shell:  "trap 'echo last words; exit 3' TERM; echo words; echo ready; while :; do sleep 0.01; done",
		Stdout: lines, Stderr: Null,
	})
	isStopped(t, err)
	if got := string(done.Stdout); got != "words\nready\nlast words\n" {
		t.Errorf("output is %q", got)
	}
	var exit *ExitError
	if errors.As(err, &exit) || done.Status.Code != 3 {
		t.Errorf("a cancelled child's status is no failure: %v, %v", err, done.Status)
	}
}

func TestTimeoutIsADeadline(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := Run(ctx, &Command{Args: []string{"sleep", "1000"}}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error is %v", err)
	}
}

// Trio: test_custom_deliver_cancel
func TestDeliverCancelIsCalledAndEndsWithTheChild(t *testing.T) {
	onEachKernel(t, func(t *testing.T) {
		ctx, lines := stopper(t)
		called := 0
		done, err := Run(ctx, &Command{
			Shell: "trap 'exit 5' USR1; echo ready; while :; do sleep 0.01; done", Stdout: lines, Stderr: Null,
			DeliverCancel: func(life context.Context, p *Process) error {
				called++
				if life.Err() != nil {
					t.Error("its ctx is dead from the start")
				}
				if err := p.Signal(syscall.SIGUSR1); err != nil {
					t.Error(err)
				}
				<-life.Done()
				if code, exited := p.ExitCode(); code != 5 || !exited {
					t.Errorf("when its ctx ended: %d, %v", code, exited)
				}
				return context.Cause(life)
			},
		})
		isStopped(t, err)
		if called != 1 || done.Status.Code != 5 {
			t.Errorf("called %d times, %v", called, done.Status)
		}
	})
}

// Trio: test_bad_deliver_cancel
func TestDeliverCancelThatFailsIsToldAndTheChildEndedAllTheSame(t *testing.T) {
	ctx, lines := stopper(t)
	broken := errors.New("no way to tell it")
	done, err := Run(ctx, &Command{
		Shell: "echo ready; exec sleep 1000", Stdout: lines,
		DeliverCancel: func(context.Context, *Process) error { return broken },
	})
	isStopped(t, err)
	if !errors.Is(err, broken) || done.Status.Signal != syscall.SIGTERM {
		t.Errorf("%v, %v", err, done.Status)
	}
}

// A signal that cannot be sent is no reason to leave the child, or to be silent.
//
// Trio: test_warn_on_failed_cancel_terminate
func TestSignalThatCannotBeSentIsLogged(t *testing.T) {
	for name, group := range map[string]Group{"alone": ParentGroup, "group": OwnGroup} {
		t.Run(name, func(t *testing.T) {
			onEachKernel(t, func(t *testing.T) {
				c := &Command{Args: []string{"sleep", "1000"}, Group: group}
				p := opened(t, c)
				var log journal
				r := &supervision{c: &Command{Logger: log.logger()}, p: p, s: &service{}}
				r.signal(syscall.Signal(1000))
				if !strings.Contains(log.String(), "could not be signalled") || !strings.Contains(log.String(), syscall.EINVAL.Error()) {
					t.Errorf("log: %q", log.String())
				}
				if _, exited := p.Poll(); exited {
					t.Error("it has ended")
				}
			})
		})
	}
}

func TestDeliverCancelThatDoesNothingWaitsForTheChild(t *testing.T) {
	ctx, lines := stopper(t)
	done, err := Run(ctx, &Command{
		Shell: "echo ready; sleep 0.2; echo done", Stdout: lines, Stderr: Null,
		DeliverCancel: func(context.Context, *Process) error { return nil },
	})
	isStopped(t, err)
	if !done.Status.Success() || string(done.Stdout) != "ready\ndone\n" {
		t.Errorf("%v, %q", done.Status, done.Stdout)
	}
}

func TestPanicOfDeliverCancelComesOutWhenTheChildHasEnded(t *testing.T) {
	trigotest.LeakCheck(t)
	ctx, lines := stopper(t)
	var pid int
	defer func() {
		p, ok := recover().(*nursery.PanicError)
		if !ok || p.Value != "lost my head" || pid == 0 || alive(pid) {
			t.Errorf("recovered %v; child %d alive: %v", p, pid, alive(pid))
		}
	}()
	Run(ctx, &Command{
		Shell: "echo ready; exec sleep 1000", Stdout: lines,
		DeliverCancel: func(_ context.Context, p *Process) error {
			pid = p.Pid()
			panic("lost my head")
		},
	})
}

func TestStartedThatPanicsLeavesNothing(t *testing.T) {
	trigotest.LeakCheck(t)
	var pid int
	defer func() {
		if recover() != "no room" || pid == 0 || alive(pid) {
			t.Errorf("child %d alive: %v", pid, alive(pid))
		}
	}()
	Supervise(&Command{Args: []string{"sleep", "1000"}, Stdout: Capture, Stdin: Pipe})(t.Context(), func(p *Process) {
		pid = p.Pid()
		panic("no room")
	})
}

func TestSuccessBeforeTheCancelWins(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	err := Supervise(&Command{Args: []string{"true"}})(ctx, func(p *Process) {
		p.Wait(t.Context())
		cancel()
	})
	if err != nil {
		t.Errorf("error is %v", err)
	}
}

func TestCancelledSuperviseClosesTheStreams(t *testing.T) {
	trigotest.LeakCheck(t)
	err := nursery.Run(t.Context(), func(ctx context.Context, n *nursery.Nursery) error {
		p, err := nursery.Start(ctx, n, Supervise(&Command{Args: []string{"cat"}, Stdin: Pipe, Stdout: Pipe}))
		if err != nil {
			return err
		}
		if err := p.Stdio().SendAll(ctx, []byte("x")); err != nil {
			return err
		}
		n.Cancel(nil)
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func TestGrandchildThatHoldsStdoutDelaysRunByWaitDelayAtMost(t *testing.T) {
	for _, group := range []Group{OwnGroup, ParentGroup} {
		t.Run(fmt.Sprint(group), func(t *testing.T) {
			trigotest.LeakCheck(t)
			var log journal
			start := time.Now()
			done, err := Run(t.Context(), &Command{
				Shell:  "setsid sleep 1000 & echo $!; echo kept",
				Stdout: Capture, Group: group, WaitDelay: 200 * time.Millisecond, Logger: log.logger(),
			})
			took := time.Since(start)
			grandchild, _ := strconv.Atoi(strings.Fields(string(done.Stdout) + " 0")[0])
			killAfter(t, grandchild)
			if err != nil || !strings.HasSuffix(string(done.Stdout), "kept\n") {
				t.Errorf("%q, %v", done.Stdout, err)
			}
			if took < 200*time.Millisecond || took > 200*time.Millisecond+slack {
				t.Errorf("it took %v", took)
			}
			if fmt.Sprint(done.PipesHeld) != "[stdout]" || !strings.Contains(log.String(), "still open") {
				t.Errorf("held %v, log %q", done.PipesHeld, log.String())
			}
			if !alive(grandchild) {
				t.Error("who had left the group was killed")
			}
			if want := fmt.Sprint([]int{grandchild}); len(kernels) > 1 && fmt.Sprint(done.Survivors) != want {
				t.Errorf("survivors %v, want %s", done.Survivors, want)
			}
		})
	}
}

func TestGroupMemberThatHoldsStdoutIsKilledAfterWaitDelay(t *testing.T) {
	onEachKernel(t, func(t *testing.T) {
		start := time.Now()
		done, err := Run(t.Context(), &Command{
			Shell: "sleep 1000 & echo $!", Stdout: Capture, WaitDelay: 50 * time.Millisecond, Logger: new(journal).logger(),
		})
		if took := time.Since(start); took > 50*time.Millisecond+slack {
			t.Errorf("it took %v", took)
		}
		member, _ := strconv.Atoi(strings.TrimSpace(string(done.Stdout)))
		if err != nil || member == 0 || alive(member) || done.PipesHeld != nil {
			t.Errorf("%v; member %d alive: %v; held %v", err, member, alive(member), done.PipesHeld)
		}
	})
}

func TestOutputOfGroupMembersWithinWaitDelayIsCollected(t *testing.T) {
	done, err := Run(t.Context(), &Command{Shell: "(sleep 0.1; echo late) & echo early", Stdout: Capture})
	if err != nil || string(done.Stdout) != "early\nlate\n" {
		t.Errorf("%q, %v", done.Stdout, err)
	}
}

func TestCancelCutsWaitDelayShort(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	var pid int
	done, err := Run(ctx, &Command{
		Shell: "setsid sh -c 'echo $$; while kill -0 $0 2>/dev/null; do sleep 0.01; done; echo alone; exec sleep 1000' $$ & :",
		Stdout: Lines{Each: func(_ context.Context, line []byte) error {
			if string(line) == "alone" { // the child has ended, and was reaped
				cancel(errStopped)
			} else {
				pid, _ = strconv.Atoi(string(line))
			}
			return nil
		}},
		WaitDelay: time.Minute, Logger: new(journal).logger(),
	})
	killAfter(t, pid)
	isStopped(t, err)
	if !strings.HasSuffix(string(done.Stdout), "alone\n") || fmt.Sprint(done.PipesHeld) != "[stdout]" {
		t.Errorf("%q, held %v", done.Stdout, done.PipesHeld)
	}
}

func TestWithoutWaitDelayWhatIsInThePipeIsKept(t *testing.T) {
	for range 20 {
		done, err := Run(t.Context(), &Command{Shell: "head -c 60000 /dev/zero", Stdout: Capture, WaitDelay: -1})
		if err != nil || len(done.Stdout) != 60000 || done.PipesHeld != nil {
			t.Fatalf("%d bytes, %v, held %v", len(done.Stdout), err, done.PipesHeld)
		}
	}
}

func TestInputThatAnEscapeeDoesNotReadIsGivenUp(t *testing.T) {
	done, err := Run(t.Context(), &Command{
		Shell: "exec 3<&0; setsid sleep 1000 <&3 & echo $! >&2", Stdin: Bytes(make([]byte, 1<<20)), Stderr: Capture,
		Stdout: Null, WaitDelay: 50 * time.Millisecond, Logger: new(journal).logger(),
	})
	pid, _ := strconv.Atoi(strings.TrimSpace(string(done.Stderr)))
	killAfter(t, pid)
	if err != nil || !strings.Contains(fmt.Sprint(done.PipesHeld), "stdin") {
		t.Errorf("held %v, %v", done.PipesHeld, err)
	}
}

func TestSurvivorsOfACancelAreReported(t *testing.T) {
	if len(kernels) == 1 {
		t.Skip("descendants can be found on Linux only")
	}
	ctx, lines := stopper(t)
	done, err := Run(ctx, &Command{
		Shell:  "setsid sleep 1000 >/dev/null 2>&1 & echo $!; sleep 0.1; echo ready; exec sleep 1000",
		Stdout: lines, Logger: new(journal).logger(),
	})
	isStopped(t, err)
	pid, _ := strconv.Atoi(strings.Fields(string(done.Stdout))[0])
	killAfter(t, pid)
	if !alive(pid) || fmt.Sprint(done.Survivors) != fmt.Sprint([]int{pid}) {
		t.Errorf("survivors %v, want %d", done.Survivors, pid)
	}
}

func TestWhoIsCancelledTooIsNotToldThatTheStreamWasClosed(t *testing.T) {
	dead, cancel := context.WithCancelCause(t.Context())
	cancel(errStopped)
	err := nursery.Run(t.Context(), func(ctx context.Context, n *nursery.Nursery) error {
		p, err := nursery.Start(ctx, n, Supervise(&Command{Args: []string{"cat"}, Stdin: Pipe, Stdout: Pipe}))
		if err != nil {
			return err
		}
		n.Cancel(nil)
		poll(t.Context(), func() bool { // until the supervisor has closed them
			return errors.Is(p.Stdin().SendAll(t.Context(), nil), trigo.ErrClosed)
		})
		isStopped(t, p.Stdin().SendAll(dead, []byte("x")))
		_, err = p.Stdout().ReceiveSome(dead, make([]byte, 1))
		isStopped(t, err)
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
