package trigo_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"testing"

	"trigo"
)

func TestErrorKinds(t *testing.T) {
	kinds := []error{
		trigo.ErrClosed, trigo.ErrBroken, trigo.ErrTruncated, trigo.ErrBusy, trigo.ErrEndOfChannel,
		trigo.ErrWouldBlock, trigo.ErrNeedHandshake, trigo.ErrTooLong,
		io.EOF, net.ErrClosed, os.ErrClosed, context.Canceled,
	}
	related := map[[2]error]bool{
		{trigo.ErrClosed, net.ErrClosed}:      true,
		{trigo.ErrClosed, os.ErrClosed}:       true,
		{trigo.ErrTruncated, trigo.ErrBroken}: true,
		{trigo.ErrEndOfChannel, io.EOF}:       true,
	}
	for _, a := range kinds {
		for _, b := range kinds {
			want := a == b || related[[2]error{a, b}]
			if errors.Is(a, b) != want {
				t.Errorf("%v Is %v: want %v", a, b, want)
			}
			if wrapped := (&trigo.OpError{Op: "x", Err: a}); errors.Is(wrapped, b) != want {
				t.Errorf("%v Is %v: want %v", wrapped, b, want)
			}
		}
	}
}

func TestBroken(t *testing.T) {
	cause := errors.New("connection reset")
	err := trigo.Broken(cause)
	wantIs(t, "broken", err, trigo.ErrBroken, cause)
	if want := "stream broken: connection reset"; err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
	for _, same := range []error{err, trigo.ErrTruncated, trigo.ErrBroken, fmt.Errorf("x: %w", err)} {
		if got := trigo.Broken(same); got != same {
			t.Errorf("Broken(%v) = %v, want it as it is", same, got)
		}
	}
	if trigo.Broken(nil) != trigo.ErrBroken {
		t.Error("Broken(nil) is not ErrBroken")
	}
}

func TestOpErrorText(t *testing.T) {
	for _, c := range []struct {
		err  trigo.OpError
		want string
	}{
		{trigo.OpError{Op: "dial", Err: io.ErrNoProgress}, "dial: " + io.ErrNoProgress.Error()},
		{trigo.OpError{Op: "receive", Layer: "tcp 192.0.2.1:443", Err: trigo.ErrTruncated}, "receive tcp 192.0.2.1:443: stream truncated"},
		{trigo.OpError{Op: "send", Layer: "tcp x", N: 7, Err: trigo.ErrClosed}, "send tcp x after 7 bytes: already closed"},
	} {
		if got := c.err.Error(); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

func TestOpErrorTimeout(t *testing.T) {
	for _, c := range []struct {
		cause error
		want  bool
	}{
		{context.DeadlineExceeded, true},
		{fmt.Errorf("wrapped: %w", os.ErrDeadlineExceeded), true},
		{context.Canceled, false},
		{trigo.ErrClosed, false},
	} {
		if got := (&trigo.OpError{Op: "x", Err: c.cause}).Timeout(); got != c.want {
			t.Errorf("Timeout with %v: %v", c.cause, got)
		}
	}
}
