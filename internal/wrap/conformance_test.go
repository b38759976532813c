package wrap

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"trigo"
	"trigo/trigotest"
)

var kinds = map[string]func(s trigo.Stream) trigo.HalfCloseableStream{
	"count": func(s trigo.Stream) trigo.HalfCloseableStream { return Count(s) },
	"tap":   func(s trigo.Stream) trigo.HalfCloseableStream { return Tap(s, io.Discard, nil) },
	"rate":  func(s trigo.Stream) trigo.HalfCloseableStream { return Rate(s, 1<<20, 0) },
	"steps": func(s trigo.Stream) trigo.HalfCloseableStream { return Rate(s, 1<<24, 1<<12) },
	"idle":  func(s trigo.Stream) trigo.HalfCloseableStream { return Idle(s, time.Hour) },
	"life":  func(s trigo.Stream) trigo.HalfCloseableStream { return Life(s, 1000*time.Hour) },
}

type pairs = func() (a, b *trigo.StapledStream)

func TestEveryKindConforms(t *testing.T) {
	for name, over := range kinds {
		t.Run(name, func(t *testing.T) {
			maker := func(pair pairs) trigotest.StreamMaker[trigo.HalfCloseableStream] {
				return func(context.Context) (a, b trigo.HalfCloseableStream, err error) {
					x, y := pair()
					return over(x), over(y), nil
				}
			}
			pair := trigotest.NewMemoryPair
			if name == "tap" { // the checks send many MiB into what never waits, which would all be written down
				pair = trigotest.NewLockstepPair
			}
			trigotest.CheckHalfCloseableStream(t, maker(pair), maker(trigotest.NewLockstepPair), &trigotest.CheckOptions{Bubble: true})
		})
	}
}

// oneWay hides SendEOF.
type oneWay struct{ trigo.Stream }

func TestNoKindInventsAHalfClose(t *testing.T) {
	for name, over := range kinds {
		t.Run(name, func(t *testing.T) {
			x, y := trigotest.NewMemoryPair()
			defer y.Close(t.Context())
			s := over(oneWay{x})
			defer s.Close(t.Context())
			if err := s.SendEOF(t.Context()); !errors.Is(err, errors.ErrUnsupported) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestEveryKindShowsWhatIsBelow(t *testing.T) {
	for name, over := range kinds {
		t.Run(name, func(t *testing.T) {
			x, y := trigotest.NewMemoryPair()
			defer y.Close(t.Context())
			s := over(x)
			defer s.Close(t.Context())
			if below, ok := trigo.As[*trigo.StapledStream](s); !ok || below != x {
				t.Error("the stream below is hidden")
			}
		})
	}
}

func TestAbortPasses(t *testing.T) {
	for name, over := range kinds {
		t.Run(name, func(t *testing.T) {
			x, y := trigotest.NewMemoryPair()
			defer y.Close(t.Context())
			if err := trigo.Abort(over(x)); err != nil {
				t.Fatal(err)
			}
			if _, err := y.ReceiveSome(t.Context(), make([]byte, 1)); !errors.Is(err, trigo.ErrBroken) {
				t.Errorf("the peer got %v", err)
			}
		})
	}
}

func receive(ctx context.Context, s trigo.ReceiveStream, n int) error {
	for n > 0 {
		k, err := s.ReceiveSome(ctx, make([]byte, n))
		if err != nil {
			return err
		}
		n -= k
	}
	return nil
}

// The one that waits most is swept with pieces of 7 bytes.
func TestSweep(t *testing.T) {
	for name, over := range kinds {
		if name == "steps" {
			over = func(s trigo.Stream) trigo.HalfCloseableStream { return Rate(s, 1000, 7) }
		}
		t.Run(name, func(t *testing.T) {
			trigotest.SweepCancel(t, func(ctx context.Context, s *trigotest.Sweep) error {
				x, y := trigotest.NewLockstepPair()
				a, b := s.Usable(over(s.Wrap(x)), y)
				s.Peer(func(ctx context.Context) error {
					for range 3 {
						if err := receive(ctx, b, 23); err != nil {
							return err
						}
						if err := b.SendAll(ctx, []byte("yes")); err != nil {
							return err
						}
					}
					return nil
				})
				for range 3 {
					if err := a.SendAll(ctx, []byte("hello, is there anybody")); err != nil {
						return err
					}
					if err := receive(ctx, a, 3); err != nil {
						return err
					}
				}
				return nil
			}, &trigotest.SweepOptions{Bubble: true})
		})
	}
}
