package relay_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"trigo"
	"trigo/relay"
	"trigo/trigotest"
)

func TestFailedReceiveIsPassedOnAsAnAbortAfterTheBytes(t *testing.T) {
	for name, c := range map[string]struct {
		cause error
		end   relay.End
	}{
		"reset":     {errCable, relay.Broken},
		"truncated": {trigo.ErrTruncated, relay.Truncated},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				j := join(t, t.Context(), nil, nil)
				send(t, j.client, "half a sent")
				synctest.Wait()
				wantReceive(t, j.server, "half a sent", nil)
				breakReceive(j.a, c.cause)
				j.wait()
				j.wantEnds(c.end, relay.Stopped)
				j.wantError("a", trigo.ErrBroken, c.cause)
				wantReceive(t, j.server, "", trigo.ErrBroken)
				wantReceive(t, j.client, "", trigo.ErrBroken)
			})
		})
	}
}

func TestFailedReceiveAfterTheOtherDirectionEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := join(t, t.Context(), nil, nil)
		sendEOF(t, j.client)
		wantReceive(t, j.server, "", io.EOF)
		send(t, j.server, "half an ans")
		wantReceive(t, j.client, "half an ans", nil)
		breakReceive(j.b, errCable)
		j.wait()
		j.wantEnds(relay.EOF, relay.Broken)
		j.wantError("b", errCable)
		wantReceive(t, j.client, "", trigo.ErrBroken)
	})
}

func TestStreamClosedBySomebodyElseIsAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := join(t, t.Context(), nil, nil)
		synctest.Wait()
		j.b.Close(t.Context())
		j.wait()
		j.wantEnds(relay.Stopped, relay.Failed)
		j.wantError("b", trigo.ErrClosed)
		wantReceive(t, j.client, "", trigo.ErrBroken)
	})
}

// gone is the error of sending to a peer that has left.
var gone = trigo.Broken(errCable)

func TestAnswerSentBeforeTheWriteFailedIsDelivered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := join(t, t.Context(), nil, nil)
		breakSend(j.b, gone)
		send(t, j.client, "a long upload")
		synctest.Wait()
		send(t, j.server, "413 too large, go away")
		wantReceive(t, j.client, "413 too large, go away", nil)
		sendEOF(t, j.server)
		wantReceive(t, j.client, "", trigo.ErrBroken) // and no end of file: the upload was lost
		j.wait()
		j.wantEnds(relay.WriteFailed, relay.EOF)
		j.wantError("b", errCable)
		if n := j.report.BToA.Bytes; n != 22 {
			t.Errorf("the report counts %d bytes of the answer, want 22", n)
		}
	})
}

func TestPeerThatSendsAllBeforeItReadsStillGetsTheAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var client *trigo.StapledStream
		j := join(t, t.Context(), nil, func(j *joint) (a, b trigo.Stream) {
			near, far := trigotest.NewLockstepPair()
			client = near
			return far, j.b
		})
		breakSend(j.b, gone)
		send(t, j.server, "413")
		go func() {
			synctest.Wait()
			sendEOF(t, j.server)
		}()
		send(t, client, strings.Repeat("x", 1<<20)) // all of it, and only then
		wantReceive(t, client, "413", trigo.ErrBroken)
		if took := j.wait(); took != 0 {
			t.Errorf("it took %v", took)
		}
		j.wantEnds(relay.WriteFailed, relay.EOF)
		if n := j.report.AToB.Bytes; n != 0 {
			t.Errorf("%d bytes counted as sent, want 0", n)
		}
	})
}

func TestFailureWhileTheAnswerIsSavedKeepsTheFirstCause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := join(t, t.Context(), nil, nil)
		breakSend(j.b, gone)
		send(t, j.client, "x")
		synctest.Wait()
		breakReceive(j.b, errors.New("second"))
		j.wait()
		j.wantEnds(relay.WriteFailed, relay.Broken)
		j.wantError("b", errCable)
	})
}

func TestWriteFailureAfterTheOtherDirectionEndedEndsTheRelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := join(t, t.Context(), nil, nil)
		sendEOF(t, j.server)
		wantReceive(t, j.client, "", io.EOF)
		breakSend(j.b, gone)
		send(t, j.client, "x")
		if took := j.wait(); took != 0 {
			t.Errorf("it took %v", took)
		}
		j.wantEnds(relay.WriteFailed, relay.EOF)
		j.wantError("b", errCable)
	})
}

func TestWaitForAnAnswerAfterAFailedWriteIsBoundedByLinger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := join(t, t.Context(), &relay.Options{Linger: 3 * time.Second}, nil)
		breakSend(j.b, gone)
		send(t, j.client, "x")
		if took := j.wait(); took != 3*time.Second {
			t.Errorf("it took %v, want 3s", took)
		}
		j.wantEnds(relay.WriteFailed, relay.Reaped)
		j.wantError("b", errCable)
		wantReceive(t, j.client, "", trigo.ErrBroken)
	})
}

// noHalfClose hides that a stream can end one half.
type noHalfClose struct{ trigo.Stream }

func TestStreamThatCannotHalfCloseIsClosedAfterTheOtherDirection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := join(t, t.Context(), nil, func(j *joint) (a, b trigo.Stream) { return j.a, noHalfClose{j.b} })
		send(t, j.client, "question")
		sendEOF(t, j.client)
		wantReceive(t, j.server, "question", nil)
		time.Sleep(time.Minute - 1)
		send(t, j.server, "answer")
		sendEOF(t, j.server)
		wantReceive(t, j.client, "answer", io.EOF)
		wantReceive(t, j.server, "", io.EOF)
		j.wait()
		if j.err != nil {
			t.Fatal(j.err)
		}
		j.wantEnds(relay.EOF, relay.EOF)
	})
}

// unsupported is a stream whose layers below cannot end one half.
type unsupported struct{ trigo.Stream }

func (unsupported) SendEOF(context.Context) error {
	return &trigo.OpError{Op: "send EOF", Err: errors.ErrUnsupported}
}

func TestUnsupportedHalfCloseIsNoFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := join(t, t.Context(), nil, func(j *joint) (a, b trigo.Stream) { return j.a, unsupported{j.b} })
		sendEOF(t, j.client)
		synctest.Wait()
		sendEOF(t, j.server)
		wantReceive(t, j.server, "", io.EOF)
		j.wait()
		if j.err != nil {
			t.Fatal(j.err)
		}
	})
}

// hungClose waits in Close for as long as it may.
type hungClose struct{ trigo.Stream }

func (h hungClose) Close(ctx context.Context) error {
	<-ctx.Done()
	h.Stream.Close(ctx)
	return &trigo.OpError{Op: "close", Layer: "hung", Err: trigo.CancelError(ctx)}
}

// hungBoth is hungClose that can be half-closed.
type hungBoth struct {
	hungClose
	trigo.HalfCloseableStream
}

func (h hungBoth) Close(ctx context.Context) error { return h.hungClose.Close(ctx) }

func TestHungCloseIsBoundedAndDoesNotHarmTheOtherSide(t *testing.T) {
	for timeout, want := range map[time.Duration]time.Duration{0: 5 * time.Second, time.Second: time.Second, -1: 0} {
		synctest.Test(t, func(t *testing.T) {
			j := join(t, t.Context(), &relay.Options{CloseTimeout: timeout}, func(j *joint) (a, b trigo.Stream) {
				return hungBoth{hungClose{j.a}, j.a}, hungBoth{hungClose{j.b}, j.b}
			})
			sendEOF(t, j.client)
			sendEOF(t, j.server)
			if took := j.wait(); took != want {
				t.Errorf("with %v it took %v, want %v", timeout, took, want)
			}
			if j.err != nil {
				t.Errorf("everything was delivered, but: %v", j.err)
			}
			if !errors.Is(j.report.Close, context.DeadlineExceeded) {
				t.Errorf("report.Close = %v", j.report.Close)
			}
		})
	}
}

func TestEndOfFileThatOnlyAFailedCloseCouldTellIsAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := join(t, t.Context(), nil, func(j *joint) (a, b trigo.Stream) { return j.a, hungClose{j.b} })
		sendEOF(t, j.client)
		sendEOF(t, j.server)
		if took := j.wait(); took != 5*time.Second {
			t.Errorf("it took %v", took)
		}
		j.wantEnds(relay.WriteFailed, relay.EOF)
		j.wantError("b", context.DeadlineExceeded)
	})
}

func TestCancelCutsAHungCloseShort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		j := join(t, ctx, nil, func(j *joint) (a, b trigo.Stream) { return j.a, hungBoth{hungClose{j.b}, j.b} })
		sendEOF(t, j.client)
		sendEOF(t, j.server)
		if took := j.wait(); took != 2*time.Second || j.err != nil {
			t.Errorf("it took %v and returned %v", took, j.err)
		}
	})
}

func TestSlowReaderIsNotSilent(t *testing.T) {
	// One buffer that takes far longer than the limit to be read, byte by byte.
	for name, opts := range map[string]*relay.Options{
		"half-open": {Linger: 10 * time.Second},
		"open":      {Idle: 10 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				j := joinPairs(t, t.Context(), trigotest.NewLockstepPair, opts, nil)
				if name == "half-open" {
					sendEOF(t, j.server)
				}
				text := "the quick brown fox jumps over the lazy dog"
				go func() {
					send(t, j.client, text)
					sendEOF(t, j.client)
				}()
				for i := range text {
					time.Sleep(9 * time.Second)
					wantReceive(t, j.server, text[i:i+1], nil)
				}
				wantReceive(t, j.server, "", io.EOF)
				if name == "open" {
					sendEOF(t, j.server)
				}
				j.wait()
				if j.err != nil {
					t.Fatal(j.err)
				}
			})
		})
	}
}

// Between two bytes of the answer both directions are interrupted, to ask the slow one.
func TestSlowAnswerAfterAFailedWriteIsNotSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := joinPairs(t, t.Context(), trigotest.NewLockstepPair, &relay.Options{Linger: 10 * time.Second},
			func(j *joint) (a, b trigo.Stream) { return j.a, failingSend{j.b} })
		send(t, j.client, "x")
		go func() {
			send(t, j.server, "413")
			sendEOF(t, j.server)
		}()
		for _, digit := range []string{"4", "1", "3"} {
			time.Sleep(9 * time.Second)
			send(t, j.client, "more, which is dropped")
			wantReceive(t, j.client, digit, nil)
		}
		wantReceive(t, j.client, "", trigo.ErrBroken)
		j.wait()
		j.wantEnds(relay.WriteFailed, relay.EOF)
	})
}

// failingSend is a stream that nothing can be sent to.
type failingSend struct{ trigo.HalfCloseableStream }

func (s failingSend) SendAll(context.Context, []byte) error {
	return &trigo.OpError{Op: "send", Err: gone}
}

// A stream may be one that another relay's direction is receiving from.
func TestRelayUnderTheCtxOfAnotherThatAsksIsCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var inner error
		j := joinPairs(t, t.Context(), trigotest.NewLockstepPair, &relay.Options{Idle: 10 * time.Second},
			func(j *joint) (a, b trigo.Stream) { return j.a, relaying{j.b, &inner} })
		go j.server.SendAll(t.Context(), []byte("abc")) // nobody takes it
		send(t, j.client, "x")
		j.wait()
		if !errors.Is(inner, context.Canceled) {
			t.Errorf("the inner relay returned %v, want that it was cancelled", inner)
		}
	})
}

// relaying is a stream that sends by a relay of its own, which does not end.
type relaying struct {
	trigo.HalfCloseableStream
	err *error
}

func (s relaying) SendAll(ctx context.Context, p []byte) error {
	_, x := trigotest.NewMemoryPair()
	y, _ := trigotest.NewMemoryPair()
	_, *s.err = relay.Run(ctx, x, y, nil)
	return &trigo.OpError{Op: "send", Err: *s.err}
}

func TestReaderThatStoppedIsReapedAndMustNotTakeItForAnEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := joinPairs(t, t.Context(), trigotest.NewLockstepPair, &relay.Options{Linger: 10 * time.Second}, nil)
		sendEOF(t, j.server)
		go j.client.SendAll(t.Context(), []byte(strings.Repeat("x", 100)))
		wantReceive(t, j.server, "xxx", nil)
		// The three bytes are found when the relay asks at 10s; at 20s there is nothing new.
		if took := j.wait(); took != 20*time.Second {
			t.Errorf("it took %v, want 20s", took)
		}
		j.wantEnds(relay.Reaped, relay.EOF)
		j.wantError("b", relay.ErrReaped)
		if j.report.AToB.Bytes != 3 {
			t.Errorf("%d bytes counted, want 3", j.report.AToB.Bytes)
		}
		wantReceive(t, j.server, "", trigo.ErrBroken)
	})
}

func TestBothReadersStoppedIsIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := joinPairs(t, t.Context(), trigotest.NewLockstepPair, &relay.Options{Idle: 10 * time.Second}, nil)
		go j.client.SendAll(t.Context(), make([]byte, 100))
		go j.server.SendAll(t.Context(), make([]byte, 100))
		if took := j.wait(); took != 10*time.Second {
			t.Errorf("it took %v, want 10s", took)
		}
		j.wantEnds(relay.Idle, relay.Idle)
		wantReceive(t, j.client, "", trigo.ErrBroken)
		wantReceive(t, j.server, "", trigo.ErrBroken)
	})
}

// mute is a stream whose errors do not say how much was sent.
type mute struct{ trigo.HalfCloseableStream }

func (m mute) Underlying() any { return m.HalfCloseableStream }

func (m mute) SendAll(ctx context.Context, p []byte) error {
	if err := m.HalfCloseableStream.SendAll(ctx, p); err != nil {
		return errors.Unwrap(err)
	}
	return nil
}

func TestStreamThatDoesNotSayWhatItSentIsNeverSentTheSameTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := joinPairs(t, t.Context(), trigotest.NewLockstepPair, &relay.Options{Idle: 10 * time.Second},
			func(j *joint) (a, b trigo.Stream) { return j.a, mute{j.b} })
		go j.client.SendAll(t.Context(), []byte("xyz"))
		go j.server.SendAll(t.Context(), []byte("abc"))
		wantReceive(t, j.server, "x", nil)
		wantReceive(t, j.client, "a", nil) // says so when asked, so there was no silence
		if took := j.wait(); took != 10*time.Second {
			t.Errorf("it took %v, want 10s", took)
		}
		j.wantEnds(relay.Idle, relay.Stopped)
		wantReceive(t, j.server, "", trigo.ErrBroken)
	})
}

// stuckEOF is a stream whose goodbye waits.
type stuckEOF struct{ trigo.HalfCloseableStream }

func (s stuckEOF) SendEOF(ctx context.Context) error {
	<-ctx.Done()
	return &trigo.OpError{Op: "send EOF", Err: trigo.CancelError(ctx)}
}

func TestStuckEndOfFileIsBoundedByLinger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := join(t, t.Context(), &relay.Options{Linger: 10 * time.Second},
			func(j *joint) (a, b trigo.Stream) { return j.a, stuckEOF{j.b} })
		sendEOF(t, j.client)
		time.Sleep(time.Second)
		send(t, j.server, "x")
		if took := j.wait(); took != 11*time.Second {
			t.Errorf("it took %v, want 11s", took)
		}
		j.wantEnds(relay.Reaped, relay.Reaped)
	})
}
