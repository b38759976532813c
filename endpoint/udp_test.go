package endpoint

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"trigo"
	"trigo/nursery"
	"trigo/trigotest/vnet"
)

// receive receives one piece.
func receive(t *testing.T, s trigo.ReceiveStream, room int) string {
	t.Helper()
	p := make([]byte, room)
	n, err := s.ReceiveSome(limited(t), p)
	if err != nil {
		t.Fatal(err)
	}
	return string(p[:n])
}

func TestDatagramsKeepTheirBoundsUnlessThereIsNoRoom(t *testing.T) {
	ctx := limited(t)
	sv := serve(t, "udp-listen:127.0.0.1:0", nil, func(ctx context.Context, s trigo.Stream) error {
		for {
			p := make([]byte, 10)
			n, err := s.ReceiveSome(ctx, p)
			if err == nil {
				err = s.SendAll(ctx, []byte(string(p[:n])+"."))
			}
			if err != nil {
				return err
			}
		}
	})
	one, two := dial(t, nil, "udp:127.0.0.1:%s", sv.port), dial(t, nil, "udp:127.0.0.1:%s", sv.port)
	for _, s := range []trigo.Stream{one, two} {
		if err := s.SendAll(ctx, []byte("twelve bytes")); err != nil {
			t.Fatal(err)
		}
	}
	for _, s := range []trigo.Stream{one, two} {
		if got := receive(t, s, 100); got != "twelve byt." {
			t.Errorf("received %q", got)
		}
		if got := receive(t, s, 2) + "|" + receive(t, s, 100); got != "es|." {
			t.Errorf("received %q", got)
		}
	}
	if a, ok := trigo.As[interface{ RemoteAddr() net.Addr }](one); !ok || a.RemoteAddr().String() != "127.0.0.1:"+sv.port {
		t.Error("no address")
	}
}

func TestAPieceThatNoDatagramHoldsIsAnError(t *testing.T) {
	ctx := limited(t)
	refused := make(chan error, 1)
	sv := serve(t, "udp-listen:127.0.0.1:0", nil, func(ctx context.Context, s trigo.Stream) error {
		refused <- s.SendAll(ctx, make([]byte, 70_000))
		return s.SendAll(ctx, []byte("short"))
	})
	s := dial(t, nil, "udp:127.0.0.1:%s", sv.port)
	err := s.SendAll(ctx, make([]byte, 70_000))
	for _, err := range []error{err, func() error { s.SendAll(ctx, []byte("x")); return <-refused }()} {
		if !errors.Is(err, syscall.EMSGSIZE) || !strings.Contains(err.Error(), "does not fit into one datagram") {
			t.Error(err)
		}
	}
	if got := receive(t, s, 10); got != "short" {
		t.Errorf("received %q", got)
	}
}

func TestNobodyAtTheOtherEndBreaksTheStream(t *testing.T) {
	ctx := limited(t)
	u, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	u.Close()
	s := dial(t, nil, "udp:%s", u.LocalAddr())
	if err := s.SendAll(ctx, []byte("x")); err != nil {
		t.Fatal(err)
	}
	if n, err := s.ReceiveSome(ctx, make([]byte, 1)); !errors.Is(err, trigo.ErrBroken) || !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("%d, %v", n, err)
	}
}

// The rest is about time, and so on a network where that is exact.
func inTwoHosts(t *testing.T, f func(t *testing.T, here, there context.Context)) {
	synctest.Test(t, func(t *testing.T) {
		n := vnet.New(1)
		a, b := n.Host("here", "10.0.0.1"), n.Host("there", "10.0.0.2")
		f(t, a.Context(t.Context()), b.Context(t.Context()))
	})
}

// listenUDP listens as the recipe says, until the end of the test.
func listenUDP(t *testing.T, there context.Context, recipe string) *Listener {
	t.Helper()
	listeners, err := parsed(t, "%s", recipe).Listen(there, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listeners[0].Close(there) })
	return listeners[0]
}

// dialUDP is the other end, until the end of the test.
func dialUDP(t *testing.T, here context.Context) trigo.Stream {
	t.Helper()
	s, err := parsed(t, "udp:10.0.0.2:53").Dial(here, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close(here) })
	return s
}

// meet sends text from s to l, where that begins a session.
func meet(t *testing.T, here, there context.Context, s trigo.Stream, l *Listener, text string) *Incoming {
	t.Helper()
	if err := s.SendAll(here, []byte(text)); err != nil {
		t.Fatal(err)
	}
	in, err := l.Accept(there)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close(there) })
	return in
}

// elapse lets time pass.
func elapse(t *testing.T, d time.Duration) {
	select {
	case <-time.After(d):
	case <-t.Context().Done():
	}
}

func TestAPeerThatIsSilentHasEnded(t *testing.T) {
	inTwoHosts(t, func(t *testing.T, here, there context.Context) {
		recipe, err := parsed(t, "udp-listen:53").Prepare(there, nil)
		if err != nil {
			t.Fatal(err)
		}
		ended := make(chan time.Duration, 1)
		began := time.Now()
		sv := serveRecipe(t, there, recipe, func(ctx context.Context, s trigo.Stream) error {
			_, err := receiveAll(ctx, s)
			if _, again := s.ReceiveSome(ctx, make([]byte, 1)); again != io.EOF {
				t.Errorf("after the end: %v", again)
			}
			ended <- time.Since(began)
			return err
		})
		s := dialUDP(t, here)
		for range 3 {
			if err := s.SendAll(here, []byte("x")); err != nil {
				t.Fatal(err)
			}
			elapse(t, 50*time.Second)
		}
		if took := (<-ended).Round(time.Second); took != 160*time.Second {
			t.Errorf("the session has ended after %v", took)
		}
		if err := s.SendAll(here, []byte("again")); err != nil { // that is a new one
			t.Fatal(err)
		}
		<-ended
		if err := sv.stop(); err != nil {
			t.Error(err)
		}
	})
}

// A session that has ended and is not closed yet does not swallow what its peer
// sends next.
func TestAPeerThatComesBackIsNew(t *testing.T) {
	inTwoHosts(t, func(t *testing.T, here, there context.Context) {
		l := listenUDP(t, there, "udp-listen:53,idle=1s")
		s := dialUDP(t, here)
		for _, text := range []string{"first", "second"} {
			in := meet(t, here, there, s, l, text)
			if got, err := receiveAll(there, in.Transport()); string(got) != text || err != nil {
				t.Errorf("%q, %v", got, err)
			}
		}
	})
}

// What a peer sends while nobody receives is still in the socket, and no silence.
func TestAPeerIsNotSilentBecauseNobodyListens(t *testing.T) {
	inTwoHosts(t, func(t *testing.T, here, there context.Context) {
		l := listenUDP(t, there, "udp-listen:53,idle=1s")
		s := dialUDP(t, here)
		in := meet(t, here, there, s, l, "first")
		for _, text := range []string{"first", "second", "third"} {
			if text != "first" {
				if err := s.SendAll(here, []byte(text)); err != nil {
					t.Fatal(err)
				}
			}
			elapse(t, 2*time.Second)
			p := make([]byte, 100)
			if n, err := in.Transport().ReceiveSome(there, p); string(p[:n]) != text || err != nil {
				t.Errorf("%q, %v, want %q", p[:n], err, text)
			}
		}
		elapse(t, 2*time.Second)
		if n, err := in.Transport().ReceiveSome(there, make([]byte, 1)); err != io.EOF {
			t.Errorf("after a silence: %d, %v", n, err)
		}
	})
}

// Whoever waits receives for the others, whether it is Accept or a session.
func TestSessionsGoOnWhenNobodyAcceptsAnyMore(t *testing.T) {
	inTwoHosts(t, func(t *testing.T, here, there context.Context) {
		l := listenUDP(t, there, "udp-listen:10.0.0.2:53")
		var clients, sessions []trigo.Stream
		for range 3 {
			s := dialUDP(t, here)
			session, err := meet(t, here, there, s, l, "a").Open(there)
			if err != nil {
				t.Fatal(err)
			}
			clients, sessions = append(clients, s), append(sessions, session)
		}
		// An Accept that waits, and that Close wakes.
		err := nursery.Run(t.Context(), func(ctx context.Context, n *nursery.Nursery) error {
			n.Go(func(context.Context) error {
				if _, err := l.Accept(there); !errors.Is(err, trigo.ErrClosed) {
					t.Errorf("the Accept that waits: %v", err)
				}
				return nil
			})
			synctest.Wait()
			return l.Close(there)
		})
		if err != nil {
			t.Error(err)
		}
		if _, err := l.Accept(there); !errors.Is(err, trigo.ErrClosed) {
			t.Errorf("Accept: %v", err)
		}
		for i, s := range clients {
			if err := s.SendAll(here, []byte{byte('0' + i)}); err != nil {
				t.Fatal(err)
			}
		}
		for i, s := range sessions {
			p := make([]byte, 2)
			for _, want := range []byte{'a', byte('0' + i)} {
				if n, err := s.ReceiveSome(there, p); n != 1 || p[0] != want || err != nil {
					t.Errorf("session %d received %q, %v; want %q", i, p[:n], err, want)
				}
			}
		}
		// One that is closed is woken, and the last one takes the socket along.
		for _, s := range sessions {
			err := nursery.Run(t.Context(), func(ctx context.Context, n *nursery.Nursery) error {
				n.Go(func(context.Context) error {
					if _, err := s.ReceiveSome(there, make([]byte, 1)); !errors.Is(err, trigo.ErrClosed) {
						t.Errorf("the receive that waits: %v", err)
					}
					return nil
				})
				synctest.Wait()
				if _, err := s.ReceiveSome(there, make([]byte, 1)); !errors.Is(err, trigo.ErrBusy) {
					t.Errorf("a second receiver: %v", err)
				}
				return s.Close(there)
			})
			if err != nil {
				t.Error(err)
			}
			if err := s.SendAll(there, []byte("x")); !errors.Is(err, trigo.ErrClosed) {
				t.Errorf("sending: %v", err)
			}
		}
		again, err := parsed(t, "udp-listen:10.0.0.2:53").Listen(there, nil)
		if err != nil {
			t.Fatal("the port is not free again:", err)
		}
		again[0].Close(there)
	})
}

func TestCancelledSessionsLoseNothing(t *testing.T) {
	inTwoHosts(t, func(t *testing.T, here, there context.Context) {
		l := listenUDP(t, there, "udp-listen:10.0.0.2:53")
		short, cancel := context.WithTimeout(there, time.Second)
		defer cancel()
		if _, err := l.Accept(short); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Accept: %v", err)
		}
		s := dialUDP(t, here)
		session := meet(t, here, there, s, l, "first").Transport()
		receive := func(ctx context.Context) (string, error) {
			p := make([]byte, 100)
			n, err := session.ReceiveSome(ctx, p)
			return string(p[:n]), err
		}
		if got, err := receive(short); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("with a dead ctx: %q, %v", got, err)
		}
		if got, err := receive(there); got != "first" || err != nil {
			t.Errorf("%q, %v", got, err)
		}
		waiting, cancel := context.WithTimeout(there, time.Second)
		defer cancel()
		if got, err := receive(waiting); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("cancelled while it waits: %q, %v", got, err)
		}
		if err := s.SendAll(here, []byte("second")); err != nil {
			t.Fatal(err)
		}
		if got, err := receive(there); got != "second" || err != nil {
			t.Errorf("%q, %v", got, err)
		}
	})
}

// To wait for the turn to send is to wait as everywhere.
func TestASessionThatWaitsForItsTurnToSendIsWoken(t *testing.T) {
	inTwoHosts(t, func(t *testing.T, here, there context.Context) {
		l := listenUDP(t, there, "udp-listen:53")
		in := meet(t, here, there, dialUDP(t, here), l, "x")
		session := in.Transport()
		sending := l.source.(*sessions).sending
		sending <- struct{}{} // somebody else sends
		defer func() { <-sending }()

		short, cancel := context.WithTimeout(there, time.Second)
		defer cancel()
		if err := session.SendAll(short, []byte("y")); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("cancelled: %v", err)
		}
		sent := later(func() error { return session.SendAll(there, []byte("y")) })
		if err := in.Close(there); err != nil {
			t.Error(err)
		}
		wantNow(t, "SendAll", sent, trigo.ErrClosed)
	})
}
