package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"time"

	"trigo"
	"trigo/endpoint"
	"trigo/process"
	"trigo/relay"
)

var sideNames = [2]string{"a", "b"}

// job is a relay as the command line asks for it.
type job struct {
	*options
	out     *console
	sides   [2]endpoint.Endpoint
	recipes [2]*endpoint.Recipe
	conns   *connections
}

func runRelay(o *options, out *console) error {
	j, err := newJob(o, out)
	if err != nil {
		return err
	}
	if o.dryRun {
		return j.explain()
	}
	ctx := context.Background()
	for side, e := range j.sides {
		opts := o.endpoint(side)
		opts.Tap = out
		opts.Logger = slog.New(slog.NewTextHandler(out, &slog.HandlerOptions{Level: slog.LevelWarn}))
		if e.Uses("exec") {
			opts.Argv = o.argv
		}
		if out.verbose > 1 {
			opts.Observe = func(s endpoint.Step) { out.detail(2, stepLine(side, s)) }
		}
		if j.recipes[side], err = e.Prepare(ctx, opts); err != nil {
			return opening(side, err)
		}
	}
	remove, err := writePIDFile(o.pidFile)
	if err != nil {
		return err
	}
	defer remove()
	s := &stopper{limit: o.drain, job: j}
	return withSignals(ctx, s, j.run)
}

// newJob reads the addresses. It opens nothing.
func newJob(o *options, out *console) (*job, error) {
	j := &job{options: o, out: out, conns: newConnections()}
	args := o.args
	switch n := len(args); {
	case n == 0:
		return nil, usage("trigo --help shows how", "no address")
	case n > 2:
		return nil, usage("blanks in an address need quotes of the shell; a command stands behind --", "%d addresses, where two are the most", n)
	case n == 1:
		args = append(args, "-")
	}
	execs := 0
	for side, text := range args {
		e, err := endpoint.Parse(text)
		if err == nil && side == 0 && o.tap != "" {
			e, err = endpoint.Parse("tap=" + o.tap + "+" + e.String())
		}
		if err == nil {
			err = checkSocketPath(e)
		}
		if err != nil {
			f := opening(side, err)
			if isCommand(text) {
				f.hint = "a command stands first: trigo " + text + " ..."
			}
			return nil, f
		}
		j.sides[side] = e
		if e.Uses("exec") {
			execs++
		}
	}
	a, b := j.sides[0], j.sides[1]
	switch {
	case a.Listens() && b.Listens():
		return nil, usage("one side has to connect", "both sides listen")
	case a.Uses("stdio") && b.Uses("stdio"):
		return nil, usage("name what they are to be connected to, such as tcp:HOST:PORT", "both sides are standard input and output")
	case len(o.argv) > 0 && execs == 0:
		return nil, usage("what stands behind -- is for an exec layer", "no address takes the command %q", o.argv[0])
	case execs == 2:
		return nil, usage("a shell can run both: exec -- sh -c '...'", "both sides are children, and there is one command")
	}
	if !a.Listens() && !b.Listens() {
		if o.maxAccepts > 0 || o.maxPerIP > 0 || o.acceptRate > 0 || o.allow.isSet() || o.deny.isSet() || o.ready != "" {
			return nil, usage("they are for a side such as tcp-listen:PORT", "no address listens, as --max-accepts, --max-per-ip, --accept-rate, --allow, --deny and --ready want")
		}
		o.once = true
	}
	if j.usesStdio() || o.maxAccepts == 1 {
		o.once = true // there is one standard input
	}
	if o.exitFrom != "" && !j.sides[strings.Index("ab", o.exitFrom)].Uses("exec") {
		return nil, usage("the child is the side with an exec layer", "--exit-from %s: that side is no child", o.exitFrom)
	}
	if o.exitFrom != "" && !o.once {
		return nil, usage("pass --once as well", "--exit-from %s: there will be many children", o.exitFrom)
	}
	if o.exitFrom == "" && o.once && execs == 1 {
		o.exitFrom = "a"
		if b.Uses("exec") {
			o.exitFrom = "b"
		}
	}
	return j, nil
}

// isCommand reports whether the text, which is no address, is one of our commands.
func isCommand(text string) bool {
	return slices.ContainsFunc(commands()[1:], func(c command) bool { return c.name == text })
}

// checkSocketPath finds what is no socket where one is wanted, before anything is
// opened.
func checkSocketPath(e endpoint.Endpoint) error {
	for _, l := range e.Layers() {
		if l.Name() != "unix" && l.Name() != "unix-listen" {
			continue
		}
		info, err := os.Stat(l.Argument())
		if err != nil || info.Mode().Type() == fs.ModeSocket {
			continue // what is wrong then, opening it will tell
		}
		kind, hint := "a file", "file:PATH is for files"
		switch {
		case info.IsDir():
			kind, hint = "a directory", "name a socket in it"
		case l.Name() == "unix-listen":
			hint = "remove it, or take another name: only sockets are replaced"
		}
		return &endpoint.Error{Text: e.Redacted(), Layer: l.Name(), Phase: endpoint.PhaseParse, Hint: hint, Err: fmt.Errorf("%s is %s, not a socket", l.Argument(), kind)}
	}
	return nil
}

func (j *job) usesStdio() bool { return j.sides[0].Uses("stdio") || j.sides[1].Uses("stdio") }

func (j *job) run(ctx context.Context, s *stopper) error {
	return j.withStatus(ctx, s, func(ctx context.Context) error {
		for side, e := range j.sides {
			if e.Listens() {
				return j.serve(ctx, s, side)
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
	})
}

// open opens one side, again and again if --retry says so.
func (j *job) open(ctx context.Context, side int) (trigo.Stream, error) {
	pause := j.backoff.first
	for try := retries(0); ; try++ {
		s, err := j.recipes[side].Dial(ctx)
		if err == nil {
			return s, nil
		}
		f := opening(side, err)
		if j.retry >= 0 && try >= j.retry || !mayPass(err) || ctx.Err() != nil {
			return nil, f
		}
		j.out.detail(1, fmt.Sprintf("%v; again in %v", f, brief(pause)), failureAttrs(f)...)
		if !sleep(ctx, jitter(pause)) {
			return nil, opening(side, trigo.CancelError(ctx))
		}
		pause = min(2*pause, j.backoff.most)
	}
}

// mayPass reports whether trying again may help.
func mayPass(err error) bool {
	var e *endpoint.Error
	if !errors.As(err, &e) {
		return false
	}
	switch e.Phase {
	case endpoint.PhaseParse, endpoint.PhasePrepare, endpoint.PhaseOpen:
		return false
	}
	return !errors.Is(err, endpoint.ErrDenied)
}

// jitter takes up to a half away, so that many who wait do not come together.
func jitter(d time.Duration) time.Duration { return d - rand.N(d/2+1) }

// sleep waits, and reports whether it could wait so long.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// relay is the one relay of a run, with a meter and, with -v, a last line.
func (j *job) relay(ctx context.Context, s *stopper, a, b trigo.Stream) error {
	s.patient.Store(!j.usesStdio()) // there somebody wants it to end now
	c := j.conns.add("", a, b)
	defer j.conns.remove(c)
	var report relay.Report
	err := withMeter(ctx, j.out, meterStyle(j.progress, j.usesStdio()), &c.counters, func(ctx context.Context) (err error) {
		report, err = j.move(ctx, c, a, b)
		return err
	})
	j.out.detail(1, summary(nameOf(a), nameOf(b), report), reportAttrs(report)...)
	return j.verdict(ctx, a, b, report, err)
}

// move runs a relay in the directions that are wanted.
func (j *job) move(ctx context.Context, c *connection, a, b trigo.Stream) (relay.Report, error) {
	switch {
	case j.oneWay:
		a, b = oneWay(a, b, j.sides[1].Uses("stdio"))
	case j.oneWayBack:
		b, a = oneWay(b, a, j.sides[0].Uses("stdio"))
	}
	opts := j.options.relay(&c.counters)
	opts.CloseTimeout = closeTime(a, b)
	if !j.datagrams() {
		return relay.Run(ctx, a, b, opts)
	}
	opts.Linger = 1
	report, err := relay.Run(ctx, a, b, opts)
	if errors.Is(err, relay.ErrReaped) {
		err = nil
	}
	return report, err
}

// datagrams reports whether the relay is one of UDP sessions. Their end is a silence in
// both directions, which nobody can be told of and nothing more comes after: that is
// how they end well.
func (j *job) datagrams() bool {
	a, b := j.sides[0], j.sides[1]
	return a.Uses("udp-listen") && b.Uses("udp") || a.Uses("udp") && b.Uses("udp-listen")
}

// closeTime is how long the goodbyes may take: as usual, and as long as a child has the
// grace for.
func closeTime(sides ...trigo.Stream) time.Duration {
	limit := 5 * time.Second
	for _, s := range sides {
		if child, ok := trigo.As[interface{ CloseTime() time.Duration }](s); ok {
			limit = max(limit, child.CloseTime())
		}
	}
	return limit
}

// verdict is what the one relay of a run ends with: its failure, or that of the
// child that --exit-from names. A child that went away before it had read everything
// speaks for itself, but not if it was killed for what went wrong elsewhere.
func (j *job) verdict(ctx context.Context, a, b trigo.Stream, report relay.Report, err error) error {
	f := relaying(err)
	if f != nil {
		f.report = &report
	}
	side := strings.Index("ab", j.exitFrom)
	if j.exitFrom == "" || f != nil && (f.code != exitBroken || f.side != j.exitFrom) {
		return orNil(f)
	}
	child, ok := trigo.As[*process.Process]([]trigo.Stream{a, b}[side])
	if !ok {
		return orNil(f)
	}
	status, err := child.Wait(ctx) // it was closed, so it has ended
	if err != nil {
		return &failure{code: exitFailure, err: err}
	}
	if f != nil && (status.Code == 0 || status.Signal == os.Kill) {
		return f
	}
	return orNil(childFailure(side, status))
}

// orNil makes of no failure no error.
func orNil(f *failure) error {
	if f == nil {
		return nil
	}
	return f
}
