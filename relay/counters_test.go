package relay_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"trigo/relay"
	"trigo/trigotest"
)

func TestCountersTellHowLongADirectionHasBeenSending(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, a := trigotest.NewMemoryPair()
		b, server := trigotest.NewMemoryPair()
		b.Send.(*trigotest.MemorySendStream).SendAllHook = func(context.Context) error {
			time.Sleep(time.Second) // it is slow
			return nil
		}
		counters := new(relay.Counters)
		if ab, ba := counters.Sending(); ab != 0 || ba != 0 {
			t.Errorf("before the relay: %v, %v", ab, ba)
		}
		ended := make(chan error)
		go func() {
			_, err := relay.Run(t.Context(), a, b, &relay.Options{Counters: counters})
			ended <- err
		}()
		want := func(when string, ab time.Duration) {
			t.Helper()
			synctest.Wait()
			gotAB, gotBA := counters.Sending()
			if d := gotAB - ab; d < 0 || d > time.Microsecond || gotBA != 0 {
				t.Errorf("%s: %v and %v, want %v and nothing", when, gotAB, gotBA, ab)
			}
		}
		time.Sleep(5 * time.Second)
		want("nothing to send yet", 0)
		send(t, client, "one")
		want("it begins", 0)
		time.Sleep(400 * time.Millisecond)
		want("in the middle of it", 400*time.Millisecond)
		time.Sleep(3 * time.Second)
		want("it is done", time.Second)
		send(t, client, "two")
		time.Sleep(200 * time.Millisecond)
		want("in the middle of the next", 1200*time.Millisecond)
		sendEOF(t, client)
		sendEOF(t, server)
		if err := <-ended; err != nil {
			t.Error(err)
		}
		want("in the end", 2*time.Second)
	})
}
