package endpoint

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"

	"trigo"
	"trigo/trigotest"
)

// whileReceiving runs f while somebody receives from s, and returns what they got.
func whileReceiving(t *testing.T, s trigo.Stream, f func()) error {
	t.Helper()
	got := make(chan error, 1)
	go func() {
		_, err := s.ReceiveSome(t.Context(), make([]byte, 10))
		got <- err
	}()
	synctest.Wait()
	f()
	synctest.Wait()
	select {
	case err := <-got:
		return err
	default:
		trigo.CloseForcefully(s)
		<-got
		return nil
	}
}

func TestTheEndOfTheOutputIsThatOfAnInteractiveInput(t *testing.T) {
	for _, interactive := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			_, in := trigotest.NewMemoryOneWayPair()
			out := trigotest.NewMemorySendStream()
			s := newStdio(out, in, interactive)
			err := whileReceiving(t, s, func() {
				if err := s.SendEOF(t.Context()); err != nil {
					t.Error(err)
				}
			})
			if interactive && err != io.EOF || !interactive && err != nil {
				t.Errorf("interactive %v: the input ends with %v", interactive, err)
			}
			if err := s.SendAll(t.Context(), []byte("x")); !errors.Is(err, trigo.ErrClosed) {
				t.Errorf("after the end: %v", err)
			}
		})
	}
}

func TestAnOutputThatNobodyReadsEndsTheInput(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, in := trigotest.NewMemoryOneWayPair()
		out := trigotest.NewMemorySendStream()
		s := newStdio(out, in, false)
		broken := trigo.Broken(io.ErrClosedPipe)
		out.SendAllHook = func(context.Context) error { return broken }
		err := whileReceiving(t, s, func() {
			if err := s.SendAll(t.Context(), []byte("x")); !errors.Is(err, broken) {
				t.Error(err)
			}
		})
		if !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("the input ends with %v", err)
		}
	})
}
