package wrap

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"trigo"
	"trigo/trigotest"
)

// pair makes a pair in memory without any buffer, for the bubble of t.
func pair(t *testing.T) (a, b *trigo.StapledStream) {
	a, b = trigotest.NewLockstepPair()
	t.Cleanup(func() {
		b.Close(context.Background())
		a.Close(context.Background())
	})
	return a, b
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// later sends text from s after a pause.
func later(s trigo.SendStream, pause time.Duration, text string) {
	time.AfterFunc(pause, func() { s.SendAll(context.Background(), []byte(text)) })
}

func TestCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := pair(t)
		s := Count(a)
		later(b, 0, "hello")
		p := make([]byte, 3)
		for range 2 {
			_, err := s.ReceiveSome(t.Context(), p)
			check(t, err)
		}
		go b.ReceiveSome(t.Context(), p)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := s.SendAll(ctx, []byte("12345")); err == nil {
			t.Fatal("5 bytes went through where 3 were received")
		}
		if s.Sent() != 3 || s.Received() != 5 {
			t.Errorf("sent %d, received %d; want 3 and 5", s.Sent(), s.Received())
		}
	})
}

func TestTapWritesText(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := pair(t)
		var w strings.Builder
		s := Tap(a, &w, &TapOptions{Name: "a"})
		go func() {
			b.ReceiveSome(t.Context(), make([]byte, 100))
			b.SendAll(t.Context(), []byte("220 ok\r\n\x1b[1mé\xff"))
			b.ReceiveSome(t.Context(), make([]byte, 2))
		}()
		check(t, s.SendAll(t.Context(), []byte("HELO \"a\"\\\r\nMAIL\n")))
		_, err := s.ReceiveSome(t.Context(), make([]byte, 100))
		check(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		s.SendAll(ctx, []byte("12345"))
		check(t, s.SendEOF(t.Context()))
		b.SendEOF(t.Context())
		s.ReceiveSome(t.Context(), make([]byte, 1))
		want := `a> HELO "a"\\\r\n
a> MAIL\n
a< 220 ok\r\n
a< \x1b[1mé\xff
a> 12345
a> [only 2 of 5 bytes: context deadline exceeded]
a> [end of file]
a< [end of file]
`
		if w.String() != want {
			t.Errorf("got\n%swant\n%s", w.String(), want)
		}
	})
}

func TestTapWritesHex(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := pair(t)
		var w strings.Builder
		s := Tap(a, &w, &TapOptions{Hex: true})
		go func() {
			for range 2 {
				b.ReceiveSome(t.Context(), make([]byte, 100))
			}
		}()
		check(t, s.SendAll(t.Context(), []byte("0123456789abcdef\x00\x7f\xff")))
		check(t, s.SendAll(t.Context(), []byte("next")))
		want := `> 00000000  30 31 32 33 34 35 36 37  38 39 61 62 63 64 65 66  |0123456789abcdef|
> 00000010  00 7f ff                                          |...|
> 00000013  6e 65 78 74                                       |next|
`
		if w.String() != want {
			t.Errorf("got\n%swant\n%s", w.String(), want)
		}
	})
}

func TestRateIsKeptInEachDirection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := pair(t)
		s := Rate(a, 1000, 100)
		go func() {
			b.SendAll(t.Context(), make([]byte, 5100))
			b.SendEOF(t.Context())
		}()
		drained := make(chan int, 1)
		go func() {
			n := 0
			for chunk := range trigo.Chunks(t.Context(), b) {
				n += len(chunk)
			}
			drained <- n
		}()
		start := time.Now()
		received := make(chan time.Duration, 1)
		go func() {
			for range trigo.Chunks(t.Context(), s) {
			}
			received <- time.Since(start)
		}()
		check(t, s.SendAll(t.Context(), make([]byte, 3100)))
		about(t, "sending 3100 bytes", time.Since(start), 3*time.Second)
		check(t, s.SendEOF(t.Context()))
		if n := <-drained; n != 3100 {
			t.Errorf("%d bytes came, want 3100", n)
		}
		about(t, "receiving 5100 bytes", <-received, 5*time.Second)
	})
}

func about(t *testing.T, what string, got, want time.Duration) {
	t.Helper()
	if got < want-20*time.Millisecond || got > want+20*time.Millisecond {
		t.Errorf("%s took %v, want about %v", what, got, want)
	}
}

func TestABurstPassesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := pair(t)
		s := Rate(a, 10, 50)
		go func() {
			for range trigo.Chunks(t.Context(), b) {
			}
		}()
		start := time.Now()
		check(t, s.SendAll(t.Context(), make([]byte, 50)))
		about(t, "a burst", time.Since(start), 0)
		time.Sleep(time.Minute) // saves up no more than one burst
		start = time.Now()
		check(t, s.SendAll(t.Context(), make([]byte, 60)))
		about(t, "a burst and a second more", time.Since(start), time.Second)
		a.Close(t.Context())
	})
}

func TestWhoWaitsForItsTurnIsWoken(t *testing.T) {
	for name, wake := range map[string]struct {
		do   func(s *Limited, cancel func())
		want error
	}{
		"cancel": {func(_ *Limited, cancel func()) { cancel() }, context.Canceled},
		"close":  {func(s *Limited, _ func()) { s.Close(context.Background()) }, trigo.ErrClosed},
		"abort":  {func(s *Limited, _ func()) { s.Abort() }, trigo.ErrClosed},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, b := pair(t)
				s := Rate(a, 1, 1)
				ctx, cancel := context.WithCancel(t.Context())
				done := make(chan error, 2)
				go func() { done <- s.SendAll(ctx, make([]byte, 100)) }()
				go func() {
					_, err := s.ReceiveSome(ctx, make([]byte, 1))
					if err == nil {
						_, err = s.ReceiveSome(ctx, make([]byte, 1))
					}
					done <- err
				}()
				go b.SendAll(t.Context(), make([]byte, 100))
				go b.ReceiveSome(t.Context(), make([]byte, 1))
				time.Sleep(time.Second / 2)
				if err := s.SendAll(t.Context(), nil); !errors.Is(err, trigo.ErrBusy) {
					t.Errorf("beside a send that waits for its turn: %v", err)
				}
				start := time.Now()
				wake.do(s, cancel)
				for range 2 {
					if err := <-done; !errors.Is(err, wake.want) {
						t.Errorf("woken with %v, want %v", err, wake.want)
					}
				}
				if time.Since(start) != 0 {
					t.Error("not at once")
				}
				cancel()
			})
		})
	}
}

func wantTimeout(t *testing.T, err, kind error) {
	t.Helper()
	var op *trigo.OpError
	if !errors.Is(err, kind) || !errors.As(err, &op) || !op.Timeout() {
		t.Errorf("got %v, want %v, a timeout", err, kind)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v can be mistaken for that of the caller's ctx", err)
	}
}

func TestIdleFailsAfterSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := pair(t)
		s := Idle(a, 10*time.Second)
		start := time.Now()
		later(b, 9*time.Second, "x")
		_, err := s.ReceiveSome(t.Context(), make([]byte, 1))
		check(t, err)
		_, err = s.ReceiveSome(t.Context(), make([]byte, 1))
		wantTimeout(t, err, ErrIdle)
		about(t, "the silence", time.Since(start), 19*time.Second)
		for _, err := range []error{s.SendAll(t.Context(), []byte("x")), s.WaitSendAllMightNotBlock(t.Context()), s.SendEOF(t.Context())} {
			wantTimeout(t, err, ErrIdle)
		}
	})
}

func TestIdleWithTheLongestLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := pair(t)
		s := Idle(a, math.MaxInt64)
		time.Sleep(time.Second)
		later(b, time.Hour, "late")
		buf := make([]byte, 10)
		if n, err := s.ReceiveSome(t.Context(), buf); string(buf[:n]) != "late" {
			t.Errorf("received %q, %v", buf[:n], err)
		}
	})
}

func TestIdleKnowsOfBothDirections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := pair(t)
		s := Idle(a, 10*time.Second)
		start := time.Now()
		go func() { // a byte each 6 seconds, until half a minute has passed
			for range 5 {
				time.Sleep(6 * time.Second)
				s.SendAll(t.Context(), []byte("x"))
			}
		}()
		go func() {
			for range trigo.Chunks(t.Context(), b) {
			}
		}()
		_, err := s.ReceiveSome(t.Context(), make([]byte, 1))
		wantTimeout(t, err, ErrIdle)
		about(t, "the silence", time.Since(start), 40*time.Second)
		a.Close(t.Context())
	})
}

func TestIdleLetsASlowSendGoOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := pair(t)
		s := Idle(a, 10*time.Second)
		go func() { // a byte each 6 seconds
			for range 10 {
				time.Sleep(6 * time.Second)
				b.ReceiveSome(t.Context(), make([]byte, 1))
			}
		}()
		check(t, s.SendAll(t.Context(), make([]byte, 10)))

		err := s.SendAll(t.Context(), make([]byte, 10))
		wantTimeout(t, err, ErrIdle)
		var op *trigo.OpError
		if errors.As(err, &op) && op.N != 0 {
			t.Errorf("N is %d", op.N)
		}
	})
}

// The silence of a caller is not that of the stream, but many short calls are
// no way around the limit.
func TestIdleCountsOnlyTheWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := pair(t)
		s := Idle(a, 10*time.Second)
		time.Sleep(time.Hour)
		later(b, 5*time.Second, "x")
		_, err := s.ReceiveSome(t.Context(), make([]byte, 1))
		check(t, err)
		start := time.Now()
		for {
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
			_, err = s.ReceiveSome(ctx, make([]byte, 1))
			cancel()
			if !errors.Is(err, context.DeadlineExceeded) {
				break
			}
			time.Sleep(time.Minute)
		}
		wantTimeout(t, err, ErrIdle)
		about(t, "the waiting", time.Since(start), 3*time.Minute+10*time.Second)
	})
}

func TestLifeEndsWhateverMoves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := pair(t)
		s := Life(a, 10*time.Second)
		start := time.Now()
		gone := make(chan struct{})
		go func() {
			defer close(gone)
			for {
				time.Sleep(time.Second)
				if b.SendAll(t.Context(), []byte("x")) != nil {
					return
				}
			}
		}()
		var err error
		for err == nil {
			_, err = s.ReceiveSome(t.Context(), make([]byte, 1))
		}
		wantTimeout(t, err, ErrLife)
		about(t, "its life", time.Since(start), 10*time.Second)
		wantTimeout(t, s.SendAll(t.Context(), []byte("x")), ErrLife)
		check(t, s.Close(t.Context()))
		if err := s.SendAll(t.Context(), []byte("x")); !errors.Is(err, trigo.ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
		<-gone
	})
}

func TestACancelIsTheCallersAndNotALimit(t *testing.T) {
	for name, s := range map[string]func(trigo.Stream) *Timed{
		"idle": func(s trigo.Stream) *Timed { return Idle(s, time.Minute) },
		"life": func(s trigo.Stream) *Timed { return Life(s, time.Minute) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, b := pair(t)
				s := s(a)
				cause := errors.New("enough")
				ctx, cancel := context.WithCancelCause(t.Context())
				time.AfterFunc(time.Second, func() { cancel(cause) })
				_, err := s.ReceiveSome(ctx, make([]byte, 1))
				if !errors.Is(err, context.Canceled) || !errors.Is(err, cause) || errors.Is(err, ErrIdle) {
					t.Errorf("got %v", err)
				}
				later(b, time.Second, "x")
				_, err = s.ReceiveSome(t.Context(), make([]byte, 1))
				check(t, err)
			})
		})
	}
}

// canceled is a stream that fails with a cancellation which is not its
// caller's.
type canceled struct{ trigo.Stream }

func (canceled) ReceiveSome(context.Context, []byte) (int, error) { return 0, context.Canceled }

func TestTheCancelOfSomebodyElseIsAnErrorLikeAnyOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _ := pair(t)
		start := time.Now()
		_, err := Idle(canceled{a}, time.Minute).ReceiveSome(t.Context(), make([]byte, 1))
		if !errors.Is(err, context.Canceled) || errors.Is(err, ErrIdle) {
			t.Errorf("got %v", err)
		}
		about(t, "failing", time.Since(start), 0)
	})
}
