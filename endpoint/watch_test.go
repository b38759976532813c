package endpoint

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"trigo"
	"trigo/internal/fault"
	"trigo/internal/wrap"
)

func TestRateLimitsIdleAndLifeKeepTheirTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		open := func(text string) trigo.Stream {
			s, err := parsed(t, "%s", text).Dial(ctx, nil)
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
		began := time.Now()
		if err := open("rate=1MB/s,burst=1k+discard").SendAll(ctx, make([]byte, 10<<20)); err != nil {
			t.Error(err)
		}
		if took := time.Since(began).Round(time.Second); took != 10*time.Second {
			t.Errorf("10 MB at 1 MB/s took %v", took)
		}
		for text, want := range map[string]error{"idle=5s+echo": wrap.ErrIdle, "life=7s+echo": wrap.ErrLife} {
			s := open(text)
			began := time.Now()
			if _, err := s.ReceiveSome(ctx, make([]byte, 1)); !errors.Is(err, want) {
				t.Errorf("%s: %v", text, err)
			}
			if took := time.Since(began); took != map[error]time.Duration{wrap.ErrIdle: 5 * time.Second, wrap.ErrLife: 7 * time.Second}[want] {
				t.Errorf("%s: after %v", text, took)
			}
			s.Close(ctx)
		}
	})
}

func TestATapWritesDownWhatPasses(t *testing.T) {
	for form, want := range map[string]string{"tap": "hello", "tap=text": "hello", "tap=hex": "68 65 6c 6c 6f"} {
		var out bytes.Buffer
		s := dial(t, &Options{Tap: &out}, "%s+discard", form)
		if err := s.SendAll(t.Context(), []byte("hello")); err != nil {
			t.Error(err)
		}
		if !bytes.Contains(out.Bytes(), []byte(want)) || !bytes.Contains(out.Bytes(), []byte("discard> ")) {
			t.Errorf("%s writes %q", form, out.String())
		}
	}
}

func TestCountersAreFoundByType(t *testing.T) {
	s := dial(t, &Options{Tap: io.Discard}, "tap+count+discard")
	if err := s.SendAll(t.Context(), []byte("hello")); err != nil {
		t.Error(err)
	}
	if c, ok := trigo.As[*wrap.Counted](s); !ok || c.Sent() != 5 {
		t.Errorf("%v, %v", c, ok)
	}
}

func TestFaultsComeToPlan(t *testing.T) {
	s := dial(t, nil, "fault,seed=7,bandwidth=1GB/s,chunk=1-10k,send.reset@1.5k+zero")
	err := s.SendAll(t.Context(), make([]byte, 2048))
	var op *trigo.OpError
	if !errors.Is(err, fault.ErrInjected) || !errors.As(err, &op) || op.N != 1536 {
		t.Error(err)
	}
}

func TestOpeningUnderADeadCtxPutsNothingOn(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	r, err := parsed(t, "count+echo").Prepare(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if s, err := r.Dial(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, %v", s, err)
	}
	if _, err := r.Endpoint().Prepare(ctx, nil); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if err := r.Reload(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
