package trigo_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"trigo"
	"trigo/nursery"
)

// serving is a running ServeListeners.
type serving struct {
	listeners []*fakeListener
	cancel    context.CancelFunc
	done      <-chan error
}

type handler = func(context.Context, *fakeStream) error

// serve starts a server on n listeners and waits until it is ready.
func serve(t *testing.T, n int, h handler, opts trigo.ServeOptions) *serving {
	t.Helper()
	s := &serving{}
	for range n {
		s.listeners = append(s.listeners, newFakeListener())
	}
	ctx, cancel := context.WithCancel(t.Context())
	s.cancel = cancel
	t.Cleanup(cancel)
	s.done = async(func() error { return trigo.ServeListeners(ctx, h, s.listeners, &opts) })
	synctest.Wait()
	return s
}

func (s *serving) wantListenersClosed(t *testing.T) {
	t.Helper()
	for i, l := range s.listeners {
		if !isClosed(l.closed) {
			t.Errorf("listener %d is open", i)
		}
	}
}

func wantClosedForcefully(t *testing.T, conns ...*fakeStream) {
	t.Helper()
	for i, c := range conns {
		if !isClosed(c.closed) {
			t.Errorf("connection %d is open", i)
		} else if !c.forceful {
			t.Errorf("connection %d was closed gracefully, want forcefully", i)
		}
	}
}

// waitForCancel is a handler.
func waitForCancel(ctx context.Context, _ *fakeStream) error {
	<-ctx.Done()
	return trigo.CancelError(ctx)
}

// waitForEOF is a handler that ends when its client does.
func waitForEOF(ctx context.Context, conn *fakeStream) error {
	for _, err := range trigo.Chunks(ctx, conn) {
		if err != nil {
			return err
		}
	}
	return nil
}

func TestServeTwoListenersSixClients(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ready := 0
		s := serve(t, 2, func(ctx context.Context, conn *fakeStream) error {
			if err := conn.SendAll(ctx, []byte("123")); err != nil {
				return err
			}
			got := make([]byte, 9)
			n, err := conn.ReceiveSome(ctx, got)
			if err != nil || string(got[:n]) != "456" {
				return fmt.Errorf("handler received %q, %v", got[:n], err)
			}
			return nil // and does not close
		}, trigo.ServeOptions{Ready: func() { ready++ }})

		for i := range 6 {
			client, server := s.listeners[i%2].connect()
			got := make([]byte, 9)
			n, err := client.ReceiveSome(t.Context(), got)
			if err != nil || string(got[:n]) != "123" {
				t.Fatalf("client received %q, %v", got[:n], err)
			}
			wantNil(t, "send", client.SendAll(t.Context(), []byte("456")))
			if _, err := client.ReceiveSome(t.Context(), got); err != io.EOF {
				t.Fatalf("client received %v, want EOF", err)
			}
			synctest.Wait()
			wantClosedForcefully(t, server)
		}
		if ready != 1 {
			t.Errorf("Ready was called %d times", ready)
		}
		pending(t, "serve", s.done)
		s.cancel()
		wantIs(t, "serve", over(t, "serve", s.done), context.Canceled)
		s.wantListenersClosed(t)
	})
}

func TestServeReadyComesAfterAccept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newFakeListener()
		ctx, cancel := context.WithCancel(t.Context())
		served := make(chan struct{})
		done := async(func() error {
			return trigo.ServeListeners(ctx, func(context.Context, *fakeStream) error {
				close(served)
				return nil
			}, []*fakeListener{l}, &trigo.ServeOptions{Ready: func() {
				l.connect()
				<-served // hangs if nobody accepts yet
			}})
		})
		<-served
		cancel()
		<-done
	})
}

func TestServeEndsWithUnrecognizedAcceptError(t *testing.T) {
	for _, failure := range []error{errors.New("no idea"), fmt.Errorf("wrapped: %w", io.ErrUnexpectedEOF)} {
		synctest.Test(t, func(t *testing.T) {
			fail := make(chan error)
			good, bad := newFakeListener(), newFakeListener()
			bad.onAccept = func(context.Context) error { return <-fail }
			done := async(func() error {
				return trigo.ServeListeners(t.Context(), waitForCancel, []*fakeListener{good, bad}, nil)
			})
			_, server := good.connect()
			pending(t, "serve", done)
			fail <- failure
			if err := over(t, "serve", done); err != failure {
				t.Errorf("got %v, want %v as it is", err, failure)
			}
			if !isClosed(good.closed) || !isClosed(bad.closed) {
				t.Error("a listener is open")
			}
			wantClosedForcefully(t, server)
		})
	}
}

func TestServeEndsWhenAListenerIsClosedByOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := serve(t, 2, waitForCancel, trigo.ServeOptions{})
		s.listeners[1].Close(t.Context())
		wantIs(t, "serve", over(t, "serve", s.done), trigo.ErrClosed)
		s.wantListenersClosed(t)
	})
}

// records is a slog.Handler that keeps what it is given.
type records struct {
	slog.Handler
	all []slog.Record
}

func (r *records) Handle(_ context.Context, rec slog.Record) error {
	r.all = append(r.all, rec)
	return nil
}

func newRecords() *records { return &records{Handler: slog.NewTextHandler(io.Discard, nil)} }

func TestServeRetriesCapacityErrors(t *testing.T) {
	for _, lack := range trigo.CapacityErrors {
		synctest.Test(t, func(t *testing.T) {
			log := newRecords()
			l := newFakeListener()
			l.onAccept = func(context.Context) error { return fmt.Errorf("accept: %w", lack) }
			ctx, cancel := context.WithTimeout(t.Context(), 950*time.Millisecond)
			defer cancel()
			err := trigo.ServeListeners(ctx, waitForCancel, []*fakeListener{l}, &trigo.ServeOptions{Logger: slog.New(log)})
			wantIs(t, "serve", err, context.DeadlineExceeded)
			if len(log.all) != 10 {
				t.Errorf("%d log records in 0.950 s, want 10", len(log.all))
			}
			for _, rec := range log.all {
				var logged error
				rec.Attrs(func(a slog.Attr) bool {
					if a.Key == "error" {
						logged, _ = a.Value.Any().(error)
					}
					return true
				})
				if rec.Level != slog.LevelError || !errors.Is(logged, lack) {
					t.Errorf("record at %v with error %v, want %v at ERROR", rec.Level, logged, lack)
				}
			}
		})
	}
}

func TestServeGoesOnAfterCapacityError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lacking := true
		l := newFakeListener()
		l.onAccept = func(context.Context) error {
			if lacking {
				lacking = false
				return trigo.CapacityErrors[0]
			}
			return nil
		}
		var buf bytes.Buffer
		old := slog.Default()
		slog.SetDefault(slog.New(slog.NewTextHandler(&buf, nil)))
		defer slog.SetDefault(old)
		ctx, cancel := context.WithCancel(t.Context())
		began := time.Now()
		var served time.Duration
		_, _ = l.connect()
		err := trigo.ServeListeners(ctx, func(context.Context, *fakeStream) error {
			served = time.Since(began)
			cancel()
			return nil
		}, []*fakeListener{l}, &trigo.ServeOptions{RetryDelay: time.Minute})
		wantIs(t, "serve", err, context.Canceled)
		if served != time.Minute {
			t.Errorf("served after %v, want RetryDelay", served)
		}
		if !bytes.Contains(buf.Bytes(), []byte("level=ERROR")) {
			t.Errorf("the default logger has %q", buf.String())
		}
	})
}

func TestServeRetryDelayIsCutByCancelAndStop(t *testing.T) {
	for _, how := range []string{"cancel", "stop"} {
		synctest.Test(t, func(t *testing.T) {
			stop := make(chan struct{})
			l := newFakeListener()
			l.onAccept = func(context.Context) error { return trigo.CapacityErrors[0] }
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			done := async(func() error {
				return trigo.ServeListeners(ctx, waitForCancel, []*fakeListener{l}, &trigo.ServeOptions{
					Stop: stop, RetryDelay: time.Hour, Logger: slog.New(newRecords()),
				})
			})
			pending(t, how, done)
			if how == "stop" {
				close(stop)
				wantNil(t, "serve", over(t, how, done))
			} else {
				cancel()
				wantIs(t, "serve", over(t, how, done), context.Canceled)
			}
		})
	}
}

func TestServeBadArgumentsCloseTheListeners(t *testing.T) {
	ok := func(context.Context, *fakeStream) error { return nil }
	for _, c := range []struct {
		want      string
		handler   handler
		listeners int
		opts      *trigo.ServeOptions
	}{
		{"serve: no listeners", ok, 0, nil},
		{"serve: no handler", nil, 2, nil},
		{"serve: negative MaxConns", ok, 2, &trigo.ServeOptions{MaxConns: -1}},
		{"serve: negative RetryDelay", ok, 2, &trigo.ServeOptions{RetryDelay: -1}},
	} {
		var listeners []*fakeListener
		for range c.listeners {
			listeners = append(listeners, newFakeListener())
		}
		err := trigo.ServeListeners(t.Context(), c.handler, listeners, c.opts)
		if err == nil || err.Error() != c.want {
			t.Errorf("got %v, want %s", err, c.want)
		}
		for _, l := range listeners {
			if !isClosed(l.closed) {
				t.Errorf("%s: a listener is open", c.want)
			}
		}
	}
}

func TestServeWithADeadCtxAcceptsNothing(t *testing.T) {
	l := newFakeListener()
	_, server := l.connect()
	err := trigo.ServeListeners(canceled(), waitForEOF, []*fakeListener{l}, &trigo.ServeOptions{
		Ready: func() { t.Error("Ready was called") },
	})
	wantIs(t, "serve", err, context.Canceled)
	if !isClosed(l.closed) || isClosed(server.closed) {
		t.Errorf("listener closed: %v, connection accepted: %v", isClosed(l.closed), isClosed(server.closed))
	}
}

func TestServeCancelTellsItsCause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		why := errors.New("why")
		ctx, cancel := context.WithCancelCause(t.Context())
		l := newFakeListener()
		l.connect()
		done := async(func() error {
			return trigo.ServeListeners(ctx, waitForCancel, []*fakeListener{l}, nil)
		})
		pending(t, "serve", done)
		cancel(why)
		err := over(t, "serve", done)
		wantIs(t, "serve", err, context.Canceled, why)
		if !nursery.IsCancellation(ctx, err) {
			t.Errorf("%v says more than that it was cancelled", err)
		}
	})
}

func TestServeConnectionAcceptedTogetherWithTheCancel(t *testing.T) {
	for _, maxConns := range []int{0, 1} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			l := newFakeListener()
			l.onConn = cancel
			_, server := l.connect()
			var inHandler error
			err := trigo.ServeListeners(ctx, func(ctx context.Context, conn *fakeStream) error {
				inHandler = ctx.Err()
				return nil
			}, []*fakeListener{l}, &trigo.ServeOptions{MaxConns: maxConns})
			wantIs(t, "serve", err, context.Canceled)
			wantIs(t, "ctx of the handler", inHandler, context.Canceled)
			wantClosedForcefully(t, server)
		})
	}
}

func TestServeReportsAListenerThatFailedToClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stuck := errors.New("cannot unlink")
		stop := make(chan struct{})
		l := newFakeListener()
		l.closing = stuck
		close(stop)
		err := trigo.ServeListeners(t.Context(), waitForEOF, []*fakeListener{l}, &trigo.ServeOptions{Stop: stop})
		wantIs(t, "serve", err, stuck)
	})
}
