package trigotest

import (
	"context"
	"errors"
	"io"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"trigo"
)

// background starts f and returns where its error will be.
func background(f func() error) <-chan error {
	result := make(chan error, 1)
	go func() { result <- f() }()
	return result
}

// wantErr fails the test unless err is of the kind; nil wants success.
func wantErr(t *testing.T, what string, err, kind error) {
	t.Helper()
	if !errors.Is(err, kind) {
		t.Errorf("%s: error is %v, want %v", what, err, kind)
	}
}

// wantGot fails the test unless a call returned this data, or this error and
// none.
func wantGot(t *testing.T, what string, got []byte, err error, want string, kind error) {
	t.Helper()
	if string(got) != want || !errors.Is(err, kind) {
		t.Errorf("%s: got %q, %v; want %q, %v", what, got, err, want, kind)
	}
}

// wantReceived is wantGot for one ReceiveSome.
func wantReceived(t *testing.T, r trigo.ReceiveStream, max int, want string, kind error) {
	t.Helper()
	p := make([]byte, max)
	n, err := r.ReceiveSome(t.Context(), p)
	wantGot(t, "receive", p[:n], err, want, kind)
}

// wantN fails the test unless err carries this count.
func wantN(t *testing.T, what string, err error, n int64) {
	t.Helper()
	var op *trigo.OpError
	if !errors.As(err, &op) || op.N != n {
		t.Errorf("%s: error %v has N %v, want %d", what, err, op, n)
	}
}

// parks is a hook that waits for its ctx, and returns what a careless hook
// would.
func parks(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

func TestGetDataReturnsWhatWasSentInPieces(t *testing.T) {
	s, ctx := NewMemorySendStream(), t.Context()
	s.SendAll(ctx, []byte("ab"))
	s.SendAll(ctx, []byte("cd"))
	for _, want := range []struct {
		max  int
		data string
	}{{1, "a"}, {2, "bc"}, {10, "d"}} {
		got, err := s.GetData(ctx, want.max)
		wantGot(t, "GetData", got, err, want.data, nil)
	}
	for _, all := range []int{0, -1} {
		s.SendAll(ctx, []byte("everything"))
		got, err := s.GetDataNoWait(all)
		wantGot(t, "GetDataNoWait", got, err, "everything", nil)
	}
	got, err := s.GetDataNoWait(0)
	wantGot(t, "GetDataNoWait of nothing", got, err, "", trigo.ErrWouldBlock)
}

func TestGetDataWaitsForASend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewMemorySendStream()
		var got []byte
		done := background(func() (err error) { got, err = s.GetData(t.Context(), 0); return err })
		synctest.Wait()
		_, err := s.GetData(t.Context(), 0)
		wantErr(t, "second GetData", err, trigo.ErrBusy)
		_, err = s.GetDataNoWait(0)
		wantErr(t, "GetDataNoWait", err, trigo.ErrBusy)
		s.SendAll(t.Context(), []byte("x"))
		wantGot(t, "GetData", got, <-done, "x", nil)
	})
}

func TestACancelledGetDataTakesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewMemorySendStream()
		ctx, cancel := context.WithCancelCause(t.Context())
		done := background(func() error { _, err := s.GetData(ctx, 0); return err })
		synctest.Wait()
		cancel(errDead)
		err := <-done
		wantErr(t, "cancelled GetData", err, context.Canceled)
		wantErr(t, "cancelled GetData", err, errDead)
		s.SendAll(t.Context(), []byte("x"))
		_, err = s.GetData(ctx, 0)
		wantErr(t, "GetData with a dead ctx", err, errDead)
		got, err := s.GetData(t.Context(), 0)
		wantGot(t, "GetData", got, err, "x", nil)
	})
}

func TestAClosedSendStreamCanBeEmptied(t *testing.T) {
	s, ctx := NewMemorySendStream(), t.Context()
	s.SendAll(ctx, []byte("rest"))
	s.Close(ctx)
	wantErr(t, "send", s.SendAll(ctx, []byte("x")), trigo.ErrClosed)
	got, err := s.GetData(ctx, 2)
	wantGot(t, "GetData", got, err, "re", nil)
	got, err = s.GetDataNoWait(0)
	wantGot(t, "GetDataNoWait", got, err, "st", nil)
	for range 2 {
		if _, err := s.GetData(ctx, 0); err != io.EOF {
			t.Errorf("GetData at the end: %v, want io.EOF", err)
		}
		if _, err := s.GetDataNoWait(0); err != io.EOF {
			t.Errorf("GetDataNoWait at the end: %v, want io.EOF", err)
		}
	}
}

func TestCloseOfASendStreamWakesGetData(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewMemorySendStream()
		done := background(func() error { _, err := s.GetData(t.Context(), 0); return err })
		synctest.Wait()
		s.Close(t.Context())
		wantErr(t, "GetData", <-done, io.EOF)
	})
}

func TestOfTwoSendersInAHookOneIsBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, release := NewMemorySendStream(), make(chan struct{})
		s.SendAllHook = func(context.Context) error { <-release; return nil }
		done := background(func() error { return s.SendAll(t.Context(), []byte("first")) })
		synctest.Wait()
		wantErr(t, "second send", s.SendAll(t.Context(), []byte("second")), trigo.ErrBusy)
		wantErr(t, "wait", s.WaitSendAllMightNotBlock(t.Context()), trigo.ErrBusy)
		got, err := s.GetDataNoWait(0)
		wantGot(t, "stored when the hook runs", got, err, "first", nil)
		close(release)
		wantErr(t, "first send", <-done, nil)
	})
}

func TestHooksErrorIsTheCalls(t *testing.T) {
	s, r, own := NewMemorySendStream(), NewMemoryReceiveStream(), errors.New("from the hook")
	fail := func(context.Context) error { return own }
	s.SendAllHook, s.WaitHook, r.ReceiveSomeHook = fail, fail, fail
	wantErr(t, "send", s.SendAll(t.Context(), []byte("x")), own)
	wantErr(t, "wait", s.WaitSendAllMightNotBlock(t.Context()), own)
	wantReceived(t, r, 1, "", own)
}

func TestACancelInTheSendHookLeavesTheDataStored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewMemorySendStream()
		s.SendAllHook = parks
		ctx, cancel := context.WithCancelCause(t.Context())
		done := background(func() error { return s.SendAll(ctx, []byte("abc")) })
		synctest.Wait()
		cancel(errDead)
		err := <-done
		wantErr(t, "send", err, context.Canceled)
		wantErr(t, "send", err, errDead)
		wantN(t, "send", err, 3)
		got, err := s.GetDataNoWait(0)
		wantGot(t, "GetDataNoWait", got, err, "abc", nil)
	})
}

func TestCloseInterruptsEveryHook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, r := NewMemorySendStream(), NewMemoryReceiveStream()
		s.SendAllHook, s.WaitHook, r.ReceiveSomeHook = parks, parks, parks
		other := NewMemorySendStream()
		other.WaitHook = parks
		sending := background(func() error { return s.SendAll(t.Context(), []byte("x")) })
		waiting := background(func() error { return other.WaitSendAllMightNotBlock(t.Context()) })
		receiving := background(func() error { _, err := r.ReceiveSome(t.Context(), make([]byte, 1)); return err })
		synctest.Wait()
		for _, end := range []trigo.Resource{s, other, r} {
			wantErr(t, "close", end.Close(t.Context()), nil)
		}
		wantErr(t, "send", <-sending, trigo.ErrClosed)
		wantErr(t, "wait", <-waiting, trigo.ErrClosed)
		wantErr(t, "receive", <-receiving, trigo.ErrClosed)
	})
}

func TestCloseHookIsCalledOnceHoweverClosed(t *testing.T) {
	closings := map[string]func(trigo.Resource) error{
		"Close":           func(r trigo.Resource) error { return r.Close(t.Context()) },
		"CloseForcefully": trigo.CloseForcefully,
		"Abort":           trigo.Abort,
	}
	for name, closing := range closings {
		s, r := NewMemorySendStream(), NewMemoryReceiveStream()
		sends, receives := 0, 0
		s.CloseHook = func() { sends++ }
		r.CloseHook = func() { receives++ }
		for range 3 {
			wantErr(t, name, closing(s), nil)
			wantErr(t, name, closing(r), nil)
		}
		if sends != 1 || receives != 1 {
			t.Errorf("%s three times: the hooks were called %d and %d times", name, sends, receives)
		}
	}
}

func TestAnAbortedSendStreamDropsItsData(t *testing.T) {
	s := NewMemorySendStream()
	s.SendAll(t.Context(), []byte("x"))
	wantErr(t, "abort", s.Abort(), nil)
	for range 2 {
		_, err := s.GetDataNoWait(0)
		wantErr(t, "GetDataNoWait", err, trigo.ErrBroken)
	}
	wantErr(t, "send", s.SendAll(t.Context(), nil), trigo.ErrClosed)
}

func TestAReceiveStreamReturnsWhatWasPutInPieces(t *testing.T) {
	r := NewMemoryReceiveStream()
	wantErr(t, "put", r.PutData([]byte("abc")), nil)
	wantReceived(t, r, 1, "a", nil)
	wantErr(t, "put", r.PutData([]byte("def")), nil)
	wantReceived(t, r, 10, "bcdef", nil)
	wantErr(t, "put", r.PutData([]byte("last")), nil)
	r.PutEOF()
	r.PutEOF()
	wantErr(t, "put after EOF", r.PutData([]byte("x")), trigo.ErrClosed)
	wantReceived(t, r, 10, "last", nil)
	wantReceived(t, r, 10, "", io.EOF)
	wantReceived(t, r, 10, "", io.EOF)
}

func TestAReceiveHookCanPutData(t *testing.T) {
	r := NewMemoryReceiveStream()
	r.PutData([]byte("yyy"))
	r.ReceiveSomeHook = func(context.Context) error { return r.PutData([]byte("xxx")) }
	wantReceived(t, r, 10, "yyyxxx", nil)
	wantReceived(t, r, 10, "xxx", nil)
	r.ReceiveSomeHook = nil
	r.PutData([]byte("zzz"))
	wantReceived(t, r, 10, "zzz", nil)
}

func TestPutErrorBreaksAReceiveStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, cause := NewMemoryReceiveStream(), errors.New("the cable")
		done := background(func() error { _, err := r.ReceiveSome(t.Context(), make([]byte, 1)); return err })
		synctest.Wait()
		r.PutError(cause)
		err := <-done
		wantErr(t, "receive", err, trigo.ErrBroken)
		wantErr(t, "receive", err, cause)

		r = NewMemoryReceiveStream()
		r.PutData([]byte("lost"))
		r.PutError(cause)
		wantErr(t, "put", r.PutData([]byte("x")), trigo.ErrClosed)
		wantReceived(t, r, 1, "", trigo.ErrBroken)
		wantReceived(t, r, 1, "", cause)
		r.Close(t.Context())
		r.PutError(cause)
		wantReceived(t, r, 1, "", trigo.ErrClosed)
	})
}

func TestCloseOutdoesAFailureThatComesLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for range 50 {
			r := NewMemoryReceiveStream()
			done := background(func() error { _, err := r.ReceiveSome(t.Context(), make([]byte, 1)); return err })
			synctest.Wait()
			r.Close(t.Context())
			r.PutError(nil)
			wantErr(t, "receive", <-done, trigo.ErrClosed)
		}
	})
}

// brink is a ctx that tells when somebody is about to wait for it.
type brink struct {
	context.Context
	reached func()
}

func (b brink) Done() <-chan struct{} {
	b.reached()
	return b.Context.Done()
}

func TestDataOutdoesACancelThatComesLater(t *testing.T) {
	for range 50 { // a select would choose either
		r := NewMemoryReceiveStream()
		ctx, cancel := context.WithCancel(t.Context())
		_, err := r.ReceiveSome(brink{ctx, func() {
			r.PutData([]byte("x"))
			cancel()
		}}, make([]byte, 1))
		wantErr(t, "receive", err, nil)
	}
}

// What SendAll says was sent arrives, what it refused does not, and the end
// comes last.
func TestPairLosesNothingWhenCloseRacesASend(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for range 1000 {
		s, r := NewMemoryOneWayPair()
		accepted := 0
		var wg sync.WaitGroup
		wg.Go(func() {
			for {
				err := s.SendAll(ctx, []byte("x"))
				if op := new(trigo.OpError); errors.As(err, &op) {
					wantErr(t, "send", err, trigo.ErrClosed)
					accepted += int(op.N)
					return
				}
				accepted++
			}
		})
		wg.Go(func() { s.Close(ctx) })
		received := 0
		for chunk, err := range trigo.Chunks(ctx, r) {
			if err != nil {
				t.Fatal(err)
			}
			received += len(chunk)
		}
		wg.Wait()
		if received != accepted {
			t.Fatalf("%d bytes accepted, %d received", accepted, received)
		}
	}
}
