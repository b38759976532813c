package trigotest

import (
	"context"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"trigo"
)

func TestPump(t *testing.T) {
	ctx := t.Context()
	s, r := NewMemorySendStream(), NewMemoryReceiveStream()
	pump := func(max int, wantMoved bool, kind error) {
		t.Helper()
		moved, err := Pump(s, r, max)
		if moved != wantMoved {
			t.Errorf("moved: %v, want %v", moved, wantMoved)
		}
		wantErr(t, "pump", err, kind)
	}
	pump(0, false, nil)
	s.SendAll(ctx, []byte("123"))
	pump(1, true, nil)
	wantReceived(t, r, 10, "1", nil)
	pump(1, true, nil)
	pump(1, true, nil)
	pump(1, false, nil)
	wantReceived(t, r, 10, "23", nil)

	s.SendAll(ctx, []byte("rest"))
	s.Close(ctx)
	pump(0, true, nil)
	pump(0, true, nil) // the end
	pump(0, true, nil) // and again, to no effect
	wantReceived(t, r, 10, "rest", nil)
	wantReceived(t, r, 10, "", io.EOF)
}

func TestPumpIntoAClosedReceiverIsBroken(t *testing.T) {
	s, r := NewMemorySendStream(), NewMemoryReceiveStream()
	r.Close(t.Context())
	moved, err := Pump(s, r, 0)
	if moved || err != nil {
		t.Errorf("pump of nothing: %v, %v", moved, err)
	}
	s.SendAll(t.Context(), []byte("x"))
	_, err = Pump(s, r, 0)
	wantErr(t, "pump", err, trigo.ErrBroken)
}

func TestPumpPassesAnAbortOn(t *testing.T) {
	s, r := NewMemorySendStream(), NewMemoryReceiveStream()
	r.PutData([]byte("lost"))
	s.Abort()
	moved, err := Pump(s, r, 0)
	if !moved || err != nil {
		t.Errorf("pump: %v, %v", moved, err)
	}
	wantReceived(t, r, 10, "", trigo.ErrBroken)
}

func TestPumpBesideGetDataIsBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, r := NewMemorySendStream(), NewMemoryReceiveStream()
		done := background(func() error { _, err := s.GetData(t.Context(), 0); return err })
		synctest.Wait()
		_, err := Pump(s, r, 0)
		wantErr(t, "pump", err, trigo.ErrBusy)
		s.Close(t.Context())
		<-done
	})
}

// Whoever gets the data, the end is everybody's.
func TestTheEndOfAPairPassesSomebodyWhoGetsItsData(t *testing.T) {
	ends := map[string]struct {
		end       func(s *MemorySendStream)
		got, seen error
	}{
		"close": {func(s *MemorySendStream) { s.Close(t.Context()) }, io.EOF, io.EOF},
		"close with data stored": {func(s *MemorySendStream) {
			s.SendAll(t.Context(), []byte("xy"))
			s.Close(t.Context())
		}, nil, io.EOF},
		"abort": {func(s *MemorySendStream) { s.Abort() }, trigo.ErrBroken, trigo.ErrBroken},
	}
	for name, c := range ends {
		synctest.Test(t, func(t *testing.T) {
			s, r := NewMemoryOneWayPair()
			getting := background(func() error { _, err := s.GetData(t.Context(), 0); return err })
			synctest.Wait()
			c.end(s)
			wantErr(t, name+": GetData", <-getting, c.got)
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			_, err := r.ReceiveSome(ctx, make([]byte, 1))
			wantErr(t, name+": receive", err, c.seen)
		})
	}
}

func TestPairWakesAReceiverThatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, r := NewMemoryOneWayPair()
		receive := func() <-chan error {
			return background(func() error {
				p := make([]byte, 10)
				n, err := r.ReceiveSome(t.Context(), p)
				if err == nil && string(p[:n]) != "abc" {
					t.Errorf("received %q", p[:n])
				}
				return err
			})
		}
		done := receive()
		synctest.Wait()
		s.SendAll(t.Context(), []byte("abc"))
		wantErr(t, "receive", <-done, nil)
		done = receive()
		synctest.Wait()
		s.Close(t.Context())
		wantErr(t, "receive", <-done, io.EOF)
	})
}

func TestPairWithoutItsHookStallsUntilItIsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, r := NewMemoryOneWayPair()
		hook := s.SendAllHook
		s.SendAllHook = nil
		ctx, cancel := context.WithCancel(t.Context())
		done := background(func() error { _, err := r.ReceiveSome(ctx, make([]byte, 1)); return err })
		s.SendAll(t.Context(), []byte("old"))
		synctest.Wait()
		select {
		case err := <-done:
			t.Fatalf("received without a pump: %v", err)
		default:
		}
		cancel()
		wantErr(t, "receive", <-done, context.Canceled)
		s.SendAllHook = hook
		s.SendAll(t.Context(), []byte(" and new"))
		wantReceived(t, r, 100, "old and new", nil)

		s.SendAllHook = nil
		s.SendAll(t.Context(), []byte("left over"))
		s.Close(t.Context())
		wantReceived(t, r, 100, "left over", nil)
		wantReceived(t, r, 100, "", io.EOF)
	})
}

func TestMemoryPairHalfCloses(t *testing.T) {
	ctx := t.Context()
	a, b := NewMemoryPair()
	a.SendAll(ctx, []byte("there"))
	wantErr(t, "SendEOF", a.SendEOF(ctx), nil)
	wantReceived(t, b, 10, "there", nil)
	wantReceived(t, b, 10, "", io.EOF)
	wantErr(t, "send", b.SendAll(ctx, []byte("back")), nil)
	wantReceived(t, a, 10, "back", nil)
	wantErr(t, "send", a.SendAll(ctx, nil), trigo.ErrClosed)
}

func TestWhatIsLeftToDoWhenThePeerHasClosed(t *testing.T) {
	ctx := t.Context()
	a, b := NewMemoryPair()
	b.Close(ctx)
	wantErr(t, "empty send", a.SendAll(ctx, nil), nil)
	for range 2 {
		err := a.SendAll(ctx, []byte("x"))
		wantErr(t, "send", err, trigo.ErrBroken)
		wantN(t, "send", err, 0)
	}
	wantErr(t, "empty send", a.SendAll(ctx, nil), nil)
	wantErr(t, "wait", a.WaitSendAllMightNotBlock(ctx), nil)
	wantErr(t, "SendEOF", a.SendEOF(ctx), nil)
	wantReceived(t, a, 1, "", io.EOF)
	wantReceived(t, a, 1, "", io.EOF)
}

func TestAbortTellsAPeerFromACleanEnd(t *testing.T) {
	pairs := map[string]func(context.Context) (a, b *trigo.StapledStream, err error){
		"memory": memoryPair, "lockstep": lockstepPair,
	}
	for name, pair := range pairs {
		a, b, _ := pair(t.Context())
		if got, want := a.String(), "staple("+name+", "+name+")"; got != want {
			t.Errorf("String: %q, want %q", got, want)
		}
		wantErr(t, "abort", trigo.Abort(a), nil)
		wantReceived(t, b, 1, "", trigo.ErrBroken)
		wantReceived(t, b, 1, "", trigo.ErrBroken)
		wantErr(t, "send", b.SendAll(t.Context(), []byte("x")), trigo.ErrBroken)
		wantErr(t, "abort", trigo.Abort(b), nil)
		wantReceived(t, b, 1, "", trigo.ErrClosed)
	}
}
