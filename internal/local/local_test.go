package local

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

func receive(t *testing.T, s trigo.ReceiveStream, want string) {
	t.Helper()
	p := make([]byte, len(want))
	for n := 0; n < len(p); {
		k, err := s.ReceiveSome(t.Context(), p[n:])
		if err != nil {
			t.Fatalf("after %q: %v, want %q", p[:n], err, want)
		}
		n += k
	}
	if string(p) != want {
		t.Fatalf("received %q, want %q", p, want)
	}
}

func receiveFails(t *testing.T, s trigo.ReceiveStream, kinds ...error) {
	t.Helper()
	n, err := s.ReceiveSome(t.Context(), make([]byte, 1))
	for _, kind := range kinds {
		if n != 0 || !errors.Is(err, kind) {
			t.Errorf("received %d, %v, want %v", n, err, kind)
		}
	}
}

func send(t *testing.T, s trigo.SendStream, text string) {
	t.Helper()
	if err := s.SendAll(t.Context(), []byte(text)); err != nil {
		t.Fatal(err)
	}
}

func sendEOF(t *testing.T, s trigo.HalfCloseableStream) {
	t.Helper()
	if err := s.SendEOF(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// every runs f with a new stream of each kind.
func every(t *testing.T, f func(t *testing.T, s trigo.HalfCloseableStream)) {
	for name, s := range map[string]func() trigo.HalfCloseableStream{
		"echo":    Echo,
		"discard": Discard,
		"zero":    func() trigo.HalfCloseableStream { return Zero(0) },
		"literal": func() trigo.HalfCloseableStream { return Literal(nil) },
		"hub":     func() trigo.HalfCloseableStream { return NewHub(0).Join() },
	} {
		t.Run(name, func(t *testing.T) { synctest.Test(t, func(t *testing.T) { f(t, s()) }) })
	}
}

func TestEveryKindKeepsTheContract(t *testing.T) {
	every(t, func(t *testing.T, s trigo.HalfCloseableStream) {
		dead, cancel := context.WithCancel(t.Context())
		cancel()
		one := make([]byte, 1)
		_, err := s.ReceiveSome(dead, one)
		for what, err := range map[string]error{
			"SendAll": s.SendAll(dead, one), "WaitSendAllMightNotBlock": s.WaitSendAllMightNotBlock(dead),
			"SendEOF": s.SendEOF(dead), "ReceiveSome": err,
		} {
			if !errors.Is(err, context.Canceled) {
				t.Errorf("%s with a dead ctx: %v", what, err)
			}
		}
		if _, err := s.ReceiveSome(t.Context(), nil); !errors.Is(err, io.ErrShortBuffer) {
			t.Errorf("receive into nothing: %v", err)
		}
		if err := s.SendAll(t.Context(), nil); err != nil {
			t.Errorf("an empty send: %v", err)
		}
		sendEOF(t, s)
		sendEOF(t, s) // silent success
		for what, err := range map[string]error{
			"SendAll": s.SendAll(t.Context(), one), "WaitSendAllMightNotBlock": s.WaitSendAllMightNotBlock(t.Context()),
		} {
			if !errors.Is(err, trigo.ErrClosed) {
				t.Errorf("%s after SendEOF: %v", what, err)
			}
		}
		for range 2 {
			if err := s.Close(dead); err != nil {
				t.Errorf("close: %v", err)
			}
		}
		receiveFails(t, s, trigo.ErrClosed)
		if err := s.SendEOF(t.Context()); !errors.Is(err, trigo.ErrClosed) {
			t.Errorf("SendEOF of a closed stream: %v", err)
		}
	})
}

// A receive that waits is cancelled, finds itself alone, and is woken by Close.
func TestWaitingReceives(t *testing.T) {
	for name, s := range map[string]func() trigo.HalfCloseableStream{
		"echo": Echo, "discard": Discard, "hub": func() trigo.HalfCloseableStream { return NewHub(0).Join() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := s()
				short, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				if _, err := s.ReceiveSome(short, make([]byte, 1)); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("out of time: %v", err)
				}
				done := make(chan error, 1)
				go func() {
					_, err := s.ReceiveSome(t.Context(), make([]byte, 1))
					done <- err
				}()
				synctest.Wait()
				receiveFails(t, s, trigo.ErrBusy)
				s.Close(t.Context())
				if err := <-done; !errors.Is(err, trigo.ErrClosed) {
					t.Errorf("woken with %v", err)
				}
			})
		})
	}
}

func TestEchoReceivesWhatItWasSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := Echo()
		defer s.Close(t.Context())
		go func() {
			s.SendAll(t.Context(), []byte("hello"))
			s.SendAll(t.Context(), []byte(" world"))
			s.SendEOF(t.Context())
		}()
		receive(t, s, "hello world")
		receiveFails(t, s, io.EOF)
	})
}

func TestACancelledSendToAnEchoSaysHowMuchWasTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := Echo()
		defer s.Close(t.Context())
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		done := make(chan error, 1)
		go func() { done <- s.SendAll(ctx, []byte("hello")) }()
		receive(t, s, "he")
		err := <-done
		var op *trigo.OpError
		if !errors.Is(err, context.DeadlineExceeded) || !errors.As(err, &op) || op.N != 2 {
			t.Errorf("got %v, want a cancel after 2 bytes", err)
		}
	})
}

func TestDiscardEndsWhenItIsToldTo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := Discard()
		defer s.Close(t.Context())
		send(t, s, strings.Repeat("x", 1<<20))
		time.AfterFunc(time.Second, func() { s.SendEOF(context.Background()) })
		start := time.Now()
		receiveFails(t, s, io.EOF)
		if time.Since(start) != time.Second {
			t.Error("the end came before it was sent")
		}
	})
}

func TestZeroEndsAfterSoManyBytes(t *testing.T) {
	s := Zero(5)
	p := bytes.Repeat([]byte("x"), 8)
	if n, err := s.ReceiveSome(t.Context(), p[:3]); n != 3 || err != nil {
		t.Fatal(n, err)
	}
	if n, err := s.ReceiveSome(t.Context(), p[3:]); n != 2 || err != nil {
		t.Fatal(n, err)
	}
	if string(p) != "\x00\x00\x00\x00\x00xxx" {
		t.Errorf("received %q", p)
	}
	receiveFails(t, s, io.EOF)
	receiveFails(t, s, io.EOF)
	send(t, s, "into the void")

	endless := Zero(-1)
	for range 100 {
		if n, err := endless.ReceiveSome(t.Context(), p); n != len(p) || err != nil {
			t.Fatal(n, err)
		}
	}
}

func TestLiteralReceivesItsText(t *testing.T) {
	s := Literal([]byte("hello"))
	send(t, s, "into the void")
	receive(t, s, "hel")
	receive(t, s, "lo")
	receiveFails(t, s, io.EOF)
}
