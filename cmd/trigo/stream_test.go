package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"trigo"
	"trigo/nursery"
	"trigo/relay"
	"trigo/trigotest"
)

func TestEchoReturnsWhatItIsSentAndThenTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEcho()
		text := strings.Repeat("echo ", 1000)
		err := nursery.Run(t.Context(), func(ctx context.Context, n *nursery.Nursery) error {
			n.Go(func(ctx context.Context) error {
				if err := e.SendAll(ctx, []byte(text)); err != nil {
					return err
				}
				return e.SendEOF(ctx)
			})
			var got []byte
			for chunk, err := range trigo.Chunks(ctx, e) {
				if err != nil {
					return err
				}
				got = append(got, chunk...)
			}
			if string(got) != text {
				t.Errorf("%d bytes came back, want %d", len(got), len(text))
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := e.SendAll(t.Context(), nil); !errors.Is(err, trigo.ErrClosed) {
			t.Errorf("send after the end: %v", err)
		}
	})
}

func TestEchoHoldsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEcho()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		result := make(chan error, 1)
		go func() { result <- e.SendAll(ctx, []byte("abc")) }()
		p := make([]byte, 2)
		if n, err := e.ReceiveSome(t.Context(), p); n != 2 || err != nil {
			t.Fatalf("received %d, %v", n, err)
		}
		var op *trigo.OpError
		if err := <-result; !errors.As(err, &op) || op.N != 2 || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("nobody received the rest: %v", err)
		}
	})
}

func TestClosedLoopsWakeAndRefuse(t *testing.T) {
	for _, l := range []*loop{newEcho(), newDiscard()} {
		synctest.Test(t, func(t *testing.T) {
			l := newLoop(l.name, l.discard)
			result := make(chan error, 1)
			go func() {
				_, err := l.ReceiveSome(t.Context(), make([]byte, 1))
				result <- err
			}()
			synctest.Wait()
			l.Close(t.Context())
			for _, err := range []error{
				<-result, l.SendAll(t.Context(), nil), l.SendEOF(t.Context()), l.WaitSendAllMightNotBlock(t.Context()),
			} {
				if !errors.Is(err, trigo.ErrClosed) {
					t.Errorf("%s: %v", l, err)
				}
			}
		})
	}
}

func TestDiscardEndsWhenItIsToldTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		peer, a := trigotest.NewMemoryPair()
		if err := peer.SendAll(t.Context(), make([]byte, 1<<20)); err != nil {
			t.Fatal(err)
		}
		peer.SendEOF(t.Context())
		report, err := relay.Run(t.Context(), a, newDiscard(), nil)
		if err != nil || report.AToB.Bytes != 1<<20 {
			t.Errorf("%+v, %v", report, err)
		}
	})
}

// halves returns a stdio over memory, what feeds its input, and what it
// printed.
func halves() (s *stdio, input *trigotest.MemorySendStream, output *trigotest.MemorySendStream) {
	input, in := trigotest.NewMemoryOneWayPair()
	output = trigotest.NewMemorySendStream()
	return &stdio{StapledStream: trigo.Staple(output, in)}, input, output
}

func TestTerminalSessionEndsWithThePeer(t *testing.T) {
	for _, interactive := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			s, _, _ := halves()
			s.interactive = interactive
			peer, b := trigotest.NewMemoryPair()
			peer.SendEOF(t.Context())
			report, err := relay.Run(t.Context(), s, b, nil)
			if interactive && (err != nil || report.Duration != 0) {
				t.Errorf("at a terminal: %v after %v", err, report.Duration)
			}
			if !interactive && (!errors.Is(err, relay.ErrReaped) || report.Duration != time.Minute) {
				t.Errorf("with a pipe: %v after %v", err, report.Duration)
			}
		})
	}
}

func TestBrokenOutputEndsTheInput(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _, output := halves()
		broken := trigo.Broken(io.ErrClosedPipe)
		output.SendAllHook = func(context.Context) error { return broken }
		peer, b := trigotest.NewMemoryPair()
		if err := peer.SendAll(t.Context(), []byte("x")); err != nil {
			t.Fatal(err)
		}
		report, err := relay.Run(t.Context(), s, b, nil)
		if !errors.Is(err, io.ErrClosedPipe) || report.Duration != 0 {
			t.Errorf("%v after %v", err, report.Duration)
		}
		if f := relaying(err); f.code != exitBroken || !strings.HasPrefix(f.Error(), "a: ") {
			t.Errorf("%d %v", f.code, f)
		}
	})
}

func TestMeterShowsTotalsAndRatesAndMakesRoomForLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var screen bytes.Buffer
		out := newConsole(&screen)
		counters := new(relay.Counters)
		err := withMeter(t.Context(), out, "line", counters, func(ctx context.Context) error {
			counters.AToB.Store(3 << 20)
			time.Sleep(300 * time.Millisecond)
			out.printf("a line")
			return io.ErrUnexpectedEOF
		})
		if err != io.ErrUnexpectedEOF {
			t.Errorf("err = %v", err)
		}
		want := "a->b 3.00 MiB 15.0 MiB/s | b->a 0 B 0 B/s | 200ms\r\x1b[Ka line\n"
		if got := screen.String(); got != want {
			t.Errorf("the screen got %q\nwant %q", got, want)
		}
	})
}

func TestPlainMeterIsALineEverySecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var screen bytes.Buffer
		counters := new(relay.Counters)
		withMeter(t.Context(), newConsole(&screen), "plain", counters, func(context.Context) error {
			time.Sleep(1100 * time.Millisecond)
			counters.BToA.Store(2048)
			time.Sleep(time.Second)
			return nil
		})
		want := "a->b 0 B 0 B/s | b->a 0 B 0 B/s | 1s\na->b 0 B 0 B/s | b->a 2.00 KiB 2.00 KiB/s | 2s\n"
		if got := screen.String(); got != want {
			t.Errorf("the screen got %q\nwant %q", got, want)
		}
	})
}
