package trigotest

import (
	"context"
	"errors"
	"io"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"trigo"
)

// receiving starts one ReceiveSome, which waits when this returns.
func receiving(ctx context.Context, r trigo.ReceiveStream, p []byte) <-chan error {
	done := background(func() error {
		n, err := r.ReceiveSome(ctx, p)
		if err == nil && n < len(p) {
			return io.ErrShortBuffer // they are as long as what they get
		}
		return err
	})
	synctest.Wait()
	return done
}

func TestWhatIsTooLongForWhoWaitsIsTheNextToReceive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, r := NewMemoryOneWayPair()
		p := make([]byte, 2)
		done := receiving(t.Context(), r, p)
		s.SendAll(t.Context(), []byte("abcd"))
		s.SendAll(t.Context(), []byte("ef")) // before it has woken up
		wantGot(t, "receive", p, <-done, "ab", nil)
		wantReceived(t, r, 3, "cde", nil)
		wantReceived(t, r, 3, "f", nil)
	})
}

func TestAPumpHandsAPieceToWhoWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, r := NewMemorySendStream(), NewMemoryReceiveStream()
		p := make([]byte, 2)
		for _, max := range []int{0, 2, 3} {
			done := receiving(t.Context(), r, p)
			s.SendAll(t.Context(), []byte("abcd"))
			for range 2 { // the second time before it has woken up
				moved, err := Pump(s, r, max)
				if !moved || err != nil {
					t.Errorf("pump: %v, %v", moved, err)
				}
				s.SendAll(t.Context(), []byte("e"))
			}
			wantGot(t, "receive", p, <-done, "ab", nil)
			Pump(s, r, 0)
			wantReceived(t, r, 10, "cdee", nil)
		}
	})
}

// Who was handed something has received it, whatever comes before it wakes up.
func TestNothingThatComesLaterTakesBackWhatWasHandedOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for range 50 { // a select would choose either
			s, r := NewMemoryOneWayPair()
			ctx, cancel := context.WithCancel(t.Context())
			p := make([]byte, 1)
			done := receiving(ctx, r, p)
			s.SendAll(t.Context(), []byte("x"))
			cancel()
			wantGot(t, "receive beside a cancel", p, <-done, "x", nil)

			done = receiving(t.Context(), r, p)
			s.SendAll(t.Context(), []byte("y"))
			s.Close(t.Context())
			wantGot(t, "receive beside the end", p, <-done, "y", nil)
			wantReceived(t, r, 1, "", io.EOF)
		}
	})
}

func TestACancelledReceiveGivesItsSliceBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, r := NewMemoryOneWayPair()
		ctx, cancel := context.WithCancel(t.Context())
		p := []byte("-")
		done := receiving(ctx, r, p)
		cancel()
		wantErr(t, "receive", <-done, context.Canceled)
		s.SendAll(t.Context(), []byte("x"))
		if string(p) != "-" {
			t.Errorf("a send wrote %q into the slice of a receive that was cancelled", p)
		}
		wantReceived(t, r, 1, "x", nil)
	})
}

func TestSendAllKeepsNothingOfItsSlice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		send := func(s trigo.SendStream, text string) {
			p := []byte(text)
			wantErr(t, "send", s.SendAll(t.Context(), p), nil)
			clear(p)
		}
		s, r := NewMemoryOneWayPair()
		p := make([]byte, 2)
		done := receiving(t.Context(), r, p)
		send(s, "abcd") // to who waits, and a rest
		wantGot(t, "receive", p, <-done, "ab", nil)
		send(s, "ef") // behind it
		wantReceived(t, r, 10, "cdef", nil)
		send(s, "gh") // into nothing
		wantReceived(t, r, 10, "gh", nil)
	})
}

func TestASendBesideGetDataIsStoredForItAndBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, r := NewMemoryOneWayPair()
		var got []byte
		done := background(func() (err error) { got, err = s.GetData(t.Context(), 0); return err })
		synctest.Wait()
		err := s.SendAll(t.Context(), []byte("abc"))
		wantErr(t, "send", err, trigo.ErrBusy)
		wantN(t, "send", err, 3)
		wantGot(t, "GetData", got, <-done, "abc", nil)
		wantErr(t, "send", s.SendAll(t.Context(), []byte("d")), nil)
		wantReceived(t, r, 10, "d", nil)
	})
}

func TestTheHookOfAnotherPairIsNotTheOwn(t *testing.T) {
	s, r := NewMemoryOneWayPair()
	other, its := NewMemoryOneWayPair()
	own := s.SendAllHook
	s.SendAllHook = other.SendAllHook
	other.SendAllHook = nil
	other.SendAll(t.Context(), []byte("its"))
	s.SendAll(t.Context(), []byte("kept"))
	wantReceived(t, its, 10, "its", nil)
	s.SendAllHook = own
	s.SendAll(t.Context(), []byte(" and sent"))
	wantReceived(t, r, 20, "kept and sent", nil)
}

func TestAHookThatPanicsHoldsNothing(t *testing.T) {
	s, r := NewMemorySendStream(), NewMemoryReceiveStream()
	panics := func(context.Context) error { panic("from the hook") }
	s.SendAllHook, s.WaitHook, r.ReceiveSomeHook = panics, panics, panics
	for _, call := range []func(){
		func() { s.SendAll(t.Context(), []byte("x")) },
		func() { s.WaitSendAllMightNotBlock(t.Context()) },
		func() { r.ReceiveSome(t.Context(), make([]byte, 1)) },
	} {
		func() {
			defer func() { recover() }()
			call()
		}()
	}
	s.SendAllHook, s.WaitHook, r.ReceiveSomeHook = nil, nil, nil
	wantErr(t, "send", s.SendAll(t.Context(), []byte("y")), nil)
	wantErr(t, "wait", s.WaitSendAllMightNotBlock(t.Context()), nil)
	Pump(s, r, 0)
	wantReceived(t, r, 10, "xy", nil)
}

// The receiver's calls are cancelled at any moment, in one ctx or another, while
// somebody sends: every byte comes once, and in its place.
func TestCancelsLoseNothingOfWhatIsHandedOver(t *testing.T) {
	const total = 20000
	s, r := NewMemoryOneWayPair()
	sent := background(func() error {
		for i := range total {
			if err := s.SendAll(t.Context(), []byte{byte(i), byte(i >> 8)}); err != nil {
				return err
			}
			if i%3 == 0 {
				runtime.Gosched() // so that the receiver waits
			}
		}
		return s.Close(t.Context())
	})
	var cancel atomic.Pointer[context.CancelFunc]
	var cancelling sync.WaitGroup
	stop := make(chan struct{})
	cancelling.Go(func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(50 * time.Microsecond):
			}
			if c := cancel.Load(); c != nil {
				(*c)()
			}
		}
	})
	var got []byte
	for p, err := make([]byte, 3), error(nil); err != io.EOF; {
		ctx, c := context.WithCancel(t.Context())
		cancel.Store(&c)
		for err = nil; err == nil; {
			var n int
			n, err = r.ReceiveSome(ctx, p)
			got = append(got, p[:n]...)
		}
		if err != io.EOF && !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		c()
	}
	close(stop)
	cancelling.Wait()
	wantErr(t, "send", <-sent, nil)
	if len(got) != 2*total {
		t.Fatalf("%d bytes received, want %d", len(got), 2*total)
	}
	for i := range total {
		if got[2*i] != byte(i) || got[2*i+1] != byte(i>>8) {
			t.Fatalf("message %d is %v", i, got[2*i:2*i+2])
		}
	}
}
