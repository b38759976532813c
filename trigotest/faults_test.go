package trigotest

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
)

func TestPlansOfFaultsAreReadAndWritten(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", ""},
		{"seed=7,delay=20ms,jitter=10ms,chunk=1,stall@1MB,reset@1MB,cut@64KB,flip@10,bandwidth=1MB/s",
			"seed=7,delay=20ms,jitter=10ms,chunk=1,bandwidth=1MB/s,stall@1MB,reset@1MB,cut@64KB,flip@10"},
		{" chunk=2-3KB , send.flip@0,receive.flip@1024,flip@5,", "chunk=2-3KB,send.flip@0,receive.flip@1KB,flip@5"},
		{"bandwidth=1000/s,cut@1gb", "bandwidth=1000/s,cut@1GB"},
	} {
		for _, text := range []string{c.text, c.want} { // what is written can be read
			p, err := ParseFaults(text)
			if err != nil {
				t.Errorf("%q: %v", text, err)
			} else if p.String() != c.want {
				t.Errorf("%q: got %q, want %q", text, p, c.want)
			}
		}
	}
	for _, c := range []struct{ text, fault string }{
		{"nonsense", `fault "nonsense": no such fault`},
		{"seed=x", "a seed is a number"},
		{"delay=20", "a time such as 20ms"},
		{"delay=-1s", "a time such as 20ms"},
		{"chunk=0", "at least 1"},
		{"chunk=5-2", "smaller number"},
		{"bandwidth=0", "is a stall"},
		{"reset@", "a number of bytes"},
		{"reset@-1", "a number of bytes"},
		{"reset@9999999999GB", "a number of bytes"},
		{"explode@1", "stall, reset, cut or flip"},
		{"up.reset@1", "send or receive"},
		{"delay=1s,delay=2s", "given twice"},
	} {
		if _, err := ParseFaults(c.text); err == nil || !strings.Contains(err.Error(), c.fault) {
			t.Errorf("%q: got %v, want: %s", c.text, err, c.fault)
		}
	}
}

// faulty makes a pair of which a is faulty.
func faulty(t *testing.T, plan string) (a *FaultyStream, b *trigo.StapledStream) {
	x, b := NewMemoryPair()
	return InjectFaults(t, x, plan), b
}

func TestDelayAndBandwidthTakeTheirTime(t *testing.T) {
	for plan, want := range map[string]time.Duration{
		"delay=20ms":                    20 * time.Millisecond,
		"delay=20ms,chunk=10":           200 * time.Millisecond,
		"bandwidth=50/s":                1980 * time.Millisecond, // the last byte waits for the 99 before it
		"bandwidth=50/s,delay=50ms":     5 * time.Second,
		"bandwidth=1MB/s,chunk=50":      50 * time.Second / (1 << 20),
		"seed=3,jitter=1s,chunk=1-1":    0, // some
		"chunk=1,seed=1":                0,
		"chunk=1-7,seed=9,delay=1000ns": 0,
	} {
		t.Run(plan, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, b := faulty(t, plan)
				began := time.Now()
				wantErr(t, "send", a.SendAll(t.Context(), bytes.Repeat([]byte("x"), 100)), nil)
				took := time.Since(began)
				if want != 0 && (took < want || took > want+time.Microsecond) {
					t.Errorf("took %v, want %v", took, want)
				}
				if strings.Contains(plan, "jitter") && (took < 10*time.Second || took > 90*time.Second) {
					t.Errorf("100 jitters of up to 1s took %v", took)
				}
				wantReceived(t, b, 1000, strings.Repeat("x", 100), nil)
			})
		})
	}
}

func TestChunksCutBothDirections(t *testing.T) {
	a, b := faulty(t, "chunk=3")
	b.SendAll(t.Context(), []byte("abcdefgh"))
	for _, want := range []string{"abc", "def", "gh"} {
		wantReceived(t, a, 10, want, nil)
	}
	sends := 0
	send := b.Receive.(*MemoryReceiveStream)
	x := trigo.Staple(&broken{send: func(context.Context, []byte) error { sends++; return nil }}, send)
	f := InjectFaults(t, x, "chunk=3")
	wantErr(t, "send", f.SendAll(t.Context(), []byte("abcdefgh")), nil)
	if sends != 3 {
		t.Errorf("%d sends, want 3", sends)
	}
}

func TestFlippedByteIsTheOnlyOne(t *testing.T) {
	a, b := faulty(t, "send.flip@2,receive.flip@0,chunk=2")
	sent := []byte("abcd")
	wantErr(t, "send", a.SendAll(t.Context(), sent), nil)
	if string(sent) != "abcd" {
		t.Errorf("the caller's slice was changed to %q", sent)
	}
	wantReceived(t, b, 10, "ab\x9cd", nil)
	b.SendAll(t.Context(), []byte("abc"))
	wantReceived(t, a, 10, "\x9eb", nil)
	wantReceived(t, a, 10, "c", nil)
}

func TestResetComesAfterExactlySoManyBytes(t *testing.T) {
	a, b := faulty(t, "send.reset@3")
	err := a.SendAll(t.Context(), []byte("abcdef"))
	wantErr(t, "send", err, trigo.ErrBroken)
	wantErr(t, "send", err, ErrInjected)
	wantN(t, "send", err, 3)
	wantErr(t, "send again", a.SendAll(t.Context(), nil), trigo.ErrBroken)
	wantReceived(t, a, 1, "", trigo.ErrBroken)
	wantReceived(t, b, 10, "", trigo.ErrBroken)
	wantErr(t, "wait", a.WaitSendAllMightNotBlock(t.Context()), nil)
	wantErr(t, "close", a.Close(t.Context()), nil)
	wantErr(t, "send when closed", a.SendAll(t.Context(), nil), trigo.ErrClosed)
}

func TestCutLooksLikeAnEndToBothSides(t *testing.T) {
	a, b := faulty(t, "receive.cut@3")
	b.SendAll(t.Context(), []byte("abcdef"))
	wantReceived(t, a, 10, "abc", nil)
	for range 2 {
		wantReceived(t, a, 10, "", io.EOF)
	}
	wantErr(t, "send", a.SendAll(t.Context(), []byte("x")), trigo.ErrBroken)
	wantErr(t, "SendEOF", a.SendEOF(t.Context()), trigo.ErrBroken)
	wantReceived(t, b, 10, "", io.EOF)
}

// Whoever waits in the other direction did not close the stream, and is not told so.
func TestAResetWakesBothDirectionsAsSuch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x, y := NewLockstepPair()
		s := InjectFaults(t, x, "receive.reset@0")
		sent, waited := make(chan error, 1), make(chan error, 1)
		go func() { sent <- s.SendAll(t.Context(), []byte("nobody receives this")) }()
		synctest.Wait()
		if _, err := s.ReceiveSome(t.Context(), make([]byte, 1)); !errors.Is(err, ErrInjected) {
			t.Errorf("receive: %v", err)
		}
		if err := <-sent; !errors.Is(err, trigo.ErrBroken) || !errors.Is(err, ErrInjected) || errors.Is(err, trigo.ErrClosed) {
			t.Errorf("send: %v", err)
		}

		x, z := NewLockstepPair()
		s = InjectFaults(t, x, "receive.reset@0")
		go func() { waited <- s.WaitSendAllMightNotBlock(t.Context()) }()
		synctest.Wait()
		s.ReceiveSome(t.Context(), make([]byte, 1))
		if err := <-waited; err != nil {
			t.Errorf("wait to send: %v", err)
		}
		for _, end := range []trigo.Resource{s, y, z} {
			end.Close(t.Context())
		}
	})
}

func TestStallEndsWithACancelOrAClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := faulty(t, "send.stall@2")
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		err := a.SendAll(ctx, []byte("abc"))
		wantErr(t, "send", err, context.DeadlineExceeded)
		wantN(t, "send", err, 2)
		wantReceived(t, b, 10, "ab", nil)

		done := background(func() error { return a.SendAll(t.Context(), []byte("c")) })
		synctest.Wait()
		b.SendAll(t.Context(), []byte("still")) // the other direction is not stalled
		wantReceived(t, a, 10, "still", nil)
		a.Close(t.Context())
		wantErr(t, "send", <-done, trigo.ErrClosed)
	})
}

func TestTheSameSeedFailsTheSameWay(t *testing.T) {
	times := func(seed string) (all []time.Duration) {
		synctest.Test(t, func(t *testing.T) {
			a, _ := faulty(t, "jitter=1s,chunk=1-10,"+seed)
			began := time.Now()
			for range 20 {
				a.SendAll(t.Context(), make([]byte, 30))
				all = append(all, time.Since(began))
			}
		})
		return all
	}
	one, same, other := times("seed=1"), times("seed=1"), times("seed=2")
	differ := false
	for i := range one {
		if one[i] != same[i] {
			t.Fatalf("at %d: %v and %v with the same seed", i, one[i], same[i])
		}
		differ = differ || one[i] != other[i]
	}
	if !differ {
		t.Error("another seed makes no difference")
	}
}

func TestAFaultThatNeverFiredFailsTheTest(t *testing.T) {
	p, err := ParseFaults("chunk=3,reset@1MB,flip@0")
	if err != nil {
		t.Fatal(err)
	}
	x, y := NewMemoryPair()
	a, b := p.Wrap(x), p.Wrap(y)
	a.SendAll(t.Context(), []byte("abcdef"))
	if got, want := a.Report().String(), "chunk=3: once, reset@1MB: never, flip@0: once"; got != want {
		t.Errorf("report: %s, want %s", got, want)
	}
	rec := &recorder{}
	checkFired(rec, a, b)
	if len(rec.failures) != 1 || rec.failures[0] != "the fault reset@1MB was planned and never fired" {
		t.Errorf("failures: %q", rec.failures)
	}
}

// Faults that only slow down leave a stream a stream.
func TestFaultyStreamsConform(t *testing.T) {
	plan, err := ParseFaults("seed=1,chunk=1-1000,delay=1us,jitter=3us")
	if err != nil {
		t.Fatal(err)
	}
	pair := func(context.Context) (a, b *FaultyStream, err error) {
		x, y := NewMemoryPair()
		return plan.Wrap(x), plan.Wrap(y), nil
	}
	CheckHalfCloseableStream(t, pair, nil, bubble)
}

func TestACancelledCallLeavesAFaultyStreamUsable(t *testing.T) {
	SweepCancel(t, func(ctx context.Context, s *Sweep) error {
		x, y := NewMemoryPair()
		plan, err := ParseFaults("chunk=2,delay=1ms,jitter=1ms")
		if err != nil {
			return err
		}
		a, b := s.Usable(plan.Wrap(s.Wrap(x)), plan.Wrap(s.Wrap(y)))
		return pingPong(ctx, s, a, b)
	}, &SweepOptions{Bubble: true})
}

func TestFaultsOnARealSocket(t *testing.T) {
	x, b, err := tcpPair()
	if err != nil {
		t.Fatal(err)
	}
	defer trigo.CloseForcefully(b)
	a := InjectFaults(t, x, "chunk=7,delay=100us,send.flip@1,receive.reset@5")
	defer trigo.CloseForcefully(a)
	wantErr(t, "send", a.SendAll(t.Context(), []byte("0123456789")), nil)
	if got, err := receiveN(t.Context(), b, 10); err != nil || string(got) != "0\xce23456789" {
		t.Errorf("received %q, %v", got, err)
	}
	wantErr(t, "send", b.SendAll(t.Context(), []byte("012345")), nil)
	if got, err := receiveN(t.Context(), a, 5); err != nil || string(got) != "01234" {
		t.Errorf("received %q, %v", got, err)
	}
	wantReceived(t, a, 1, "", trigo.ErrBroken)
	_, err = b.ReceiveSome(t.Context(), make([]byte, 1))
	if !errors.Is(err, trigo.ErrBroken) {
		t.Errorf("the peer of a reset got %v", err)
	}
}
