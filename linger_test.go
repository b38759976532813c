package trigo_test

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"trigo"
)

func TestLingeringCloseWaitsForThePeersEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		peer, s := newPair()
		wantNil(t, "reply", s.SendAll(t.Context(), []byte("reply")))
		done := async(func() error { return trigo.LingeringClose(t.Context(), s) })
		for range 20 { // the peer is still sending, more than any buffer holds
			wantNil(t, "peer sends", peer.SendAll(t.Context(), []byte("unwanted")))
		}
		pending(t, "lingering", done)
		if isClosed(s.closed) {
			t.Error("closed before the peer ended")
		}
		p := make([]byte, 9)
		if n, err := peer.ReceiveSome(t.Context(), p); string(p[:n]) != "reply" || err != nil {
			t.Errorf("peer received %q, %v", p[:n], err)
		}
		if _, err := peer.ReceiveSome(t.Context(), p); err != io.EOF {
			t.Errorf("peer received %v, want EOF", err)
		}
		peer.end()
		wantNil(t, "lingering", over(t, "lingering", done))
		if !isClosed(s.closed) || s.forceful {
			t.Errorf("closed: %v, forcefully: %v", isClosed(s.closed), s.forceful)
		}
	})
}

func TestLingeringCloseIsBoundedByItsCtx(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, s := newPair()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		wantIs(t, "lingering", trigo.LingeringClose(ctx, s), context.DeadlineExceeded)
		wantClosedForcefully(t, s)
	})
}

func TestLingeringCloseWithADeadCtxCloses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, s := newPair()
		wantIs(t, "lingering", trigo.LingeringClose(canceled(), s), context.Canceled)
		wantClosedForcefully(t, s)
	})
}

func TestLingeringCloseReportsWhatWentWrong(t *testing.T) {
	broken, stuck := errors.New("reset"), errors.New("stuck")
	for _, c := range []struct {
		name             string
		eof, end, closes error
		want             []error
	}{
		{"all well", nil, io.EOF, nil, nil},
		{"SendEOF fails", broken, io.EOF, nil, []error{broken}},
		{"receiving fails", nil, broken, nil, []error{broken}},
		{"Close fails", nil, io.EOF, stuck, []error{stuck}},
		{"both fail", nil, broken, stuck, []error{broken, stuck}},
	} {
		s := &lingerer{script: script{chunks: []string{"x"}, end: c.end}, eof: c.eof, closing: c.closes}
		err := trigo.LingeringClose(t.Context(), s)
		if (err == nil) != (c.want == nil) {
			t.Errorf("%s: %v", c.name, err)
		}
		wantIs(t, c.name, err, c.want...)
		if s.closes != 1 {
			t.Errorf("%s: closed %d times", c.name, s.closes)
		}
	}
}

// lingerer is a stream that fails as told.
type lingerer struct {
	nothing
	script
	eof, closing error
}

func (s *lingerer) SendEOF(context.Context) error { return s.eof }

func (s *lingerer) ReceiveSome(ctx context.Context, p []byte) (int, error) {
	return s.script.ReceiveSome(ctx, p)
}

func (s *lingerer) Close(ctx context.Context) error {
	return errors.Join(s.script.Close(ctx), s.closing)
}
