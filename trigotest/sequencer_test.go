package trigotest

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
)

func TestStepsTakeTurnsWhateverTheirOrderOfArrival(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var seq Sequencer
		var order []int // the sequence guards it
		var steps []<-chan error
		for _, n := range []int{3, 1, 2, 0} {
			steps = append(steps, background(func() error {
				return seq.Step(t.Context(), n, func() error { order = append(order, n); return nil })
			}))
			synctest.Wait()
		}
		for _, s := range steps {
			wantErr(t, "step", <-s, nil)
		}
		if !slices.Equal(order, []int{0, 1, 2, 3}) {
			t.Errorf("the order was %v", order)
		}
	})
}

func TestAStepEndsWithItsErrorOrPanic(t *testing.T) {
	var seq Sequencer
	own := errors.New("own")
	wantErr(t, "step", seq.Step(t.Context(), 0, func() error { return own }), own)
	func() {
		defer func() { recover() }()
		seq.Step(t.Context(), 1, func() error { panic("in a step") })
	}()
	wantErr(t, "step", seq.Step(t.Context(), 2, func() error { return nil }), nil)
}

func TestAStepIsTakenOnce(t *testing.T) {
	var seq Sequencer
	wantErr(t, "step", seq.Step(t.Context(), 0, func() error { return nil }), nil)
	wantErr(t, "the same step", seq.Step(t.Context(), 0, func() error { return nil }), errStepUsed)
	wantErr(t, "the next", seq.Step(t.Context(), 1, func() error { return nil }), nil)
	if err := seq.Step(t.Context(), -1, func() error { return nil }); err == nil {
		t.Error("there is a step -1")
	}
}

func TestACancelledWaitBreaksTheSequenceForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var seq Sequencer
		never := func() error { t.Error("the step was taken"); return nil }
		ctx, cancel := context.WithCancelCause(t.Context())
		running := make(chan struct{})
		first := background(func() error {
			return seq.Step(t.Context(), 0, func() error { <-running; return nil })
		})
		cut := background(func() error { return seq.Step(ctx, 1, never) })
		other := background(func() error { return seq.Step(t.Context(), 2, never) })
		synctest.Wait()
		cancel(errDead)
		err := <-cut
		wantErr(t, "the cancelled step", err, ErrSequenceBroken)
		wantErr(t, "the cancelled step", err, context.Canceled)
		wantErr(t, "the cancelled step", err, errDead)
		err = <-other
		wantErr(t, "another that waited", err, ErrSequenceBroken)
		if errors.Is(err, context.Canceled) {
			t.Errorf("another that waited: %v, but nobody cancelled it", err)
		}
		wantErr(t, "a late one", seq.Step(t.Context(), 3, never), ErrSequenceBroken)
		close(running)
		wantErr(t, "the one that ran", <-first, nil)
	})
}

// lastMoment is a ctx with something that happens when a call begins to wait.
type lastMoment struct {
	context.Context
	happens func()
}

func (l lastMoment) Done() <-chan struct{} {
	l.happens()
	return l.Context.Done()
}

func TestATurnThatComesJustBeforeACancelWinsOverIt(t *testing.T) {
	for range 50 { // a select would choose either
		var seq Sequencer
		ctx, cancel := context.WithCancel(t.Context())
		late := lastMoment{ctx, func() {
			wantErr(t, "the step before", seq.Step(t.Context(), 0, func() error { return nil }), nil)
			cancel()
		}}
		wantErr(t, "step", seq.Step(late, 1, func() error { return nil }), nil)
	}
}

func TestATurnThatHasComeWinsOverACancel(t *testing.T) {
	var seq Sequencer
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for n := range 50 {
		wantErr(t, "step", seq.Step(ctx, n, func() error { return nil }), nil)
	}
}
