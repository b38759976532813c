package proxy_test

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"

	"trigo"
	"trigo/proxy"
	"trigo/trigotest"
)

// pieces runs f with a pair of streams in memory: once as they are, once such
// that every byte comes alone.
func pieces(t *testing.T, f func(t *testing.T, a, b trigo.Stream)) {
	for name, chunk := range map[string]bool{"whole": false, "byte by byte": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				x, y := trigotest.NewMemoryPair()
				var a, b trigo.Stream = x, y
				if chunk {
					a, b = single{x}, single{y}
				}
				defer trigo.CloseForcefully(a)
				defer trigo.CloseForcefully(b)
				f(t, a, b)
			})
		})
	}
}

// single is a stream that hands out one byte at a time.
type single struct{ trigo.HalfCloseableStream }

func (s single) ReceiveSome(ctx context.Context, p []byte) (int, error) {
	return s.HalfCloseableStream.ReceiveSome(ctx, p[:min(1, len(p))])
}

func (s single) String() string { return "single" }

// answered plays the other side: it sends text at once, and the end if asked
// to.
func answered(t *testing.T, s trigo.Stream, text string, end bool) {
	t.Helper()
	if err := s.SendAll(t.Context(), []byte(text)); err != nil {
		t.Fatal(err)
	}
	if end {
		if err := s.(trigo.HalfCloseableStream).SendEOF(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// rest ends the direction from "from" to "to", and returns what is left in it.
func rest(t *testing.T, from, to trigo.Stream) string {
	t.Helper()
	if err := from.(trigo.HalfCloseableStream).SendEOF(t.Context()); err != nil {
		t.Fatal(err)
	}
	var all []byte
	for chunk, err := range trigo.Chunks(t.Context(), to) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, chunk...)
	}
	return string(all)
}

// wantFailure wants an *OpError of the operation and of all the kinds.
func wantFailure(t *testing.T, err error, op string, kinds ...error) {
	t.Helper()
	var o *trigo.OpError
	if !errors.As(err, &o) || o.Op != op {
		t.Errorf("got %v, want an OpError of %q", err, op)
	}
	for _, kind := range kinds {
		if !errors.Is(err, kind) {
			t.Errorf("got %v, want it to be %v", err, kind)
		}
	}
	if errors.Is(err, io.EOF) {
		t.Errorf("%v is io.EOF", err)
	}
}

func wantRefused(t *testing.T, err error, code int, reason string) *proxy.RefusedError {
	t.Helper()
	var r *proxy.RefusedError
	if !errors.Is(err, proxy.ErrRefused) || !errors.As(err, &r) {
		t.Fatalf("got %v, want a refusal", err)
	}
	if r.Code != code || r.Reason != reason {
		t.Errorf("refused with %d %q, want %d %q", r.Code, r.Reason, code, reason)
	}
	return r
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
