//go:build unix

package process

import (
	"context"
	"errors"
	"os"
	"sync/atomic"
	"syscall"
	"testing"

	"trigo/nursery"
	"trigo/trigotest"
)

// Two thousand children, two hundred at a time; fewer without TRIGO_SOAK.
func TestManyChildrenLeaveNothing(t *testing.T) {
	total, parallel := 200, 50
	if os.Getenv("TRIGO_SOAK") != "" {
		total, parallel = 2000, 200
	}
	onEachKernel(t, func(t *testing.T) {
		trigotest.LeakCheck(t)
		var left, cancelled atomic.Int64
		left.Store(int64(total))
		err := nursery.Run(t.Context(), func(ctx context.Context, n *nursery.Nursery) error {
			for range parallel {
				n.Go(func(ctx context.Context) error {
					for i := left.Add(-1); i >= 0; i = left.Add(-1) {
						if err := soakOne(ctx, i, &cancelled); err != nil {
							return err
						}
					}
					return nil
				})
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
		if cancelled.Load() == 0 {
			t.Error("nobody was cancelled")
		}
		if pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil); err != syscall.ECHILD {
			t.Errorf("a child is left: %d, %v", pid, err)
		}
	})
}

// soakOne runs a child: plain, with pipes, or cancelled.
func soakOne(ctx context.Context, i int64, cancelled *atomic.Int64) error {
	switch i % 3 {
	case 0:
		_, err := Run(ctx, &Command{Args: []string{"true"}})
		return err
	case 1:
		done, err := Run(ctx, &Command{Args: []string{"cat"}, Stdin: Bytes("text"), Stdout: Capture, Stderr: Capture})
		if err == nil && string(done.Stdout) != "text" {
			return errors.New("the output is wrong")
		}
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	_, err := Run(ctx, &Command{Shell: "echo ready; exec sleep 1000", Stdout: Lines{Each: func(context.Context, []byte) error {
		cancel(errStopped)
		return nil
	}}})
	if errors.Is(err, errStopped) {
		cancelled.Add(1)
		return nil
	}
	return err
}
