package process

import (
	"context"
	"fmt"
	"os"
	"runtime/debug"
	"strings"
	"testing"

	"trigo/nursery"
)

// threads returns how many this process has.
func threads(t *testing.T) (n int) {
	t.Helper()
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Skipf("threads are counted in /proc: %v", err)
	}
	_, rest, _ := strings.Cut(string(text), "Threads:")
	fmt.Sscan(rest, &n)
	return n
}

// LeakCheck is so patient that a garbage collection may come before, which closes
// what is forgotten.
func TestPidfdIsClosedWithTheEndOfTheChild(t *testing.T) {
	pidfds := func() (n int) {
		entries, _ := os.ReadDir("/proc/self/fd")
		for _, e := range entries {
			if target, _ := os.Readlink("/proc/self/fd/" + e.Name()); strings.Contains(target, "pidfd") {
				n++
			}
		}
		return n
	}
	gc := debug.SetGCPercent(-1) // which would close what is forgotten
	defer debug.SetGCPercent(gc)
	onEachKernel(t, func(t *testing.T) {
		before := pidfds()
		for range 5 {
			Run(t.Context(), &Command{Args: []string{"true"}})
			p, err := Open(t.Context(), &Command{Args: []string{"true"}})
			if err != nil {
				t.Fatal(err)
			}
			p.Wait(t.Context())
		}
		if after := pidfds(); after > before {
			t.Errorf("%d are left", after-before)
		}
	})
}

func TestWaitHoldsNoThread(t *testing.T) {
	onEachKernel(t, func(t *testing.T) {
		const children = 50
		before := threads(t)
		err := nursery.Run(t.Context(), func(ctx context.Context, n *nursery.Nursery) error {
			for range children {
				p := opened(t, &Command{Args: []string{"sleep", "1000"}})
				n.Go(func(ctx context.Context) error {
					p.Wait(ctx)
					return nil
				})
				// It has begun to watch the kernel.
				poll(ctx, func() bool { return len(p.turn) == 1 })
			}
			if more := threads(t) - before; more > children/2 {
				t.Errorf("%d Waits took %d threads", children, more)
			}
			n.Cancel(nil)
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
}
