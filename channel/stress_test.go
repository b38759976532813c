package channel_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"sync"
	"testing"
	"time"

	"trigo"
	"trigo/channel"
)

// Here the processors race: the values that were sent, and those only, are
// received, each once and in the order of their sender, whatever is cancelled.
func TestNothingIsLostOrDoubledUnderCancels(t *testing.T) {
	each := 2_000
	if os.Getenv("TRIGO_SOAK") != "" {
		each = 100_000
	}
	for _, size := range []int{0, 1, 16} {
		stress(t, size, each)
	}
}

func stress(t *testing.T, size, each int) {
	const tasks = 4
	s, r := channel.Open[[2]int](size)
	sent := make([][]int, tasks) // by sender
	got := make([]map[int][]int, tasks)
	var senders, receivers sync.WaitGroup
	for i := range tasks {
		senders.Go(func() {
			own, _ := s.Clone()
			defer own.Close(background)
			for n := range each {
				err := hurried(func(ctx context.Context) error { return own.Send(ctx, [2]int{i, n}) })
				if err == nil {
					sent[i] = append(sent[i], n)
				} else if !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, context.Canceled) {
					t.Errorf("send: %v", err)
				}
			}
		})
		got[i] = make(map[int][]int)
		receivers.Go(func() {
			for {
				var v [2]int
				err := hurried(func(ctx context.Context) (err error) {
					v, err = r.Receive(ctx)
					return err
				})
				switch {
				case err == nil:
					got[i][v[0]] = append(got[i][v[0]], v[1])
				case err == trigo.ErrEndOfChannel:
					return
				case !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, context.Canceled):
					t.Errorf("receive: %v", err)
					return
				}
			}
		})
	}
	senders.Wait()
	s.Close(background)
	receivers.Wait()

	for i := range tasks {
		seen := make(map[int]bool)
		for _, by := range got {
			last := -1
			for _, n := range by[i] {
				if n <= last {
					t.Errorf("size %d: %d after %d", size, n, last)
				}
				last = n
				seen[n] = true
			}
		}
		total := 0
		for _, by := range got {
			total += len(by[i])
		}
		if len(seen) != len(sent[i]) || total != len(sent[i]) {
			t.Errorf("size %d: sent %d, received %d, of them different %d", size, len(sent[i]), total, len(seen))
		}
		for _, n := range sent[i] {
			if !seen[n] {
				t.Errorf("size %d: %d is lost", size, n)
			}
		}
	}
	if st := r.Statistics(); st.WaitingToReceive != 0 || st.WaitingToSend != 0 || st.Buffered != 0 {
		t.Errorf("left behind: %+v", st)
	}
}

// hurried calls f with a ctx that may end at any moment, and may not.
func hurried(f func(ctx context.Context) error) error {
	switch rand.IntN(4) {
	case 0:
		ctx, cancel := context.WithTimeout(background, time.Duration(rand.IntN(20))*time.Microsecond)
		defer cancel()
		return f(ctx)
	case 1:
		ctx, cancel := context.WithCancel(background)
		var wg sync.WaitGroup
		wg.Go(cancel)
		defer wg.Wait()
		return f(ctx)
	}
	return f(background)
}
