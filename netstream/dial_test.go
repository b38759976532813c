package netstream

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"trigo"
	"trigo/nursery"
	"trigo/trigotest"
)

// listenOne listens on one address until the test ends.
func listenOne(t *testing.T, address string, opts *ListenOptions) *Listener {
	t.Helper()
	ls, err := ListenTCP(t.Context(), address, opts)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range ls {
		t.Cleanup(func() { trigo.CloseForcefully(l) })
	}
	if len(ls) != 1 {
		t.Fatalf("%d listeners on %s, want 1", len(ls), address)
	}
	return ls[0]
}

// dialOne connects to an address; the stream is closed when the test ends.
func dialOne(t *testing.T, address string, opts *DialOptions) *Stream {
	t.Helper()
	s, err := DialTCP(t.Context(), address, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { trigo.CloseForcefully(s) })
	return s
}

func acceptOne(t *testing.T, l *Listener) *Stream {
	t.Helper()
	s, err := l.Accept(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { trigo.CloseForcefully(s) })
	return s
}

// talk sends a few bytes from one to the other.
func talk(t *testing.T, from, to *Stream) {
	t.Helper()
	if err := from.SendAll(t.Context(), []byte("x")); err != nil {
		t.Fatal(err)
	}
	var p [9]byte
	if n, err := to.ReceiveSome(t.Context(), p[:]); string(p[:n]) != "x" || err != nil {
		t.Fatalf("received %q, %v", p[:n], err)
	}
}

func needIPv6(t *testing.T) {
	t.Helper()
	l, err := net.Listen("tcp6", "[::1]:0")
	if err != nil {
		t.Skipf("no IPv6 here: %v", err)
	}
	l.Close()
}

func port(l *Listener) string {
	_, p, _ := net.SplitHostPort(l.Addr().String())
	return p
}

func TestDialTCP(t *testing.T) {
	for _, host := range []string{"127.0.0.1", "[::1]"} {
		t.Run(host, func(t *testing.T) {
			if host == "[::1]" {
				needIPv6(t)
			}
			l := listenOne(t, host+":0", nil)
			c := dialOne(t, l.Addr().String(), nil)
			s := acceptOne(t, l)
			talk(t, c, s)
			talk(t, s, c)
			if c.RemoteAddr().String() != l.Addr().String() || c.LocalAddr().String() != s.RemoteAddr().String() {
				t.Errorf("the client is %v to %v, the server %v to %v", c.LocalAddr(), c.RemoteAddr(), s.LocalAddr(), s.RemoteAddr())
			}
			r := c.DialReport()
			if r == nil || r.Address != l.Addr().String() || len(r.Attempts) != 1 || !r.Attempts[0].Won || r.Attempts[0].Err != nil {
				t.Errorf("the report is %v", r)
			}
			if s.DialReport() != nil {
				t.Errorf("an accepted stream has the report %v", s.DialReport())
			}
		})
	}
}

func TestDialTCPByName(t *testing.T) {
	l := listenOne(t, "127.0.0.1:0", nil)
	ctx := WithResolver(t.Context(), book{"two": "127.0.0.3 127.0.0.1"}) // nobody listens on the first
	s, err := DialTCP(ctx, "two:"+port(l), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close(ctx)
	r := s.DialReport()
	if len(r.Attempts) != 2 || !errors.Is(r.Attempts[0].Err, syscall.ECONNREFUSED) || !r.Attempts[1].Won {
		t.Errorf("the report is %v", r)
	}
	if want := "127.0.0.1:" + port(l); s.RemoteAddr().String() != want {
		t.Errorf("connected to %v, want %s", s.RemoteAddr(), want)
	}
}

func TestDialTCPRefused(t *testing.T) {
	l := listenOne(t, "127.0.0.1:0", nil)
	l.Close(t.Context())

	_, err := DialTCP(t.Context(), l.Addr().String(), nil)
	if !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("got %v, want ECONNREFUSED", err)
	}
	if want := "dial tcp " + l.Addr().String() + ": connection refused ("; !strings.HasPrefix(err.Error(), want) {
		t.Errorf("got %q, want %q...", err, want)
	}

	ctx := WithResolver(t.Context(), book{"two": "127.0.0.1 127.0.0.3"})
	_, err = DialTCP(ctx, "two:"+port(l), nil)
	if want := "dial tcp two:" + port(l) + ": all 2 attempts failed: 127.0.0.1:" + port(l) + ": connection refused ("; !strings.HasPrefix(err.Error(), want) {
		t.Errorf("got %q, want %q...", err, want)
	}
	if failed, ok := errors.AsType[*DialError](err); !ok || len(failed.Report.Attempts) != 2 {
		t.Errorf("%v has no report of two attempts", err)
	}
}

// Trio: test_local_address_real.
func TestLocalAddress(t *testing.T) {
	l := listenOne(t, "127.0.0.1:0", nil)
	for _, local := range []string{"127.0.0.2", "::ffff:127.0.0.2", "0.0.0.0"} {
		c, err := DialTCP(t.Context(), l.Addr().String(), &DialOptions{LocalAddress: netip.MustParseAddr(local)})
		if errors.Is(err, syscall.EADDRNOTAVAIL) {
			t.Skipf("no 127.0.0.2 here: %v", err)
		}
		if err != nil {
			t.Errorf("from %s: %v", local, err)
			continue
		}
		s := acceptOne(t, l)
		want := "127.0.0.2"
		if local == "0.0.0.0" {
			want = "127.0.0.1"
		}
		if got := s.RemoteAddr().(*net.TCPAddr).IP.String(); got != want {
			t.Errorf("from %s: the peer is %s, want %s", local, got, want)
		}
		checkBoundWithoutPort(t, c)
		c.Close(t.Context())
	}

	_, err := DialTCP(t.Context(), l.Addr().String(), &DialOptions{LocalAddress: netip.IPv6Unspecified()})
	if want := "dial tcp " + l.Addr().String() + ": the local address :: is of the other family ("; err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("got %v, want %q...", err, want)
	}
}

// fullListener returns a listener on 127.0.0.1 that takes no more connections,
// so that those that come now hang, and one on 127.0.0.2 with the same port,
// that takes one.
func fullListener(t *testing.T) (full, other *Listener) {
	t.Helper()
	ctx := WithResolver(t.Context(), book{"two": "127.0.0.1 127.0.0.2"})
	ls, err := ListenTCP(ctx, "two:0", &ListenOptions{Backlog: 1})
	if err != nil {
		t.Skipf("no 127.0.0.2 here: %v", err)
	}
	for _, l := range ls {
		t.Cleanup(func() { trigo.CloseForcefully(l) })
	}
	hung := 0
	for range 20 {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		s, err := DialTCP(ctx, ls[0].Addr().String(), nil)
		cancel()
		if err == nil {
			hung = 0
			t.Cleanup(func() { trigo.CloseForcefully(s) })
		} else if hung++; hung == 2 { // one may have been a busy machine
			return ls[0], ls[1]
		}
	}
	t.Skip("a full backlog does not make a connect hang here")
	return nil, nil
}

func TestCancelOfADialInFlight(t *testing.T) {
	trigotest.LeakCheck(t)
	l, other := fullListener(t)
	addr := l.Addr().String()

	t.Run("deadline", func(t *testing.T) {
		trigotest.LeakCheck(t)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		began := time.Now()
		_, err := DialTCP(ctx, addr, nil)
		if !nursery.IsCancellation(ctx, err) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		if took := time.Since(began); took > time.Second {
			t.Errorf("took %v", took)
		}
		if want := "1 of 1 addresses tried: no answer ("; !strings.Contains(err.Error(), want) {
			t.Errorf("got %q, want %q in it", err, want)
		}
	})

	t.Run("cancel", func(t *testing.T) {
		trigotest.LeakCheck(t)
		reason := errors.New("enough")
		ctx, cancel := context.WithCancelCause(t.Context())
		stop := time.AfterFunc(20*time.Millisecond, func() { cancel(reason) })
		defer stop.Stop()
		_, err := DialTCP(ctx, addr, nil)
		if !nursery.IsCancellation(ctx, err) || !errors.Is(err, context.Canceled) || !errors.Is(err, reason) {
			t.Errorf("got %v", err)
		}
	})

	t.Run("outrun", func(t *testing.T) {
		trigotest.LeakCheck(t)
		ctx := WithResolver(t.Context(), book{"two": "127.0.0.1 127.0.0.2"})
		s, err := DialTCP(ctx, "two:"+port(l), &DialOptions{Delay: 10 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close(ctx)
		talk(t, s, acceptOne(t, other))
		if r := s.DialReport(); len(r.Attempts) != 2 || r.Attempts[0].Err != errOutrun {
			t.Errorf("the report is %v", r)
		}
	})
}

// What connects but makes no stream is closed.
func TestDialFailsAfterConnect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		defer theirs.Close()
		ctx := WithResolver(t.Context(), book{"pipe": "192.0.2.1"})
		_, err := dialTCP(ctx, "pipe:80", secs, func(context.Context, netip.AddrPort) (net.Conn, error) { return ours, nil })
		if !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("got %v, want ErrUnsupported", err)
		}
		if _, err := theirs.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("the connection is still open: %v", err)
		}
	})
}
