package process

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"syscall"

	"trigo/nursery"
)

const (
	sigTerm = syscall.SIGTERM
	sigKill = syscall.SIGKILL
)

// stop makes the child end, because ctx has, and returns when it has ended.
func (r *supervision) stop(ctx context.Context) {
	ctx = context.WithoutCancel(ctx)
	family := descendants(r.p.pid)
	if r.c.DeliverCancel == nil {
		r.terminate(ctx)
	} else {
		r.deliver(ctx)
	}
	for _, d := range family {
		if d.lives() {
			r.lost = append(r.lost, d)
		}
	}
}

// terminate ends the child, and all of its group: politely, and by force when
// the time is up.
func (r *supervision) terminate(ctx context.Context) {
	grace := limit(r.c.Grace, defaultGrace)
	if grace > 0 {
		r.signal(sigTerm)
		polite, cancel := context.WithTimeout(ctx, grace)
		ended := r.p.awaitEnd(polite)
		cancel()
		if ended {
			return
		}
		r.log(slog.LevelWarn, "the process ignored the request to terminate and will be killed", slog.Duration("grace", grace))
	}
	r.signal(sigKill)
	r.p.Wait(ctx)
	patient, cancel := context.WithTimeout(ctx, killPatience)
	defer cancel()
	r.p.awaitGroup(patient)
}

// signal sends sig to the group, also when its leader has ended, or to the child
// alone if it leads none.
func (r *supervision) signal(sig os.Signal) {
	var err error
	if r.p.group {
		err = r.p.signalGroup(sig)
	} else {
		err = r.p.Signal(sig)
	}
	if err != nil && !errors.Is(err, syscall.ESRCH) {
		r.log(slog.LevelWarn, "the process could not be signalled", slog.Any("error", err))
	}
}

// deliver calls DeliverCancel, and waits for the end of the child.
func (r *supervision) deliver(ctx context.Context) {
	nursery.Run(ctx, func(ctx context.Context, n *nursery.Nursery) error {
		n.Go(func(life context.Context) error {
			returned := false
			defer func() {
				if !returned { // it panicked: the child must end for the panic to get out
					r.p.SignalGroup(sigKill)
				}
			}()
			err := r.c.DeliverCancel(life, r.p)
			returned = true
			if err == nil || nursery.IsCancellation(life, err) {
				return nil
			}
			r.hookErr = err
			if life.Err() == nil {
				r.terminate(ctx)
			}
			return nil
		})
		r.p.Wait(context.WithoutCancel(ctx))
		n.Cancel(errEnded)
		return nil
	})
}
