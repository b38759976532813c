package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"

	"trigo"
	"trigo/relay"
	"trigo/signals"
)

var sideNames = [2]string{"a", "b"}

// job is what the command line asks for.
type job struct {
	*options
	sides [2]address
	out   *console
}

// run runs the command and returns its exit code.
func run(args []string, out *console) int {
	err := dispatch(args, out)
	if err == nil {
		return exitOK
	}
	var f *failure
	if !errors.As(err, &f) {
		f = &failure{code: exitFailure, err: err}
	}
	out.fail("", f)
	return f.code
}

func dispatch(args []string, out *console) error {
	o, err := parseOptions(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		_, err := fmt.Print(helpText)
		return err
	case err != nil:
		return err
	case o.version:
		_, err := fmt.Println(version())
		return err
	case len(o.args) == 1 && o.args[0] == "demo":
		return signals.Shutdown(context.Background(), func(ctx context.Context) error {
			return demo(ctx, o, out)
		})
	}
	j := &job{options: o, out: out}
	if err := j.parseSides(); err != nil {
		return err
	}
	return withSignals(context.Background(), &stopper{limit: o.drain, say: j.notice}, j.run)
}

func (j *job) parseSides() error {
	switch n := len(j.args); {
	case n == 0:
		return usage("trigo --help shows how", "no address")
	case n > 2:
		return usage("", "%d addresses, where two are the most", n)
	case n == 1:
		j.args = append(j.args, "-")
	}
	for i, text := range j.args {
		a, err := parseAddress(text)
		if err != nil {
			return err
		}
		if err := a.check(); err != nil {
			return err
		}
		j.sides[i] = a
	}
	switch a, b := j.sides[0], j.sides[1]; {
	case a.listens() && b.listens():
		return usage("one side has to connect", "both sides listen")
	case a.name == "stdio" && b.name == "stdio":
		return usage("", "both sides are standard input and output")
	}
	return nil
}

func (j *job) usesStdio() bool {
	return j.sides[0].name == "stdio" || j.sides[1].name == "stdio"
}

func (j *job) run(ctx context.Context, s *stopper) error {
	for i, a := range j.sides {
		if a.listens() {
			return j.serve(ctx, s, i)
		}
	}
	a, err := j.open(ctx, 0)
	if err != nil {
		return err
	}
	b, err := j.open(ctx, 1)
	if err != nil {
		trigo.Abort(a)
		return err
	}
	return j.relay(ctx, s, a, b)
}

// notice prints what is no error, unless -q.
func (j *job) notice(format string, args ...any) {
	if !j.quiet {
		j.out.printf(format, args...)
	}
}

// open opens one side.
func (j *job) open(ctx context.Context, side int) (trigo.Stream, error) {
	s, err := j.sides[side].open(ctx, j.connectTimeout)
	if err != nil {
		return nil, opening(side, err)
	}
	return s, nil
}

// relay is the one relay of a run, with a meter and, with -v, a last line.
func (j *job) relay(ctx context.Context, s *stopper, a, b trigo.Stream) error {
	s.patient.Store(!j.usesStdio()) // there somebody wants it to end now
	s.open.Add(1)
	defer s.open.Add(-1)
	counters := new(relay.Counters)
	var report relay.Report
	err := withMeter(ctx, j.out, meterStyle(j.progress, j.usesStdio()), counters, func(ctx context.Context) (err error) {
		report, err = relay.Run(ctx, a, b, j.options.relay(counters))
		return err
	})
	if j.verbose {
		j.out.printf("%s", summary(nameOf(a), nameOf(b), report))
	}
	if f := relaying(err); f != nil {
		return f
	}
	return nil
}

// summary is the line that tells of one relay.
func summary(a, b string, r relay.Report) string {
	return fmt.Sprintf("a=%s b=%s sent=%s recv=%s %s end: a=%s b=%s", a, b,
		tight(r.AToB.Bytes), tight(r.BToA.Bytes), brief(r.Duration),
		ending(r.AToB, r.BToA), ending(r.BToA, r.AToB))
}

func nameOf(s trigo.Stream) string { return fmt.Sprint(s) }

// brief leaves of a duration what people read.
func brief(d time.Duration) time.Duration {
	if d < 10*time.Millisecond {
		return d.Round(10 * time.Microsecond)
	}
	return d.Round(time.Millisecond)
}

// tight is human without the space.
func tight(n int64) string { return strings.ReplaceAll(human(n), " ", "") }

// ending says how a side ended: from is the direction that it sent, to the one
// that it was sent.
func ending(from, to relay.Direction) string {
	switch {
	case from.End == relay.Broken:
		return fmt.Sprintf("%s after %s", breakage(from.Err), tight(from.Bytes))
	case to.End == relay.WriteFailed:
		return fmt.Sprintf("%s after it took %s", breakage(to.Err), tight(to.Bytes))
	case from.End == relay.Stopped, from.End == relay.WriteFailed:
		return "aborted"
	}
	return from.End.String()
}

// breakage names the usual ways in which a stream breaks.
func breakage(err error) string {
	switch {
	case errors.Is(err, syscall.ECONNRESET):
		return "reset"
	case errors.Is(err, syscall.EPIPE):
		return "broken pipe"
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, syscall.ETIMEDOUT):
		return "timeout"
	}
	return "broken"
}
