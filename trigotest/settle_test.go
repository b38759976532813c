package trigotest

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// For the scheduler, a goroutine that waits for a clock waits. Only its owner can
// say that it is not done yet.
func TestTheSettleHookKnowsWhatTheSchedulerCannot(t *testing.T) {
	const tick = time.Second
	gaveUp := errors.New("gave up")
	impatient := &defect{inflict: func(x, y *broken, _ chan struct{}) {
		y.receive = func(ctx context.Context, p []byte) (int, error) {
			short, cancel := context.WithTimeout(ctx, tick) // the clock that it waits for
			defer cancel()
			n, err := y.good().ReceiveSome(short, p)
			if err != nil && ctx.Err() == nil && short.Err() != nil {
				err = gaveUp
			}
			return n, err
		}
	}}
	const check = "a cancelled receive takes nothing"

	if rec := tryCheckWith(t, check, impatient, &CheckOptions{Bubble: true}); len(rec.failures) > 0 {
		t.Errorf("without the hook the check sees more than the scheduler does: %q", rec.failures)
	}
	calls := 0
	opts := &CheckOptions{Bubble: true, Settle: func() {
		calls++
		later, cancel := context.WithTimeout(context.Background(), 2*tick)
		defer cancel()
		<-later.Done()
		synctest.Wait()
	}}
	rec := tryCheckWith(t, check, impatient, opts)
	if text := strings.Join(rec.failures, "\n"); calls == 0 || !strings.Contains(text, gaveUp.Error()) {
		t.Errorf("asked %d times, failures %q", calls, text)
	}

	// And a sound stream passes with it, in all checks.
	sound := &defect{lockstep: true, inflict: func(x, y *broken, _ chan struct{}) {}}
	for _, c := range allChecks(nil) {
		if rec := tryCheckWith(t, c.name, sound, opts); len(rec.failures) > 0 {
			t.Errorf("%s: %s", c.name, strings.Join(rec.failures, "; "))
		}
	}
}

func TestTheSettleHookServesOutsideABubbleToo(t *testing.T) {
	calls := 0
	CheckHalfCloseableStream(t, memoryPair, nil, &CheckOptions{Settle: func() { calls++ }})
	if calls == 0 {
		t.Error("it was never asked")
	}
}
