package netstream

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"trigo"
	"trigo/nursery"
)

// scriptedListener is a source whose Accept goes through a script of errors and
// connections.
type scriptedListener struct {
	script []any
	calls  int
	closed int
}

func (l *scriptedListener) Accept() (net.Conn, error) {
	next := l.script[l.calls%len(l.script)]
	l.calls++
	if conn, ok := next.(net.Conn); ok {
		return conn, nil
	}
	return nil, &net.OpError{Op: "accept", Net: "tcp", Addr: l.Addr(), Err: os.NewSyscallError("accept4", next.(error))}
}

func (l *scriptedListener) Addr() net.Addr              { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 80} }
func (l *scriptedListener) SetDeadline(time.Time) error { return nil }
func (l *scriptedListener) Close() error                { l.closed++; return nil }

// sockets returns a few connected sockets.
func sockets(t *testing.T, n int) (conns []any) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for range n {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		conns = append(conns, c)
	}
	return conns
}

// Trio: test_SocketListener_accept_errors.
func TestAcceptErrors(t *testing.T) {
	conns := sockets(t, 2)
	src := &scriptedListener{script: []any{
		syscall.ECONNABORTED, syscall.EPERM, syscall.EPROTO, conns[0],
		syscall.EMFILE, syscall.EFAULT, syscall.ENOBUFS, conns[1],
	}}
	l := newListener(src, src.Addr(), nil)

	want := func(conn any) {
		t.Helper()
		s, err := l.Accept(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if s.Underlying() != conn {
			t.Error("accepted another connection")
		}
	}
	want(conns[0])
	for _, errno := range []syscall.Errno{syscall.EMFILE, syscall.EFAULT, syscall.ENOBUFS} {
		_, err := l.Accept(t.Context())
		if !errors.Is(err, errno) {
			t.Errorf("got %v, want %v", err, errno)
		}
		if text := "accept tcp 192.0.2.1:80: accept4: " + errno.Error(); err.Error() != text {
			t.Errorf("got %q, want %q", err, text)
		}
	}
	want(conns[1])
	if src.closed != 0 {
		t.Error("an error closed the listener")
	}
}

// A server that cannot accept waits between its tries, and says so once each.
func TestServerWithoutDescriptorsDoesNotSpin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := &scriptedListener{script: []any{syscall.EMFILE}}
		ctx, cancel := context.WithTimeout(t.Context(), 950*time.Millisecond)
		defer cancel()
		var records recorder
		err := trigo.ServeListeners(ctx, hangUp, []*Listener{newListener(src, src.Addr(), nil)}, &trigo.ServeOptions{Logger: slog.New(&records)})
		if !nursery.IsCancellation(ctx, err) {
			t.Errorf("got %v", err)
		}
		if len(records.errs) != 10 || src.calls != 10 {
			t.Errorf("%d records of %d calls, want 10 of 10", len(records.errs), src.calls)
		}
		for _, err := range records.errs {
			if !errors.Is(err, syscall.EMFILE) {
				t.Errorf("logged %v", err)
			}
		}
		if src.closed != 1 {
			t.Errorf("the listener was closed %d times", src.closed)
		}
	})
}

// recorder is a log that keeps the errors.
type recorder struct {
	errs []error
	each func() // called for each record; may be nil
}

func (r *recorder) Enabled(context.Context, slog.Level) bool { return true }
func (r *recorder) WithAttrs([]slog.Attr) slog.Handler       { return r }
func (r *recorder) WithGroup(string) slog.Handler            { return r }

func (r *recorder) Handle(_ context.Context, rec slog.Record) error {
	rec.Attrs(func(a slog.Attr) bool {
		if err, ok := a.Value.Any().(error); ok {
			r.errs = append(r.errs, err)
		}
		return true
	})
	if r.each != nil {
		r.each()
	}
	return nil
}

// Trio: test_SocketListener.
func TestListenerClose(t *testing.T) {
	l := listenOne(t, "127.0.0.1:0", nil)
	accepted := make(chan error)
	go func() {
		_, err := l.Accept(t.Context())
		accepted <- err
	}()
	for range 2 {
		if err := l.Close(t.Context()); err != nil {
			t.Errorf("Close: %v", err)
		}
	}
	if err := <-accepted; !errors.Is(err, trigo.ErrClosed) {
		t.Errorf("the Accept that waited: %v", err)
	}
	if _, err := l.Accept(t.Context()); !errors.Is(err, trigo.ErrClosed) {
		t.Errorf("an Accept after Close: %v", err)
	}
}

// Closing the socket itself has the same effect as Close.
func TestListenerClosedUnderfoot(t *testing.T) {
	l := listenOne(t, "127.0.0.1:0", nil)
	src, _ := trigo.As[*net.TCPListener](l)
	src.Close()
	if _, err := l.Accept(t.Context()); !errors.Is(err, trigo.ErrClosed) {
		t.Errorf("got %v, want ErrClosed", err)
	}
}

// A cancelled Accept loses no connection, and the listener goes on.
func TestCancelledAccept(t *testing.T) {
	l := listenOne(t, "127.0.0.1:0", nil)
	for range 3 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		if _, err := l.Accept(ctx); !nursery.IsCancellation(ctx, err) {
			t.Errorf("got %v", err)
		}
		cancel()
		talk(t, dialOne(t, l.Addr().String(), nil), acceptOne(t, l))
	}
}
