package trigotest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"trigo"
	"trigo/netstream"
)

// sweepRecorder takes down what a sweep has to say.
type sweepRecorder struct {
	recorder
	log string
}

func (r *sweepRecorder) Logf(format string, args ...any) { r.log = fmt.Sprintf(format, args...) }

// outside makes a run outside of any bubble.
func outside(f func()) { f() }

// pingPong is a scenario over a pair: a question, a longer answer, an end.
func pingPong(ctx context.Context, s *Sweep, a, b trigo.HalfCloseableStream) error {
	s.Peer(func(ctx context.Context) error {
		question, err := receiveN(ctx, b, 5)
		if err != nil {
			return err
		}
		return b.SendAll(ctx, []byte("the answer to "+string(question)))
	})
	if err := a.SendAll(ctx, []byte("hello")); err != nil {
		return err
	}
	if _, err := receiveN(ctx, a, 19); err != nil {
		return err
	}
	if err := a.WaitSendAllMightNotBlock(ctx); err != nil {
		return err
	}
	return a.SendEOF(ctx)
}

func receiveN(ctx context.Context, r trigo.ReceiveStream, n int) ([]byte, error) {
	var got []byte
	for len(got) < n {
		p, err := receiveSome(ctx, r, make([]byte, n-len(got)))
		if err != nil {
			return nil, err
		}
		got = append(got, p...)
	}
	return got, nil
}

// waitless is a lockstep stream without the wait that nobody here would end.
func waitless(s trigo.HalfCloseableStream) *broken {
	return &broken{HalfCloseableStream: s, wait: func(ctx context.Context) error { return trigo.CancelError(ctx) }}
}

func TestASoundStreamPassesTheSweep(t *testing.T) {
	for name, scenario := range map[string]func(context.Context, *Sweep) error{
		"memory": func(ctx context.Context, s *Sweep) error {
			x, y := NewMemoryPair()
			a, b := s.Usable(s.Wrap(x), s.Wrap(y))
			return pingPong(ctx, s, a, b)
		},
		"lockstep": func(ctx context.Context, s *Sweep) error {
			x, y := NewLockstepPair()
			a, b := s.Usable(s.Wrap(waitless(x)), s.Wrap(waitless(y)))
			return pingPong(ctx, s, a, b)
		},
		"one way": func(ctx context.Context, s *Sweep) error {
			x, y := NewLockstepOneWayPair()
			send, receive := s.UsableOneWay(s.WrapSend(x), s.WrapReceive(y))
			s.Peer(func(ctx context.Context) error { _, err := receiveN(ctx, receive, 3); return err })
			return send.SendAll(ctx, []byte("abc"))
		},
		"without an end of file": func(ctx context.Context, s *Sweep) error {
			x, y := NewMemoryPair()
			a, b := s.Usable(s.Wrap(struct{ trigo.Stream }{x}), s.Wrap(struct{ trigo.Stream }{y}))
			if err := a.SendAll(ctx, []byte("abc")); err != nil {
				return err
			}
			_, err := receiveN(ctx, b, 3)
			return err
		},
		"closed": func(ctx context.Context, s *Sweep) error {
			x, y := NewMemoryPair()
			a := s.Wrap(x)
			s.Closed(a)
			s.Close(y)
			err := a.SendAll(ctx, []byte("x"))
			return errors.Join(err, a.Close(ctx))
		},
	} {
		t.Run(name, func(t *testing.T) {
			SweepCancel(t, scenario, &SweepOptions{Bubble: true})
			SweepCancel(t, scenario, nil)
		})
	}
}

// badStreams are streams that go wrong only when they are cancelled, each over
// a sound one.
var badStreams = []struct {
	what    string
	finding string
	make    func(good trigo.HalfCloseableStream, hang chan struct{}) trigo.HalfCloseableStream
}{
	{"loses a byte on a cancelled receive", "lost or doubled", func(good trigo.HalfCloseableStream, _ chan struct{}) trigo.HalfCloseableStream {
		return &broken{HalfCloseableStream: good, receive: func(ctx context.Context, p []byte) (int, error) {
			n, err := good.ReceiveSome(ctx, p[:1])
			if err != nil || len(p) == 1 {
				return n, err
			}
			more, err := good.ReceiveSome(ctx, p[1:])
			if err != nil && err != io.EOF {
				return 0, err
			}
			return n + more, nil
		}}
	}},
	{"leaks a goroutine", "left is goroutine", func(good trigo.HalfCloseableStream, hang chan struct{}) trigo.HalfCloseableStream {
		return &broken{HalfCloseableStream: good, send: func(ctx context.Context, p []byte) error {
			err := good.SendAll(ctx, p)
			if err != nil {
				go func() { <-hang }()
			}
			return err
		}}
	}},
	{"stays locked after a cancelled send", "not usable", func(good trigo.HalfCloseableStream, _ chan struct{}) trigo.HalfCloseableStream {
		var locked atomic.Bool
		return &broken{HalfCloseableStream: good, send: func(ctx context.Context, p []byte) error {
			if !locked.CompareAndSwap(false, true) {
				return trigo.ErrBusy
			}
			if err := good.SendAll(ctx, p); err != nil {
				return err // and forgets the lock
			}
			locked.Store(false)
			return nil
		}}
	}},
	{"reports EOF after a cancel", "the end of file came before", func(good trigo.HalfCloseableStream, _ chan struct{}) trigo.HalfCloseableStream {
		var ended atomic.Bool
		return &broken{HalfCloseableStream: good, receive: func(ctx context.Context, p []byte) (int, error) {
			if ended.Load() {
				return 0, io.EOF
			}
			n, err := good.ReceiveSome(ctx, p)
			if err != nil {
				ended.Store(true)
			}
			return n, err
		}}
	}},
}

func TestTheSweepFindsBadStreams(t *testing.T) {
	for _, bad := range badStreams {
		t.Run(bad.what, func(t *testing.T) {
			t.Run("in a bubble", func(t *testing.T) {
				var hang chan struct{}
				inBubble := func(f func()) {
					synctest.Test(t, func(t *testing.T) {
						hang = make(chan struct{})
						f()
						close(hang)
					})
				}
				wantFinding(t, bad.finding, inBubble, func(ctx context.Context, s *Sweep) error {
					x, y := NewMemoryPair()
					a, b := s.Usable(bad.make(s.Wrap(x), hang), s.Wrap(y))
					return pingPong(ctx, s, a, b)
				}, &SweepOptions{Bubble: true})
			})
			t.Run("over sockets", func(t *testing.T) {
				hang := make(chan struct{})
				defer close(hang)
				wantFinding(t, bad.finding, outside, func(ctx context.Context, s *Sweep) error {
					x, y, err := tcpPair()
					if err != nil {
						return err
					}
					a, b := s.Usable(bad.make(s.Wrap(x), hang), s.Wrap(y))
					return pingPong(ctx, s, a, b)
				}, &SweepOptions{Patience: 200 * time.Millisecond})
			})
		})
	}
}

func wantFinding(t *testing.T, finding string, inside func(func()), scenario func(context.Context, *Sweep) error, opts *SweepOptions) {
	t.Helper()
	rec := &sweepRecorder{}
	sweepCancel(rec, inside, scenario, opts)
	text := strings.Join(rec.failures, "\n")
	if !strings.Contains(text, finding) {
		t.Errorf("the sweep reports %q, want something with %q", text, finding)
	}
	if strings.Contains(text, "without a cancel: ") {
		t.Errorf("it failed without a cancel: %s", text)
	}
}

// tcpPair makes two connected sockets, not under the scenario's ctx.
func tcpPair() (a, b *netstream.Stream, err error) {
	ctx := context.Background()
	ls, err := netstream.ListenTCP(ctx, "127.0.0.1:0", nil)
	if err != nil {
		return nil, nil, err
	}
	defer trigo.CloseForcefully(ls[0])
	if a, err = netstream.DialTCP(ctx, ls[0].Addr().String(), nil); err != nil {
		return nil, nil, err
	}
	b, err = ls[0].Accept(ctx)
	return a, b, err
}

// framed is a layer that puts a length before what it sends, and has no idea of
// how to go on after half a frame.
type framed struct{ trigo.HalfCloseableStream }

func (f framed) SendAll(ctx context.Context, p []byte) error {
	return f.HalfCloseableStream.SendAll(ctx, append([]byte{byte(len(p))}, p...))
}

func (f framed) ReceiveSome(ctx context.Context, p []byte) (int, error) {
	head, err := receiveN(ctx, f.HalfCloseableStream, 1)
	if err != nil {
		return 0, err
	}
	body, err := receiveN(ctx, f.HalfCloseableStream, int(head[0]))
	return copy(p, body), err
}

func TestTheSweepCancelsInTheMiddleOfAnInnerSend(t *testing.T) {
	rec := &sweepRecorder{}
	sweepCancel(rec, func(f func()) { synctest.Test(t, func(*testing.T) { f() }) }, func(ctx context.Context, s *Sweep) error {
		x, y := NewMemoryPair()
		a, b := s.Usable(framed{s.Wrap(x)}, framed{s.Wrap(y)})
		if err := a.SendAll(ctx, []byte("text")); err != nil {
			return err
		}
		got := make([]byte, 100)
		s.Check(func(ctx context.Context) error { _, err := b.ReceiveSome(ctx, got); return err })
		return nil
	}, &SweepOptions{Bubble: true})
	if text := strings.Join(rec.failures, "\n"); !strings.Contains(text, "in the middle of SendAll of 5 bytes on") {
		t.Errorf("the sweep reports %q", text)
	}
}

func TestAScenarioIsJudged(t *testing.T) {
	own := errors.New("own failure")
	look := func(ctx context.Context) bool { return ctx.Err() != nil }
	for _, c := range []struct {
		name, finding string
		scenario      func(ctx context.Context, s *Sweep) error
	}{
		{"fails", "without a cancel: the scenario failed: own failure", func(context.Context, *Sweep) error { return own }},
		{"has no points", "no points", func(context.Context, *Sweep) error { return nil }},
		{"fails when cancelled", "cancelled at point 1 of 1, at a look at ctx.Err: the scenario failed with more than a cancellation: own failure", func(ctx context.Context, _ *Sweep) error {
			if look(ctx) {
				return own
			}
			return nil
		}},
		{"forgets the cause", "lost the cause", func(ctx context.Context, _ *Sweep) error { return ctx.Err() }},
		{"hangs when cancelled", "the scenario is still waiting after 1m", func(ctx context.Context, s *Sweep) error {
			x, y := NewMemoryPair()
			s.Close(x)
			s.Close(y)
			if look(ctx) {
				x.ReceiveSome(context.Background(), make([]byte, 1))
			}
			return nil
		}},
		{"fails its check", "check: own failure", func(ctx context.Context, s *Sweep) error {
			if look(ctx) {
				s.Check(func(context.Context) error { return own })
			}
			return nil
		}},
		{"leaves open what it promised to close", "SendAll of a stream that was promised to be closed: got <nil>", func(ctx context.Context, s *Sweep) error {
			x, y := NewMemoryPair()
			s.Close(y)
			s.Closed(x)
			if look(ctx) {
				return nil
			}
			return x.Close(ctx)
		}},
		{"receives what nobody sent", "lost or doubled: 0 were sent, and 1 received", func(ctx context.Context, s *Sweep) error {
			x, y := NewMemoryPair()
			a, b := s.Tracked(&broken{HalfCloseableStream: x, receive: func(context.Context, []byte) (int, error) { return 1, nil }}, y)
			s.Close(b)
			if look(ctx) {
				a.ReceiveSome(ctx, make([]byte, 1))
			}
			return nil
		}},
		{"goes another way every time", "none of 3 points was reached again", func() func(ctx context.Context, s *Sweep) error {
			first := true
			return func(ctx context.Context, s *Sweep) error {
				if first {
					first = false
					s.Call("this", func() error { return nil })
				}
				return nil
			}
		}()},
	} {
		t.Run(c.name, func(t *testing.T) {
			rec := &sweepRecorder{}
			sweepCancel(rec, func(f func()) { synctest.Test(t, func(*testing.T) { f() }) }, c.scenario, &SweepOptions{Bubble: true, Patience: time.Minute})
			if text := strings.Join(rec.failures, "\n"); !strings.Contains(text, c.finding) {
				t.Errorf("the sweep reports %q, want something with %q", text, c.finding)
			}
		})
	}
}

func TestTheSweepCancelsACallWhileItWaits(t *testing.T) {
	for name, opts := range map[string]*SweepOptions{"in a bubble": {Bubble: true}, "outside": nil} {
		t.Run(name, func(t *testing.T) {
			woken := 0
			SweepCancel(t, func(ctx context.Context, s *Sweep) error {
				done := ctx.Done() // from here on nobody looks at the ctx
				return s.Call("a wait", func() error {
					over := time.NewTimer(50 * time.Millisecond)
					defer over.Stop()
					select {
					case <-done:
						woken++
						return trigo.CancelError(ctx)
					case <-over.C:
						return nil
					}
				})
			}, opts)
			if woken != 3 { // at the first look, before the wait, and in it
				t.Errorf("the wait was cut short in %d runs, want 3", woken)
			}
		})
	}
}

func TestALimitedSweepIsSpreadEvenly(t *testing.T) {
	for _, c := range []struct {
		limit, n int
		want     string
	}{
		{10, 3, "[0 1 2]"},
		{5, 100, "[0 20 40 60 80]"},
		{1, 7, "[0]"},
	} {
		if got := fmt.Sprint((&SweepOptions{Limit: c.limit}).targets(c.n)); got != c.want {
			t.Errorf("%d of %d: %s, want %s", c.limit, c.n, got, c.want)
		}
	}
}
