package trigotest

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"trigo"
)

// broken is a stream that does some things its own way.
type broken struct {
	trigo.HalfCloseableStream // what it does well

	send    func(ctx context.Context, p []byte) error
	wait    func(ctx context.Context) error
	receive func(ctx context.Context, p []byte) (int, error)
	eof     func(ctx context.Context) error
	closing func(ctx context.Context) error
}

func (b *broken) SendAll(ctx context.Context, p []byte) error {
	if b.send != nil {
		return b.send(ctx, p)
	}
	return b.HalfCloseableStream.SendAll(ctx, p)
}

func (b *broken) WaitSendAllMightNotBlock(ctx context.Context) error {
	if b.wait != nil {
		return b.wait(ctx)
	}
	return b.HalfCloseableStream.WaitSendAllMightNotBlock(ctx)
}

func (b *broken) ReceiveSome(ctx context.Context, p []byte) (int, error) {
	if b.receive != nil {
		return b.receive(ctx, p)
	}
	return b.HalfCloseableStream.ReceiveSome(ctx, p)
}

func (b *broken) SendEOF(ctx context.Context) error {
	if b.eof != nil {
		return b.eof(ctx)
	}
	return b.HalfCloseableStream.SendEOF(ctx)
}

func (b *broken) Close(ctx context.Context) error {
	if b.closing != nil {
		return b.closing(ctx)
	}
	return b.HalfCloseableStream.Close(ctx)
}

// good is the stream under the defects.
func (b *broken) good() trigo.HalfCloseableStream { return b.HalfCloseableStream }

// recorder takes down what a check has to say.
type recorder struct {
	mu       sync.Mutex
	failures []string
	skipped  bool
}

func (r *recorder) Helper() {}

func (r *recorder) Errorf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failures = append(r.failures, fmt.Sprintf(format, args...))
}

func (r *recorder) Fatalf(format string, args ...any) {
	r.Errorf(format, args...)
	runtime.Goexit()
}

func (r *recorder) Skipf(string, ...any) {
	r.skipped = true
	runtime.Goexit()
}

// allChecks are the checks of the whole kit, over pairs from one maker.
func allChecks(maker StreamMaker[trigo.HalfCloseableStream]) []check {
	var all []check
	all = append(all, oneWayChecks(forward(maker))...)
	all = append(all, cloggedChecks(forward(maker))...)
	all = append(all, twoWayChecks(maker)...)
	all = append(all, twoWayCloggedChecks(maker)...)
	all = append(all, halfCloseChecks(maker)...)
	all = append(all, halfCloseCloggedChecks(maker)...)
	return all
}

// tryCheck runs one check in a bubble over pairs with a defect, or none.
func tryCheck(t *testing.T, name string, d *defect) *recorder {
	return tryCheckWith(t, name, d, bubble)
}

func tryCheckWith(t *testing.T, name string, d *defect, opts *CheckOptions) *recorder {
	rec := &recorder{}
	synctest.Test(t, func(t *testing.T) {
		hang := make(chan struct{}) // what hangs for ever hangs on this
		maker := func(context.Context) (trigo.HalfCloseableStream, trigo.HalfCloseableStream, error) {
			a, b := NewMemoryPair()
			if d.lockstep {
				a, b = NewLockstepPair()
			}
			x, y := &broken{HalfCloseableStream: a}, &broken{HalfCloseableStream: b}
			d.inflict(x, y, hang)
			if d.polite {
				return politeAborter{x}, politeAborter{y}, nil
			}
			return x, y, nil
		}
		for _, c := range allChecks(maker) {
			if c.name != name {
				continue
			}
			done := make(chan struct{})
			go func() {
				defer close(done)
				runCheck(rec, c, opts)
			}()
			<-done
		}
		close(hang)
	})
	return rec
}

// politeAborter says goodbye when it ought to hang up.
type politeAborter struct{ trigo.HalfCloseableStream }

func (p politeAborter) Abort() error { return trigo.CloseForcefully(p.HalfCloseableStream) }

// A kit that accepts everything would pass every other test of this package.
func TestEachCheckFindsItsDefect(t *testing.T) {
	for _, d := range defects {
		t.Run(d.check+"/"+d.what, func(t *testing.T) {
			rec := tryCheck(t, d.check, &d)
			if len(rec.failures) == 0 {
				t.Errorf("the check accepts a stream that %s (skipped: %v)", d.what, rec.skipped)
			}
			for _, f := range rec.failures {
				t.Log(f)
			}
		})
	}
}

func TestEveryCheckHasADefect(t *testing.T) {
	covered := make(map[string]bool)
	for _, d := range defects {
		covered[d.check] = true
	}
	for _, c := range allChecks(nil) {
		if !covered[c.name] {
			t.Errorf("no defect shows that the check %q can fail", c.name)
		}
		delete(covered, c.name)
	}
	for name := range covered {
		t.Errorf("there is no check %q", name)
	}
}

// The defects must be what fails above, not the wrapper that carries them.
func TestASoundStreamPassesInItsWrapper(t *testing.T) {
	sound := &defect{lockstep: true, inflict: func(x, y *broken, hang chan struct{}) {}}
	for _, c := range allChecks(nil) {
		if rec := tryCheck(t, c.name, sound); len(rec.failures) > 0 {
			t.Errorf("%s: %s", c.name, strings.Join(rec.failures, "; "))
		}
	}
}

func TestAFailureSaysWhatWasAwaited(t *testing.T) {
	rec := tryCheck(t, "close wakes a receiver", &defect{inflict: func(x, y *broken, hang chan struct{}) {
		y.closing = func(context.Context) error { return nil }
	}})
	if text := strings.Join(rec.failures, "\n"); !strings.Contains(text, "ReceiveSome") || !strings.Contains(text, "still waiting") {
		t.Errorf("failures: %q", text)
	}
}

func TestAStreamThatOutlivesItsCheckFailsIt(t *testing.T) {
	rec := tryCheck(t, "what is sent is received", &defect{inflict: func(x, y *broken, hang chan struct{}) {
		x.closing = func(context.Context) error { <-hang; return nil }
	}})
	if text := strings.Join(rec.failures, "\n"); !strings.Contains(text, "Close: still waiting") {
		t.Errorf("failures: %q", text)
	}
}

// A maker that fails is a failure of the check, with its reason.
func TestAMakerThatFailsIsReported(t *testing.T) {
	reason := errors.New("no such luck")
	rec := &recorder{}
	done := make(chan struct{})
	go func() {
		defer close(done)
		failing := func(context.Context) (trigo.SendStream, trigo.ReceiveStream, error) { return nil, nil, reason }
		runCheck(rec, oneWayChecks(failing)[0], &CheckOptions{Patience: time.Minute})
	}()
	<-done
	if len(rec.failures) != 1 || !strings.Contains(rec.failures[0], reason.Error()) {
		t.Errorf("failures: %q", rec.failures)
	}
}
