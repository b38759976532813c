package process

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"trigo"
	"trigo/nursery"
)

// Run runs c to its end, and returns when nothing of it is left; see the package
// documentation. Outputs that are captured are received while the input is
// fed, so a child may read and write in any order.
//
// Run fails with
//
//   - an error that Is [os.ErrInvalid], if c contradicts itself;
//   - the system's error, if the child could not be started: it Is
//     [fs.ErrNotExist] or [fs.ErrPermission], say, and tells what it is about;
//   - an [ExitError], if the status is not 0, unless c.NoCheck is set;
//   - a cancellation, if ctx ended while the child ran, or while its pipes were
//     still open;
//   - what [Lines] or [Command.DeliverCancel] returned.
//
// Completed is not nil if the child was started, whatever the error: it has the
// output until then.
//
// Trio: trio.run_process.
func Run(ctx context.Context, c *Command) (*Completed, error) {
	return supervise(ctx, c, modeRun, nil)
}

// Supervise returns a function for [nursery.Start], which starts the child and
// returns its [Process]:
//
//	p, err := nursery.Start(ctx, n, process.Supervise(c))
//
// From then on it does what [Run] does: the child is ended when the nursery is
// cancelled, and its failure is the nursery's. Errors of the start are Start's.
//
// The streams of the Process belong to the caller. They are closed here only when
// the child is cancelled; else what the child has left in its pipes can be
// received after its end.
//
// Trio: nursery.start(trio.run_process, ...).
func Supervise(c *Command) func(ctx context.Context, started func(*Process)) error {
	return func(ctx context.Context, started func(*Process)) error {
		_, err := supervise(ctx, c, modeSupervise, started)
		return err
	}
}

// Open starts c and returns. The child is the caller's: nothing signals it or
// ends it, and it may outlive this process. Until somebody has called
// [Process.Wait] or [Process.Poll] after its end, it is a zombie. ctx is for
// the start alone.
//
// Trio: trio.lowlevel.open_process.
func Open(ctx context.Context, c *Command) (*Process, error) {
	p, _, err := launch(ctx, c, modeOpen)
	return p, err
}

// launch is start with its errors named.
func launch(ctx context.Context, c *Command, m mode) (*Process, *service, error) {
	err := trigo.CancelError(ctx)
	if err == nil {
		err = c.validate(m)
	}
	var (
		p *Process
		s *service
	)
	if err == nil {
		p, s, err = start(ctx, c, m)
	}
	if err != nil {
		return nil, nil, &trigo.OpError{Op: "start", Layer: c.name(), Err: err}
	}
	return p, s, nil
}

// supervision is one run of a child.
type supervision struct {
	c *Command
	p *Process
	s *service

	cancelled bool       // the end of ctx made a difference
	hookErr   error      // of DeliverCancel
	lost      []relative // descendants out of reach
}

func supervise(ctx context.Context, c *Command, m mode, started func(*Process)) (*Completed, error) {
	p, s, err := launch(ctx, c, m)
	if err != nil {
		return nil, err
	}
	r := &supervision{c: c, p: p, s: s}
	return r.see(ctx, started)
}

// see sees the child to its end, and says what became of it.
func (r *supervision) see(ctx context.Context, started func(*Process)) (*Completed, error) {
	err := nursery.Run(ctx, func(ctx context.Context, n *nursery.Nursery) error {
		r.run(ctx, n, started)
		return nil
	})
	completed := r.completed()
	if nursery.IsCancellation(ctx, err) { // the service was cancelled from outside: the same news
		r.cancelled, err = true, nil
	}
	if r.cancelled && ctx.Err() != nil {
		err = join(trigo.CancelError(ctx), err)
	}
	err = join(err, r.hookErr)
	if err == nil && !completed.Status.Success() && !r.c.NoCheck {
		err = &ExitError{completed}
	}
	if err != nil {
		err = &trigo.OpError{Op: "run", Layer: r.p.name, Err: err}
	}
	return completed, err
}

// join returns an error of both, or the one that is not nil.
func join(a, b error) error {
	if a == nil || b == nil {
		return errors.Join(a, b)
	}
	return fmt.Errorf("%w; %w", a, b)
}

// run serves the child until it has ended. ctx, of the nursery, ends when the
// call's does and when a part of the service fails.
func (r *supervision) run(ctx context.Context, n *nursery.Nursery, started func(*Process)) {
	// The pipes are served beyond a cancel: a child may have last words.
	serving, stopServing := context.WithCancelCause(context.WithoutCancel(ctx))
	ended := false
	defer func() {
		if !ended { // started has panicked
			r.p.SignalGroup(sigKill)
			r.p.Wait(context.WithoutCancel(ctx))
			r.p.killGroup()
			stopServing(errEnded)
			r.s.close()
			r.s.abandon()
		}
		r.p.release()
	}()

	served := r.serve(serving, n)
	if started != nil {
		started(r.p)
	}
	if _, err := r.p.Wait(ctx); err != nil {
		if _, exited := r.p.Poll(); !exited {
			r.cancelled = true
			r.stop(ctx)
		}
	}
	r.awaitPipes(ctx, served)
	if r.p.killGroup() {
		r.log(slog.LevelInfo, "processes of the group were killed, that had outlived their leader")
		within(served, pipeGrace) // that were held by those killed
	}
	stopServing(errEnded)
	<-served
	r.s.close()
	if r.cancelled {
		r.s.abandon()
	}
	ended = true
}

// errEnded is why the service ends.
var errEnded = errors.New("the process has ended")

// pipeGrace is how long the end of a pipe may take to be seen after the last
// process that held it has gone.
const pipeGrace = 100 * time.Millisecond

// serve starts the service in n. served is closed when there is nothing left
// to do.
func (r *supervision) serve(ctx context.Context, n *nursery.Nursery) (served chan struct{}) {
	served = make(chan struct{})
	tasks := r.s.tasks()
	if len(tasks) == 0 {
		close(served)
		return served
	}
	var left atomic.Int32
	left.Store(int32(len(tasks)))
	for _, task := range tasks {
		n.Go(func(context.Context) error {
			defer func() {
				if left.Add(-1) == 0 {
					close(served)
				}
			}()
			return task(ctx)
		})
	}
	return served
}

// awaitPipes waits, after the end of the child, for the ends of its pipes, as
// long as WaitDelay and ctx allow. Of those that the user has only those who
// might write to them can be seen: the group.
func (r *supervision) awaitPipes(ctx context.Context, served <-chan struct{}) {
	isServed := func() bool {
		select {
		case <-served:
			return true
		default:
			return false
		}
	}
	if isServed() && (len(r.s.pipes) == 0 || !r.p.groupLives()) { // mostly
		return
	}
	if r.cancelled { // then the end of ctx is no news
		ctx = context.WithoutCancel(ctx)
	}
	patient, cancel := context.WithTimeout(ctx, limit(r.c.WaitDelay, defaultWaitDelay))
	defer cancel()
	select {
	case <-served:
	case <-patient.Done():
	}
	complete := isServed() && (len(r.s.pipes) == 0 || r.p.awaitGroup(patient))
	if !complete && ctx.Err() != nil { // what is complete, a cancel that came with it does not change
		r.cancelled = true
	}
}

// within waits for done, for at most d.
func within(done <-chan struct{}, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
	}
}

// completed says what became of the child.
func (r *supervision) completed() *Completed {
	done := &Completed{Args: r.p.Args(), Pid: r.p.pid, Status: r.p.status}
	if f := r.s.feeder; f != nil && f.held {
		done.PipesHeld = append(done.PipesHeld, "stdin")
	}
	for _, c := range r.s.collectors {
		if c.keep && c.name == "stdout" {
			done.Stdout = c.kept
		} else if c.keep {
			done.Stderr = c.kept
		}
		if c.held {
			done.PipesHeld = append(done.PipesHeld, c.name)
			r.lost = append(r.lost, c.holders...)
		}
	}
	seen := map[int]bool{}
	for _, d := range r.lost {
		if !seen[d.pid] && d.lives() {
			done.Survivors = append(done.Survivors, d.pid)
		}
		seen[d.pid] = true
	}
	if len(done.PipesHeld) > 0 {
		r.log(slog.LevelWarn, "pipes were still open after the end of the process, and were given up",
			slog.Any("pipes", done.PipesHeld))
	}
	if len(done.Survivors) > 0 {
		r.log(slog.LevelWarn, "descendants of the process are out of reach and still run", slog.Any("pids", done.Survivors))
	}
	return done
}

func (r *supervision) log(level slog.Level, text string, attrs ...slog.Attr) {
	attrs = append([]slog.Attr{slog.String("process", r.p.name), slog.Int("pid", r.p.pid)}, attrs...)
	r.c.logger().LogAttrs(context.Background(), level, text, attrs...)
}
