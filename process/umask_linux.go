package process

import (
	"context"
	"runtime"

	"golang.org/x/sys/unix"

	"trigo/nursery"
)

// withUmask calls f with the file mode creation mask set, for f alone.
//
// The mask belongs to the process, and all threads share it; but on Linux a
// thread can leave that community (CLONE_FS). It cannot come back, so it ends
// with its goroutine, which never unlocks it.
func withUmask(ctx context.Context, mask int, f func() error) error {
	return nursery.Run(context.WithoutCancel(ctx), func(ctx context.Context, n *nursery.Nursery) error {
		n.Go(func(context.Context) error {
			runtime.LockOSThread()
			if err := unix.Unshare(unix.CLONE_FS); err != nil {
				return err
			}
			unix.Umask(mask)
			return f()
		})
		return nil
	})
}
