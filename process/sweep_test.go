//go:build unix

package process

import (
	"bytes"
	"context"
	"fmt"
	"testing"

	"trigo/nursery"
	"trigo/trigotest"
)

func TestCancelAtEveryPointOfRun(t *testing.T) {
	data := bytes.Repeat([]byte("line\n"), 1000)
	trigotest.SweepCancel(t, func(ctx context.Context, s *trigotest.Sweep) error {
		c := &Command{Args: []string{"cat"}, Stdin: Bytes(data), Stdout: Lines{Each: ignoreLine}, Stderr: Capture}
		var done *Completed
		s.Check(func(context.Context) error {
			if done == nil {
				return nil
			}
			if alive(done.Pid) {
				return fmt.Errorf("the child %d lives", done.Pid)
			}
			if !bytes.HasPrefix(data, done.Stdout) {
				return fmt.Errorf("the output is not what was written")
			}
			return nil
		})
		return s.Call("Run", func() (err error) {
			done, err = Run(ctx, c)
			return err
		})
	}, nil)
}

func TestCancelAtEveryPointOfRunWithoutPipes(t *testing.T) {
	onEachKernel(t, func(t *testing.T) {
		trigotest.SweepCancel(t, func(ctx context.Context, s *trigotest.Sweep) error {
			return s.Call("Run", func() error {
				_, err := Run(ctx, &Command{Args: []string{"sleep", "0.01"}})
				return err
			})
		}, nil)
	})
}

func TestCancelAtEveryPointOfATalkWithASupervisedChild(t *testing.T) {
	trigotest.SweepCancel(t, func(ctx context.Context, s *trigotest.Sweep) error {
		c := &Command{Args: []string{"cat"}, Stdin: Pipe, Stdout: Pipe}
		pid := 0
		s.Check(func(context.Context) error {
			if pid != 0 && alive(pid) {
				return fmt.Errorf("the child %d lives", pid)
			}
			return nil
		})
		return nursery.Run(ctx, func(ctx context.Context, n *nursery.Nursery) error {
			p, err := nursery.Start(ctx, n, Supervise(c))
			if err != nil {
				return err
			}
			pid = p.Pid()
			s.Close(p.Stdio())
			stream := s.Wrap(p.Stdio())
			for range 3 {
				if err := stream.SendAll(ctx, []byte("ping\n")); err != nil {
					return err
				}
				if line, err := receiveLine(ctx, stream); err != nil || line != "ping" {
					return fmt.Errorf("received %q: %w", line, err)
				}
			}
			if err := stream.SendEOF(ctx); err != nil {
				return err
			}
			_, err = receiveAll(ctx, stream)
			return err
		})
	}, nil)
}
