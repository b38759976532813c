package relay_test

import (
	"context"
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"trigo"
	"trigo/relay"
	"trigo/trigotest"
)

func TestBothDirectionsAreDeliveredWithTheirEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		counters := new(relay.Counters)
		j := join(t, t.Context(), &relay.Options{Counters: counters}, nil)
		send(t, j.client, "question")
		wantReceive(t, j.server, "question", nil)
		send(t, j.server, "an answer")
		wantReceive(t, j.client, "an answer", nil)
		synctest.Wait() // a byte is received before its sender counts it
		if ab, ba := counters.AToB.Load(), counters.BToA.Load(); ab != 8 || ba != 9 {
			t.Errorf("while it runs the counters show %d and %d, want 8 and 9", ab, ba)
		}
		time.Sleep(time.Second)
		sendEOF(t, j.client)
		wantReceive(t, j.server, "", io.EOF)
		time.Sleep(time.Second)
		sendEOF(t, j.server)
		wantReceive(t, j.client, "", io.EOF)
		j.wait()
		if j.err != nil {
			t.Fatalf("err = %v", j.err)
		}
		j.wantEnds(relay.EOF, relay.EOF)
		want := relay.Report{
			AToB:     relay.Direction{Bytes: 8, End: relay.EOF, Duration: time.Second, Why: "memory is no bare descriptor"},
			BToA:     relay.Direction{Bytes: 9, End: relay.EOF, Duration: 2 * time.Second, Why: "memory is no bare descriptor"},
			Duration: 2 * time.Second,
		}
		if j.report != want {
			t.Errorf("report = %+v\nwant     %+v", j.report, want)
		}
	})
}

func TestAnswerLongAfterTheHalfCloseIsDelivered(t *testing.T) {
	for _, first := range []string{"client", "server"} {
		t.Run(first, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				j := join(t, t.Context(), nil, nil)
				asks, answers := j.client, j.server
				if first == "server" {
					asks, answers = j.server, j.client
				}
				send(t, asks, "last words")
				sendEOF(t, asks)
				wantReceive(t, answers, "last words", io.EOF)
				time.Sleep(59 * time.Second) // the default linger is a minute
				answer := strings.Repeat("x", 300_000)
				send(t, answers, answer)
				sendEOF(t, answers)
				wantReceive(t, asks, answer, io.EOF)
				j.wait()
				if j.err != nil {
					t.Fatal(j.err)
				}
			})
		})
	}
}

func TestHalfOpenAndSilentIsReapedAtExactlyLinger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := join(t, t.Context(), &relay.Options{Linger: 7 * time.Second}, nil)
		time.Sleep(time.Hour) // open: no limit
		sendEOF(t, j.client)
		if took := j.wait(); took != time.Hour+7*time.Second {
			t.Errorf("reaped after %v, want 1h0m7s", took)
		}
		j.wantEnds(relay.EOF, relay.Reaped)
		j.wantError("b", relay.ErrReaped)
		wantReceive(t, j.client, "", io.EOF) // closed with grace
		wantReceive(t, j.server, "", io.EOF)
	})
}

func TestEveryByteStartsLingerAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := join(t, t.Context(), &relay.Options{Linger: 10 * time.Second}, nil)
		sendEOF(t, j.server)
		for range 100 {
			time.Sleep(9 * time.Second)
			send(t, j.client, "x")
		}
		if took := j.wait(); took != 910*time.Second {
			t.Errorf("reaped after %v, want 910s", took)
		}
		wantReceive(t, j.server, strings.Repeat("x", 100), io.EOF)
		j.wantEnds(relay.Reaped, relay.EOF)
		j.wantError("a", relay.ErrReaped)
	})
}

func TestNegativeLingerNeverReaps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := join(t, t.Context(), &relay.Options{Linger: -1}, nil)
		sendEOF(t, j.client)
		time.Sleep(1000 * time.Hour)
		send(t, j.server, "at last")
		sendEOF(t, j.server)
		wantReceive(t, j.client, "at last", io.EOF)
		j.wait()
		if j.err != nil {
			t.Fatal(j.err)
		}
	})
}

func TestOpenAndSilentIsNeverReaped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := join(t, t.Context(), &relay.Options{Linger: time.Second}, nil)
		time.Sleep(1000 * time.Hour)
		send(t, j.client, "still there?")
		wantReceive(t, j.server, "still there?", nil)
		sendEOF(t, j.client)
		sendEOF(t, j.server)
		j.wait()
		if j.err != nil {
			t.Fatal(j.err)
		}
	})
}

func TestIdleEndsAnOpenPairAfterTheLastByte(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := join(t, t.Context(), &relay.Options{Idle: 10 * time.Second, Linger: time.Second}, nil)
		time.Sleep(9 * time.Second)
		send(t, j.client, "a")
		time.Sleep(9 * time.Second)
		send(t, j.server, "b")
		if took := j.wait(); took != 28*time.Second {
			t.Errorf("ended after %v, want 28s", took)
		}
		j.wantEnds(relay.Idle, relay.Idle)
		j.wantError("", relay.ErrIdle)
		if e := new(relay.Error); !errors.As(j.err, &e) || !e.Timeout() {
			t.Errorf("%v is no timeout", j.err)
		}
		wantReceive(t, j.client, "b", io.EOF)
		wantReceive(t, j.server, "a", io.EOF)
	})
}

func TestIdleBoundsAHalfOpenPairToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := join(t, t.Context(), &relay.Options{Idle: 5 * time.Second, Linger: -1}, nil)
		sendEOF(t, j.client)
		if took := j.wait(); took != 5*time.Second {
			t.Errorf("ended after %v, want 5s", took)
		}
		j.wantEnds(relay.EOF, relay.Idle)
		j.wantError("", relay.ErrIdle)
	})
}

func TestCancelAbortsBothSidesAtOnceWithItsCause(t *testing.T) {
	states := map[string]func(t *testing.T, j *joint){
		"open":      func(*testing.T, *joint) {},
		"a ended":   func(t *testing.T, j *joint) { sendEOF(t, j.client) },
		"b ended":   func(t *testing.T, j *joint) { sendEOF(t, j.server) },
		"a sending": func(t *testing.T, j *joint) { go j.client.SendAll(t.Context(), make([]byte, 100)) },
	}
	for name, enter := range states {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancelCause(t.Context())
				pair := trigotest.NewMemoryPair
				if name == "a sending" {
					pair = trigotest.NewLockstepPair
				}
				j := joinPairs(t, ctx, pair, nil, nil)
				enter(t, j)
				time.Sleep(time.Second)
				cancel(errCable)
				if took := j.wait(); took != time.Second {
					t.Errorf("returned after %v, want 1s", took)
				}
				j.wantError("", context.Canceled, errCable)
				for peer, s := range map[string]trigo.Stream{"client": j.client, "server": j.server} {
					if peer == "client" && name == "b ended" || peer == "server" && name == "a ended" {
						continue // that one had its end of file before
					}
					if _, err := s.ReceiveSome(context.Background(), make([]byte, 1)); !errors.Is(err, trigo.ErrBroken) {
						t.Errorf("the %s received %v, want a broken stream", peer, err)
					}
				}
			})
		})
	}
}

func TestDeadContextAbortsWithoutMovingAByte(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		j := join(t, ctx, nil, nil)
		j.wait()
		j.wantEnds(relay.Cancelled, relay.Cancelled)
		wantReceive(t, j.client, "", trigo.ErrBroken)
	})
}

func TestARelayIsTwoGoroutines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		before := runtime.NumGoroutine()
		j := join(t, t.Context(), &relay.Options{Idle: time.Hour}, nil)
		sendEOF(t, j.client)
		send(t, j.server, "x")
		synctest.Wait()
		if n := runtime.NumGoroutine() - before; n != 2 {
			t.Errorf("%d goroutines, want 2", n)
		}
		sendEOF(t, j.server)
		j.wait()
	})
}

// eager counts what is received from a stream.
type eager struct {
	*trigo.StapledStream
	received int
}

func (e *eager) ReceiveSome(ctx context.Context, p []byte) (int, error) {
	n, err := e.StapledStream.ReceiveSome(ctx, p)
	e.received += n
	return n, err
}

func TestSlowReaderHoldsTheSourceBack(t *testing.T) {
	for _, size := range []int{0, 1000} {
		synctest.Test(t, func(t *testing.T) {
			source := new(eager)
			var server *trigo.StapledStream
			j := join(t, t.Context(), &relay.Options{BufferSize: size}, func(j *joint) (a, b trigo.Stream) {
				source.StapledStream = j.a
				sink, far := trigotest.NewLockstepPair()
				server = far
				return source, sink
			})
			const total = 1 << 20
			send(t, j.client, strings.Repeat("x", total))
			synctest.Wait()
			want := size
			if want == 0 {
				want = 64 << 10
			}
			if source.received != want {
				t.Errorf("with nobody reading, %d bytes were received, want the buffer of %d", source.received, want)
			}
			sendEOF(t, j.client)
			wantReceive(t, server, strings.Repeat("x", total), io.EOF)
			sendEOF(t, server)
			j.wait()
			if j.err != nil {
				t.Error(j.err)
			}
		})
	}
}

// Streams may be values, and hold what cannot be compared.
func TestStreamsThatCannotBeComparedAreRelayed(t *testing.T) {
	type tagged struct {
		trigo.Stream
		tags []string
	}
	type value struct{ trigo.Stream }
	dead, cancel := context.WithCancel(t.Context())
	cancel()
	for _, wrap := range []func(s trigo.Stream) trigo.Stream{
		func(s trigo.Stream) trigo.Stream { return tagged{s, nil} },
		func(s trigo.Stream) trigo.Stream { return value{tagged{s, nil}} },
	} {
		a, _ := trigotest.NewMemoryPair()
		b, _ := trigotest.NewMemoryPair()
		if _, err := relay.Run(dead, wrap(a), wrap(b), nil); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
}

func TestWhatCannotBeRelayedIsRefusedAndReleased(t *testing.T) {
	one, _ := trigotest.NewMemoryPair()
	if _, err := relay.Run(t.Context(), one, one, nil); err == nil || !strings.Contains(err.Error(), "same stream") {
		t.Errorf("a stream with itself: %v", err)
	}
	if err := one.SendAll(t.Context(), nil); !errors.Is(err, trigo.ErrClosed) {
		t.Errorf("the stream is still open: %v", err)
	}
	for i := range 2 {
		pair := [2]trigo.Stream{}
		s, _ := trigotest.NewMemoryPair()
		pair[i] = s
		if _, err := relay.Run(t.Context(), pair[0], pair[1], nil); err == nil || !strings.Contains(err.Error(), "nil") {
			t.Errorf("a nil stream: %v", err)
		}
		if err := s.SendAll(t.Context(), nil); !errors.Is(err, trigo.ErrClosed) {
			t.Errorf("the other stream is still open: %v", err)
		}
	}
}

func TestEndsHaveNames(t *testing.T) {
	for e, want := range map[relay.End]string{relay.EOF: "eof", relay.Stopped: "stopped", relay.WriteFailed: "write failed", 99: "End(99)"} {
		if e.String() != want {
			t.Errorf("%d is %q, want %q", int(e), e, want)
		}
	}
}
