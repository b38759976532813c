package trigotest

import (
	"context"
	"io"
	"testing"
	"testing/synctest"

	"trigo"
)

// lockstepTest runs f in a bubble with a pair and a SendAll of "abcdef" that
// waits. The slice that was sent is overwritten as soon as SendAll returns.
func lockstepTest(t *testing.T, f func(t *testing.T, s *LockstepSendStream, r *LockstepReceiveStream, cancel context.CancelCauseFunc, sent <-chan error)) {
	synctest.Test(t, func(t *testing.T) {
		s, r := NewLockstepOneWayPair()
		ctx, cancel := context.WithCancelCause(t.Context())
		defer cancel(nil)
		sent := background(func() error {
			p := []byte("abcdef")
			defer clear(p)
			return s.SendAll(ctx, p)
		})
		synctest.Wait()
		f(t, s, r, cancel, sent)
	})
}

func TestLockstepSendWaitsForTheLastByte(t *testing.T) {
	lockstepTest(t, func(t *testing.T, s *LockstepSendStream, r *LockstepReceiveStream, _ context.CancelCauseFunc, sent <-chan error) {
		wantReceived(t, r, 5, "abcde", nil)
		synctest.Wait()
		select {
		case err := <-sent:
			t.Fatalf("SendAll returned (%v) one byte too early", err)
		default:
		}
		wantReceived(t, r, 5, "f", nil)
		wantErr(t, "send", <-sent, nil)
	})
}

func TestLockstepWaitReturnsOnlyWhileSomeoneReceives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, r := NewLockstepOneWayPair()
		wait := func() <-chan error {
			return background(func() error { return s.WaitSendAllMightNotBlock(t.Context()) })
		}
		waiting := wait()
		synctest.Wait()
		select {
		case err := <-waiting:
			t.Fatalf("wait returned %v", err)
		default:
		}
		ctx, cancel := context.WithCancel(t.Context())
		receiving := background(func() error { _, err := r.ReceiveSome(ctx, make([]byte, 1)); return err })
		wantErr(t, "wait", <-waiting, nil)
		wantErr(t, "wait again", s.WaitSendAllMightNotBlock(t.Context()), nil)

		cancel()
		wantErr(t, "receive", <-receiving, context.Canceled)
		waiting = wait()
		synctest.Wait()
		select {
		case err := <-waiting:
			t.Fatalf("wait returned %v for a receiver that has left", err)
		default:
		}
		r.Close(t.Context())
		wantErr(t, "wait", <-waiting, nil)
		wantErr(t, "wait again", s.WaitSendAllMightNotBlock(t.Context()), nil)
		wantErr(t, "empty send", s.SendAll(t.Context(), nil), nil)
	})
}

func TestLockstepCancelledSendTakesTheRestBack(t *testing.T) {
	lockstepTest(t, func(t *testing.T, s *LockstepSendStream, r *LockstepReceiveStream, cancel context.CancelCauseFunc, sent <-chan error) {
		wantReceived(t, r, 2, "ab", nil)
		cancel(errDead)
		err := <-sent
		wantErr(t, "send", err, context.Canceled)
		wantErr(t, "send", err, errDead)
		wantN(t, "send", err, 2)

		next := background(func() error { return s.SendAll(t.Context(), []byte("next")) })
		wantReceived(t, r, 10, "next", nil)
		wantErr(t, "send", <-next, nil)
	})
}

func TestLockstepClosedReceiverBreaksASendThatWaits(t *testing.T) {
	lockstepTest(t, func(t *testing.T, s *LockstepSendStream, r *LockstepReceiveStream, _ context.CancelCauseFunc, sent <-chan error) {
		wantReceived(t, r, 2, "ab", nil)
		r.Close(t.Context())
		err := <-sent
		wantErr(t, "send", err, trigo.ErrBroken)
		wantN(t, "send", err, 2)
		wantErr(t, "send", s.SendAll(t.Context(), []byte("x")), trigo.ErrBroken)
	})
}

func TestLockstepCloseLeavesTheRestToBeReceived(t *testing.T) {
	lockstepTest(t, func(t *testing.T, s *LockstepSendStream, r *LockstepReceiveStream, _ context.CancelCauseFunc, sent <-chan error) {
		wantReceived(t, r, 2, "ab", nil)
		s.Close(t.Context())
		err := <-sent
		wantErr(t, "send", err, trigo.ErrClosed)
		wantN(t, "send", err, 6)
		wantReceived(t, r, 10, "cdef", nil)
		wantReceived(t, r, 10, "", io.EOF)
		wantReceived(t, r, 10, "", io.EOF)
	})
}

func TestLockstepAbortDropsTheRest(t *testing.T) {
	lockstepTest(t, func(t *testing.T, s *LockstepSendStream, r *LockstepReceiveStream, _ context.CancelCauseFunc, sent <-chan error) {
		wantReceived(t, r, 2, "ab", nil)
		s.Abort()
		err := <-sent
		wantErr(t, "send", err, trigo.ErrClosed)
		wantN(t, "send", err, 2)
		wantReceived(t, r, 10, "", trigo.ErrBroken)
		wantReceived(t, r, 10, "", trigo.ErrBroken)
	})
}

func TestACtxMayUseTheLockstepStreamThatLooksAtIt(t *testing.T) {
	s, r := NewLockstepOneWayPair()
	_, err := r.ReceiveSome(ctxThat(t, &s.l.mu, func() { s.Close(t.Context()) }), make([]byte, 1))
	wantErr(t, "receive", err, io.EOF)

	s, r = NewLockstepOneWayPair()
	gone := ctxThat(t, &s.l.mu, func() { r.Close(t.Context()) })
	wantErr(t, "send", s.SendAll(gone, []byte("x")), trigo.ErrBroken)
	wantErr(t, "wait", s.WaitSendAllMightNotBlock(gone), nil)
	closed := ctxThat(t, &s.l.mu, func() { s.Close(t.Context()) })
	wantErr(t, "send", s.SendAll(closed, []byte("x")), trigo.ErrClosed)
}
