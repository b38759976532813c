package signals

import (
	"cmp"
	"context"
	"os"
	"os/signal"
	"syscall"

	"trigo"
	"trigo/nursery"
)

// Stopped is the cause with which [Shutdown] cancels.
type Stopped struct {
	Signal os.Signal
}

func (s Stopped) Error() string { return "stopped by signal: " + s.Signal.String() }

// Shutdown calls main, with a ctx that is cancelled when SIGTERM or SIGINT
// arrives; the cause is a [Stopped] that names the signal. From then on both do
// again what they did before: the second one ends the process, in the middle of
// whatever main still has to clean up. Shutdown returns what main returns, as
// it is:
//
//	err := signals.Shutdown(ctx, run)
//	if stopped := (signals.Stopped{}); errors.As(err, &stopped) {
//		...
//	}
//
// A SIGINT that is ignored, as it is for what a script runs in the background,
// stays ignored; so does an ignored SIGTERM. A signal that arrives when main has
// returned does what it did before.
func Shutdown(ctx context.Context, main func(ctx context.Context) error) error {
	var heeded []os.Signal
	for _, sig := range []os.Signal{syscall.SIGTERM, os.Interrupt} {
		if !signal.Ignored(sig) {
			heeded = append(heeded, sig)
		}
	}
	if len(heeded) == 0 {
		return main(ctx)
	}
	r, err := Open(heeded...)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var result error // kept from the nursery, which would make a plain cancellation of it
	err = nursery.Run(ctx, func(ctx context.Context, n *nursery.Nursery) error {
		defer trigo.CloseForcefully(r) // wakes the child
		n.Go(func(ctx context.Context) error {
			if sig, err := r.Receive(ctx); err == nil {
				stop(Stopped{sig})
			}
			return r.Close(ctx)
		})
		result = main(ctx)
		return nil
	})
	return cmp.Or(result, err)
}
