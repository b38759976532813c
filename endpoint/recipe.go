package endpoint

import (
	"context"
	"errors"
	"strings"
	"time"

	"trigo"
	"trigo/netstream"
	"trigo/nursery"
)

// A Recipe is an endpoint that is ready to be opened, any number of times and by
// anybody at the same time: its certificates are loaded and its secrets read. It
// holds nothing that must be closed. Members of a hub are those that were dialled
// with the same recipe.
type Recipe struct {
	endpoint Endpoint
	opts     Options
	parts    []*part
}

// Prepare reads what the endpoint refers to (files, certificates, variables) and
// checks opts against it. It does not touch the network. The error is an [*Error]
// with [PhasePrepare].
func (e Endpoint) Prepare(ctx context.Context, opts *Options) (*Recipe, error) {
	r := &Recipe{endpoint: e}
	if opts != nil {
		r.opts = *opts
	}
	fail := func(err *Error) (*Recipe, error) {
		err.Text = e.Redacted()
		return nil, err
	}
	switch {
	case len(e.layers) == 0:
		return fail(&Error{Phase: PhasePrepare, Err: errors.New("an endpoint without layers")})
	case ctx.Err() != nil:
		return fail(&Error{Phase: PhasePrepare, Err: trigo.CancelError(ctx)})
	case len(r.opts.Argv) > 0 && !e.Uses("exec"):
		return fail(&Error{Phase: PhasePrepare, Hint: "only exec takes one", Err: errors.New("nothing runs the command")})
	}
	for i, l := range e.layers {
		s := &setup{Layer: l, below: e.layers[i+1:], opts: &r.opts}
		if err := s.resolve(); err != nil {
			return fail(err)
		}
		p, err := l.kind.prepare(s)
		if err != nil {
			var known *Error
			if !errors.As(err, &known) {
				known = s.failure("", "", err)
			}
			return fail(known)
		}
		r.parts = append(r.parts, p)
	}
	return r, nil
}

// Dial prepares the endpoint and opens it once; see [Recipe.Dial].
func (e Endpoint) Dial(ctx context.Context, opts *Options) (trigo.Stream, error) {
	r, err := e.Prepare(ctx, opts)
	if err != nil {
		return nil, err
	}
	return r.Dial(ctx)
}

// Listen prepares the endpoint and opens its listeners; see [Recipe.Listen].
func (e Endpoint) Listen(ctx context.Context, opts *Options) ([]*Listener, error) {
	r, err := e.Prepare(ctx, opts)
	if err != nil {
		return nil, err
	}
	return r.Listen(ctx)
}

// Endpoint returns what the recipe is of.
func (r *Recipe) Endpoint() Endpoint { return r.endpoint }

// Dial opens the endpoint: it connects the transport and puts the layers on it, and
// returns when all handshakes are done. It waits as long as [Options] allow, which is
// a limit for each phase, and as long as ctx. When it fails, nothing is left of it.
//
// The error is an [*Error]. It Is the error of the layer, [ErrTimeout] if a phase
// took too long, [ErrDenied] if the peer is not let in.
func (r *Recipe) Dial(ctx context.Context) (trigo.Stream, error) {
	last := len(r.parts) - 1
	if r.parts[last].dial == nil {
		return nil, r.fail(ctx, last, PhaseOpen, "", errors.New("it listens and cannot be dialled"))
	}
	p := r.parts[last]
	s, took, err := r.step(ctx, last, "", nil, p.dial)
	if err != nil {
		return nil, err
	}
	return r.cover(ctx, s, took)
}

// cover puts the layers on the transport, which took so long. On an error the
// transport is closed.
func (r *Recipe) cover(ctx context.Context, s trigo.Stream, took []Took) (trigo.Stream, error) {
	for i := len(r.parts) - 2; i >= 0; i-- {
		p, below := r.parts[i], s
		op := ""
		if p.phase != "" {
			op = r.operation(p, below)
		}
		var err error
		s, took, err = r.step(ctx, i, op, took, func(ctx context.Context) (trigo.Stream, error) { return p.wrap(ctx, below) })
		if err != nil {
			trigo.CloseForcefully(below)
			return nil, err
		}
	}
	return s, nil
}

// operation names what is done to put a layer on, and with whom.
func (r *Recipe) operation(p *part, below trigo.Stream) string {
	op := map[Phase]string{PhaseHandshake: "tls handshake", PhaseProxy: "proxy"}[p.phase]
	if p.with != nil {
		op += " " + p.with()
	}
	return op + " over " + describe(below)
}

// step opens one layer within its limit of time, and tells of it. It returns took with
// what it took itself, which is also in its error.
func (r *Recipe) step(ctx context.Context, i int, op string, took []Took, open func(context.Context) (trigo.Stream, error)) (trigo.Stream, []Took, error) {
	phase := r.parts[i].phase
	began := time.Now()
	limited := ctx
	if d := r.opts.limit(phase); d > 0 {
		var cancel context.CancelFunc
		limited, cancel = context.WithTimeoutCause(ctx, d, &timeout{phase, d})
		defer cancel()
	}
	s, err := open(limited)
	if err != nil {
		s = nil
	}
	step := Step{Index: i, Layer: r.endpoint.layers[i].Name(), Phase: phase, Start: began, Duration: time.Since(began), Stream: s}
	step.Report = dialReport(s, err)
	if err == nil {
		took = append(took, step.took(phase)...)
	} else {
		failure := r.fail(limited, i, phase, op, err)
		took = append(took, step.took(failure.Phase)...)
		failure.Took, step.Err = took, failure
	}
	if r.opts.Observe != nil && phase != "" {
		step.Certificates = peerCertificates(s, err)
		r.opts.Observe(step)
	}
	return s, took, step.Err
}

// took returns the times of a step: of a layer that had nothing to do, none; of a
// dial, those of the name and of the connection, if it came to that: last is the phase
// that it ended in.
func (s Step) took(last Phase) []Took {
	switch {
	case last == "":
		return nil
	case s.Report != nil && s.Report.Resolve > 0 && last != PhaseResolve:
		return []Took{{s.Layer, PhaseResolve, s.Report.Resolve}, {s.Layer, last, s.Duration - s.Report.Resolve}}
	}
	return []Took{{s.Layer, last, s.Duration}}
}

// fail makes the error of a step. op is empty where the error of the layer tells what
// was tried.
func (r *Recipe) fail(ctx context.Context, i int, phase Phase, op string, err error) *Error {
	var known *Error
	if errors.As(err, &known) {
		if known.Text == "" {
			known.Text = r.endpoint.Redacted()
		}
		return known
	}
	e := &Error{Text: r.endpoint.Redacted(), Layer: r.endpoint.layers[i].Name(), Phase: phase, Op: op, Err: err}
	var named *trigo.OpError // by the layer itself
	if isLookup(err) && phase == PhaseConnect {
		e.Phase = PhaseResolve
	}
	switch {
	case op == "" && !errors.As(err, &named):
		e.Op = r.endpoint.layers[i].text(true)
	case op == "":
	case nursery.IsCancellation(ctx, err):
		e.Err = &cause{text: trigo.CancelError(ctx).Error(), err: err}
	default:
		e.Err = &cause{text: reason(err), err: err}
	}
	e.Hint = hint(e.Layer, phase, err)
	return e
}

// Reload reads the files of the endpoint again: certificates, keys, authorities.
// Connections that are open keep what they have; those to come get the new. If
// anything is wrong with the new files of any layer, the error is an [*Error], and all
// layers keep the old contents.
//
// It waits for nothing but the disk. A dead ctx is an error, and then nothing was
// read; once begun, Reload does not look at it.
func (r *Recipe) Reload(ctx context.Context) error {
	if ctx.Err() != nil {
		return trigo.CancelError(ctx)
	}
	var uses []func()
	for i, p := range r.parts {
		if p.load == nil {
			continue
		}
		use, err := p.load()
		if err != nil {
			var known *Error
			if !errors.As(err, &known) {
				known = &Error{Layer: r.endpoint.layers[i].Name(), Phase: PhasePrepare, Err: err}
			}
			known.Text = r.endpoint.Redacted()
			return known
		}
		uses = append(uses, use)
	}
	for _, use := range uses {
		use()
	}
	return nil
}

// Pins returns the pins of the keys that the endpoint shows to its peers, for the
// pin option of theirs. Those are the keys of tls-server layers, outermost first.
func (r *Recipe) Pins() []string {
	var all []string
	for _, p := range r.parts {
		if p.pins != nil {
			all = append(all, p.pins()...)
		}
	}
	return all
}

func dialReport(s trigo.Stream, err error) *netstream.DialReport {
	if conn, ok := s.(*netstream.Stream); ok {
		return conn.DialReport()
	}
	var failed *netstream.DialError
	if errors.As(err, &failed) {
		return failed.Report
	}
	return nil
}

// cause is an error with a shorter text: the reason at the bottom of it.
type cause struct {
	text string
	err  error
}

func (c *cause) Error() string { return c.text }
func (c *cause) Unwrap() error { return c.err }

// describe names a stream in an error.
func describe(s any) string {
	if named, ok := s.(interface{ String() string }); ok {
		return named.String()
	}
	return strings.TrimPrefix(typeName(s), "*")
}
