package relay

import (
	"cmp"
	"context"
	"errors"
	"reflect"
	"sync"
	"sync/atomic"
	"time"

	"trigo"
	"trigo/nursery"
)

// Options are the options of [Run]. The zero value is good.
type Options struct {
	// Linger is how long a direction may be silent once the other one has
	// ended. Every byte starts it anew. If zero, 60 seconds; if negative, for
	// ever.
	Linger time.Duration

	// Idle is how long both directions may be silent at once, ended or not. If
	// zero, for ever.
	Idle time.Duration

	// BufferSize is the size of the one buffer of each direction. If zero, 64 KiB,
	// and up to 1 MiB in a pipe of the kernel, which otherwise holds as much as
	// the buffer, but 64 KiB at least.
	BufferSize int

	// CloseTimeout bounds the goodbyes at the end. If zero, 5 seconds; if
	// negative, nothing is waited for.
	CloseTimeout time.Duration

	// Copy says how bytes go from one stream to the other. [PathFor] tells what
	// comes of it.
	Copy CopyMode

	// Counters, if not nil, are kept up to date while the relay runs.
	Counters *Counters
}

const (
	defaultLinger       = 60 * time.Second
	defaultBufferSize   = 64 << 10
	defaultCloseTimeout = 5 * time.Second

	// Over TCP a pipe of 64 KiB costs 1.6 times as much processor time as one of
	// 1 MiB, and one of 256 KiB a seventh more. It takes memory only for what is in it.
	minPipeSize = 64 << 10
	pipeSize    = 1 << 20
)

// Run moves bytes between a and b, both ways, until both directions have ended.
// It owns both streams: whatever it returns, they are released. The package
// documentation says what ends a direction.
//
// Run returns nil if each side ended with an end of file and the other was told.
// Else it returns an [*Error] with the first thing that went wrong: it Is
// [trigo.ErrBroken] when a stream failed ([trigo.ErrTruncated] when it ended
// without proof), [ErrReaped] or [ErrIdle] after a silence, ctx.Err() and
// context.Cause(ctx) after a cancel. The report is complete in every case.
//
// A cancelled ctx aborts both streams at once. When there is nothing to abort
// for, and after a silence, the streams are closed, which may take up to
// Options.CloseTimeout. A failure is passed on as an abort as soon as the kernel
// has sent what it was given before, for which it gets the same time.
//
// a and b must be two different streams and not nil, and nobody else may use
// them.
func Run(ctx context.Context, a, b trigo.Stream, opts *Options) (report Report, err error) {
	if err := check(a, b); err != nil {
		return report, err
	}
	r := newRun(a, b, opts)
	holdPipes()
	defer r.letGo()
	for r.open() {
		nursery.Run(ctx, func(round context.Context, n *nursery.Nursery) error {
			r.begin(n)
			n.Go(func(round context.Context) error { return r.ba.pump(ctx, round) })
			return r.ab.pump(ctx, round)
		})
	}
	r.release(ctx, &report)
	if r.first != nil {
		return report, r.first
	}
	return report, nil
}

// check refuses what cannot be relayed, and releases it.
func check(a, b trigo.Stream) error {
	var err error
	switch {
	case a == nil || b == nil:
		err = errors.New("relay: a stream is nil")
	case reflect.ValueOf(a).Comparable() && a == b:
		err = errors.New("relay: both sides are the same stream")
	default:
		return nil
	}
	for _, s := range []trigo.Stream{a, b} {
		if s != nil {
			trigo.CloseForcefully(s)
		}
	}
	return err
}

// run is the state that both directions share.
type run struct {
	start               time.Time
	linger, idle, grace time.Duration // 0: none
	buffers             *sync.Pool
	inPipe              int // the most that a direction holds in a pipe
	mode                CopyMode
	ab, ba              pump
	own                 Counters // if the caller wants none

	last atomic.Int64 // when the last byte moved or the last end came: ns since start

	mu       sync.Mutex
	round    *nursery.Nursery // of the operations under way
	stopped  error            // why nothing must go on
	probe    probeState
	halfOpen bool // a direction has ended, or is busy saying so
	timer    *time.Timer
	first    *Error
}

// newRun makes a relay ready to run. What it needs on the stack is gone when the
// relay waits, and so it is with the other steps of Run: a stack that has grown stays.
func newRun(a, b trigo.Stream, opts *Options) *run {
	if opts == nil {
		opts = &Options{}
	}
	r := &run{
		start:   time.Now(),
		linger:  max(0, cmp.Or(opts.Linger, defaultLinger)),
		idle:    max(0, opts.Idle),
		grace:   max(0, cmp.Or(opts.CloseTimeout, defaultCloseTimeout)),
		buffers: buffers,
		inPipe:  min(max(cmp.Or(max(0, opts.BufferSize), pipeSize), minPipeSize), pipeSize),
		mode:    opts.Copy,
	}
	if size := cmp.Or(max(0, opts.BufferSize), defaultBufferSize); size != defaultBufferSize {
		r.buffers = newBuffers(size)
	}
	counters := cmp.Or(opts.Counters, &r.own)
	counters.start.Store(&r.start)
	r.ab.prepare(r, a, b, &counters.AToB, &counters.ab)
	r.ba.prepare(r, b, a, &counters.BToA, &counters.ba)
	return r
}

// begin begins a round.
func (r *run) begin(n *nursery.Nursery) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.round = n
	if r.stopped != nil {
		n.Cancel(r.stopped)
	}
	if r.probe == asked {
		r.probe = answered
	}
	r.check()
}

// open reports whether a direction has not ended. Called with mu held, or between two
// rounds.
func (r *run) open() bool { return r.ab.end == 0 || r.ba.end == 0 }

// stop ends both directions, if they have not ended. Called with mu held.
func (r *run) stop(why error) {
	if r.stopped == nil {
		r.stopped = why
	}
	r.round.Cancel(why)
}

// letGo gives back what was borrowed, however Run ends.
func (r *run) letGo() {
	r.ab.drop()
	r.ba.drop()
	letPipesGo()
}

// blame keeps the first thing that went wrong. Called with mu held.
func (r *run) blame(side string, err error) {
	if r.first == nil {
		r.first = &Error{Side: side, Err: err}
	}
}

// release closes or aborts both streams, and completes the report.
func (r *run) release(ctx context.Context, report *Report) {
	graceful := r.first == nil || r.first.Err == ErrReaped || r.first.Err == ErrIdle
	if r.ab.stuck || r.ba.stuck {
		graceful = false // a side must not take what it got for the whole
	}
	ctx, cancel := context.WithTimeout(ctx, r.grace)
	defer cancel()
	var wg sync.WaitGroup
	var errA, errB error
	wg.Go(func() { errA = r.ba.release(ctx, graceful) })
	errB = r.ab.release(ctx, graceful)
	wg.Wait()
	*report = Report{
		AToB:     r.ab.report(),
		BToA:     r.ba.report(),
		Duration: time.Since(r.start),
		Close:    errors.Join(errA, errB),
	}
}

// release releases the side that the direction sends to.
func (p *pump) release(ctx context.Context, graceful bool) error {
	if !graceful {
		flush(ctx, p.dst)
		return trigo.Abort(p.dst)
	}
	err := p.dst.Close(ctx)
	if err != nil && p.untold {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.end, p.err = WriteFailed, err
		_, to := p.sides()
		p.blame(to, err)
	}
	return err
}
