package netstream

import (
	"context"
	"errors"
	"path/filepath"
	"syscall"
	"testing"

	"trigo"
	"trigo/nursery"
	"trigo/trigotest"
)

// echo is a handler that sends back what it receives.
func echo(ctx context.Context, s *Stream) error {
	for chunk, err := range trigo.Chunks(ctx, s) {
		if err != nil {
			return err
		}
		if err := s.SendAll(ctx, chunk); err != nil {
			return err
		}
	}
	return s.SendEOF(ctx)
}

// serving runs a server while body runs, and returns the server's error.
func serving[L any](t *testing.T, serve func(ctx context.Context, started func(L)) error, body func(L)) error {
	t.Helper()
	return nursery.Run(t.Context(), func(ctx context.Context, n *nursery.Nursery) error {
		l, err := nursery.Start(ctx, n, serve)
		if err != nil {
			return err
		}
		body(l)
		n.Cancel(nil)
		return nil
	})
}

func TestServeTCP(t *testing.T) {
	trigotest.LeakCheck(t)
	ready := 0
	var addr string
	err := serving(t, func(ctx context.Context, started func([]*Listener)) error {
		return ServeTCP(ctx, "127.0.0.1:0", echo, &ServeTCPOptions{
			Ready: started,
			Serve: trigo.ServeOptions{Ready: func() { ready++ }},
		})
	}, func(ls []*Listener) {
		addr = ls[0].Addr().String()
		s := dialOne(t, addr, nil)
		talk(t, s, s)
		dialOne(t, addr, nil) // its handler is cut short by the end of the server
	})
	if err != nil || ready != 1 {
		t.Errorf("got %v; ready was called %d times", err, ready)
	}
	if _, err := DialTCP(t.Context(), addr, nil); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("after the server has ended: %v", err)
	}
}

func TestServeUnix(t *testing.T) {
	trigotest.LeakCheck(t)
	dir := socketDir(t)
	path := filepath.Join(dir, "sock")
	err := serving(t, func(ctx context.Context, started func(*Listener)) error {
		return ServeUnix(ctx, path, echo, &ServeUnixOptions{Ready: started})
	}, func(l *Listener) {
		s := dialUnixOne(t, l.Addr().String())
		talk(t, s, s)
	})
	if err != nil {
		t.Error(err)
	}
	if got := dirNames(t, dir); len(got) > 0 {
		t.Errorf("the server left %v", got)
	}
}

// The error of one handler ends the server, and nothing is left running.
func TestHandlerErrorEndsTheServer(t *testing.T) {
	trigotest.LeakCheck(t)
	boom := errors.New("boom")
	handled := 0
	err := serving(t, func(ctx context.Context, started func([]*Listener)) error {
		defer func() {
			if handled != 2 {
				t.Errorf("the server ended before its handlers: %d of 2", handled)
			}
		}()
		return ServeTCP(ctx, "127.0.0.1:0", func(ctx context.Context, s *Stream) error {
			defer func() { handled++ }() // one after the other: the first waits for the second
			var p [1]byte
			if _, err := s.ReceiveSome(ctx, p[:]); err != nil {
				return err // the quiet one, cancelled
			}
			return boom
		}, &ServeTCPOptions{Ready: started})
	}, func(ls []*Listener) {
		quiet := dialOne(t, ls[0].Addr().String(), nil)
		loud := dialOne(t, ls[0].Addr().String(), nil)
		if err := loud.SendAll(t.Context(), []byte("x")); err != nil {
			t.Error(err)
		}
		var p [1]byte
		if _, err := quiet.ReceiveSome(t.Context(), p[:]); err == nil {
			t.Error("the quiet connection is still open")
		}
	})
	if !errors.Is(err, boom) {
		t.Errorf("got %v, want boom", err)
	}
}

func TestServeFailsToListen(t *testing.T) {
	taken := listenOne(t, "127.0.0.1:0", nil)
	err := ServeTCP(t.Context(), taken.Addr().String(), hangUp, nil)
	if e, ok := errors.AsType[*trigo.OpError](err); !ok || e.Op != "listen" || !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("TCP: %v", err)
	}
	dir := socketDir(t)
	err = ServeUnix(t.Context(), dir, hangUp, nil)
	checkRefusal(t, err, "listen", "unix "+dir, "there is a directory")
}

// Bad options close the listeners that were opened for them.
func TestServeWithBadOptions(t *testing.T) {
	trigotest.LeakCheck(t)
	bad := trigo.ServeOptions{MaxConns: -1}
	if err := ServeTCP(t.Context(), "127.0.0.1:0", hangUp, &ServeTCPOptions{Serve: bad}); err == nil {
		t.Error("ServeTCP took a negative MaxConns")
	}
	dir := socketDir(t)
	if err := ServeUnix(t.Context(), filepath.Join(dir, "s"), hangUp, &ServeUnixOptions{Serve: bad}); err == nil {
		t.Error("ServeUnix took a negative MaxConns")
	}
	if got := dirNames(t, dir); len(got) > 0 {
		t.Errorf("the server left %v", got)
	}
}
