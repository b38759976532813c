package trigotest

import (
	"context"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"trigo"
)

// A ListenerMaker makes a new listener, for one check, and says how to connect
// to it. dial may wait until it is accepted.
type ListenerMaker[S trigo.Stream, L trigo.Listener[S]] func(ctx context.Context) (l L, dial func(ctx context.Context) (trigo.Stream, error), err error)

// CheckListener checks that what maker makes is a [trigo.Listener] of streams
// as the contract has it. In everything else it is like [CheckOneWayStream].
//
// Trio has no such check.
func CheckListener[S trigo.Stream, L trigo.Listener[S]](t *testing.T, maker ListenerMaker[S, L], opts *CheckOptions) {
	runChecks(t, listenerChecks(maker), opts)
}

func listenerChecks[S trigo.Stream, L trigo.Listener[S]](maker ListenerMaker[S, L]) []check {
	with := func(name string, run func(ctx context.Context, l *listening)) check {
		return check{name, func(ctx context.Context, b *bench) { run(ctx, listen(ctx, b, maker)) }}
	}
	return []check{
		with("who dials is accepted", func(ctx context.Context, l *listening) {
			for range 3 {
				l.connect(ctx)
			}
		}),
		with("a silent peer does not hold up the next", func(ctx context.Context, l *listening) {
			// Nothing is sent on the first two before all three are accepted.
			var dialled, accepted []*call
			for range 3 {
				dialled = append(dialled, l.dial(ctx))
				accepted = append(accepted, l.accept(ctx))
				l.b.ok(accepted[len(accepted)-1])
			}
			for _, c := range dialled {
				l.b.ok(c)
			}
		}),
		with("a dead ctx does nothing", func(ctx context.Context, l *listening) {
			dead := l.b.dead()
			l.b.cancelled(dead, l.accept(dead))
			dialled := l.dial(ctx)
			l.b.settle()
			l.b.cancelled(dead, l.accept(dead)) // also when somebody is there
			l.b.ok(l.accept(ctx))
			l.b.ok(dialled)
		}),
		with("a cancelled accept loses nobody", func(ctx context.Context, l *listening) {
			scope, cancel := context.WithCancelCause(ctx)
			accepted := l.accept(scope)
			l.b.waits(accepted)
			cancel(errDead)
			l.b.cancelled(scope, accepted)
			l.connect(ctx)
			short, stop := context.WithTimeout(ctx, time.Millisecond)
			defer stop()
			l.b.cancelled(short, l.accept(short))
			l.connect(ctx)
		}),
		with("a cancel that races an accept loses nobody", func(ctx context.Context, l *listening) {
			for range 50 {
				scope, cancel := context.WithCancelCause(ctx)
				accepted := l.accept(scope)
				dialled := l.dial(ctx)
				for range rand.IntN(50) {
					runtime.Gosched()
				}
				cancel(errDead)
				if l.b.finish(accepted) != nil {
					l.b.cancelled(scope, accepted)
					l.b.ok(l.accept(ctx))
				}
				l.b.ok(dialled)
			}
		}),
		with("a second acceptor is busy", func(ctx context.Context, l *listening) {
			first := l.accept(ctx)
			l.b.waits(first)
			l.b.fails(l.accept(ctx), trigo.ErrBusy)
			dialled := l.dial(ctx)
			l.b.ok(first)
			l.b.ok(dialled)
		}),
		with("close wakes an acceptor", func(ctx context.Context, l *listening) {
			accepted := l.accept(ctx)
			l.b.waits(accepted)
			l.b.ok(l.b.close(ctx, l.l))
			l.b.fails(accepted, trigo.ErrClosed)
			l.b.fails(l.accept(ctx), trigo.ErrClosed)
			l.b.fails(l.accept(ctx), trigo.ErrClosed)
		}),
		with("close with a dead ctx closes", func(ctx context.Context, l *listening) {
			accepted := l.accept(ctx)
			l.b.waits(accepted)
			dead := l.b.dead()
			l.b.closed(dead, l.b.close(dead, l.l))
			l.b.fails(accepted, trigo.ErrClosed)
			l.b.fails(l.accept(ctx), trigo.ErrClosed)
		}),
		with("close again is silent", func(ctx context.Context, l *listening) {
			var closing []*call
			for range 8 {
				closing = append(closing, l.b.close(ctx, l.l))
			}
			for _, c := range closing {
				l.b.ok(c)
			}
			l.b.ok(l.b.close(ctx, l.l))
			dead := l.b.dead()
			l.b.closed(dead, l.b.close(dead, l.l))
		}),
		with("who dials a closed listener fails", func(ctx context.Context, l *listening) {
			l.b.ok(l.b.close(ctx, l.l))
			scope, cancel := context.WithTimeout(ctx, l.b.opts.Patience)
			defer cancel()
			if c := l.dial(scope); l.b.finish(c) == nil {
				l.b.t.Fatalf("a dial to a closed listener succeeded")
			}
		}),
		with("what was accepted outlives its listener", func(ctx context.Context, l *listening) {
			near, far := l.connect(ctx)
			l.b.ok(l.b.close(ctx, l.l))
			l.talk(ctx, near, far)
		}),
		{"nothing is left behind", func(ctx context.Context, b *bench) {
			before := takeInventory()
			for _, closing := range []context.Context{ctx, b.dead()} {
				l := listen(ctx, b, maker)
				near, far := l.connect(ctx)
				scope, cancel := context.WithCancel(ctx)
				accepted := l.accept(scope)
				b.waits(accepted)
				cancel()
				b.cancelled(scope, accepted)
				for _, r := range []trigo.Resource{near, far, l.l} {
					b.closed(closing, b.close(closing, r))
				}
			}
			for _, left := range before.leftovers(min(b.opts.Patience, leakPatience)) {
				b.t.Errorf("everything is closed, and left is %s", left)
			}
		}},
	}
}

// listening is a listener under check, without the type of its streams.
type listening struct {
	b      *bench
	l      trigo.Resource
	doDial func(ctx context.Context) (trigo.Stream, error)
	doAcc  func(ctx context.Context) (trigo.Stream, error)
}

func listen[S trigo.Stream, L trigo.Listener[S]](ctx context.Context, b *bench, maker ListenerMaker[S, L]) *listening {
	b.t.Helper()
	l := &listening{b: b}
	b.ok(b.start("making a listener", func(*call) error {
		made, dial, err := maker(ctx)
		if err != nil {
			return err
		}
		l.l, l.doDial = made, dial
		l.doAcc = func(ctx context.Context) (trigo.Stream, error) { return made.Accept(ctx) }
		return nil
	}))
	b.ends = append(b.ends, l.l)
	return l
}

func (l *listening) accept(ctx context.Context) *call { return l.start(ctx, "Accept", l.doAcc) }
func (l *listening) dial(ctx context.Context) *call   { return l.start(ctx, "a dial", l.doDial) }

func (l *listening) start(ctx context.Context, what string, f func(context.Context) (trigo.Stream, error)) *call {
	c := l.b.start(what, func(c *call) error {
		s, err := f(ctx)
		if err == nil { // or a nil *Stream would be a trigo.Stream
			c.stream = s
		}
		return err
	})
	l.b.makes = append(l.b.makes, c)
	return c
}

// connect dials and accepts, and sees that the two are connected.
func (l *listening) connect(ctx context.Context) (near, far trigo.Stream) {
	l.b.t.Helper()
	dialled, accepted := l.dial(ctx), l.accept(ctx)
	l.b.ok(accepted)
	l.b.ok(dialled)
	l.talk(ctx, dialled.stream, accepted.stream)
	return dialled.stream, accepted.stream
}

func (l *listening) talk(ctx context.Context, near, far trigo.Stream) {
	l.b.t.Helper()
	for _, text := range []string{"x", "y"} {
		sent := l.b.send(ctx, near, []byte(text))
		l.b.gets(l.b.receive(ctx, far, 10), text)
		l.b.ok(sent)
		near, far = far, near
	}
}
