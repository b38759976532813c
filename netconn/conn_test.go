package netconn

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/nettest"

	"trigo"
	"trigo/netstream"
	"trigo/trigotest"
)

func TestConnPassesTheTestsOfPackageNet(t *testing.T) {
	for name, maker := range makers {
		t.Run(name, func(t *testing.T) {
			nettest.TestConn(t, func() (c1, c2 net.Conn, stop func(), err error) {
				a, b, err := maker(context.Background())
				if err != nil {
					return nil, nil, nil, err
				}
				c1, c2 = Conn(a, nil), Conn(b, nil)
				return c1, c2, func() { c1.Close(); c2.Close() }, nil
			})
		})
	}
}

func bubblePair(t *testing.T) (a, b net.Conn) { return pair(t, lockstepPair) }

func TestDeadlinesPassAndAreMoved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := bubblePair(t)
		p := make([]byte, 10)

		begin := time.Now()
		a.SetReadDeadline(begin.Add(time.Second))
		_, err := a.Read(p)
		wantTimeout(t, err)
		took(t, begin, time.Second)
		_, err = a.Read(p) // as long as nobody moves it
		wantTimeout(t, err)
		took(t, begin, time.Second)

		// Moved further during the call, and then nearer.
		a.SetReadDeadline(begin.Add(3 * time.Second))
		time.AfterFunc(time.Second, func() { a.SetReadDeadline(begin.Add(9 * time.Second)) })
		time.AfterFunc(2*time.Second, func() { a.SetReadDeadline(begin.Add(5 * time.Second)) })
		_, err = a.Read(p)
		wantTimeout(t, err)
		took(t, begin, 5*time.Second)

		// Into the past.
		a.SetDeadline(time.Time{})
		time.AfterFunc(time.Second, func() { a.SetReadDeadline(time.Unix(1, 0)) })
		_, err = a.Read(p)
		wantTimeout(t, err)
		took(t, begin, 6*time.Second)

		// And away: nothing was lost.
		a.SetReadDeadline(time.Time{})
		write := start(func() (int, error) { return b.Write([]byte("hello")) })
		n, err := a.Read(p)
		if string(p[:n]) != "hello" || err != nil {
			t.Errorf("read %q, %v", p[:n], err)
		}
		if r := <-write; r.err != nil {
			t.Error(r)
		}

		// One that was taken away does not come back.
		a.SetReadDeadline(time.Now().Add(time.Second))
		a.SetReadDeadline(time.Time{})
		time.AfterFunc(time.Minute, func() { b.Write([]byte("x")) })
		_, err = a.Read(p)
		check(t, err)
	})
}

// A timer that has fired can still be on its way when the deadline is moved.
func TestATimerThatComesLateDoesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h half
		h.init()
		defer h.retire()
		h.setDeadline(time.Now().Add(time.Second))
		for _, moved := range []time.Time{time.Now().Add(time.Minute), {}} {
			h.setDeadline(moved)
			h.expire()
			if h.begin() == nil {
				t.Fatalf("the deadline %v has passed before its time", moved)
			}
			h.end()
		}
	})
}

func TestAWriteThatTimedOutSaysHowMuchItSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := bubblePair(t)
		a.SetWriteDeadline(time.Now().Add(time.Second))
		read := start(func() (int, error) { return b.Read(make([]byte, 3)) })
		n, err := a.Write([]byte("hello"))
		if n != 3 {
			t.Errorf("wrote %d, want 3", n)
		}
		wantTimeout(t, err)
		<-read
		a.SetWriteDeadline(time.Time{})
		read = start(func() (int, error) { return b.Read(make([]byte, 3)) })
		n, err = a.Write([]byte("lo"))
		if n != 2 || err != nil {
			t.Errorf("then wrote %d, %v", n, err)
		}
		<-read
	})
}

// Calls of one kind take turns, and who waits for its turn has a deadline too.
func TestCallsTakeTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := bubblePair(t)
		first := start(func() (int, error) { return a.Read(make([]byte, 1)) })
		synctest.Wait()
		second := start(func() (int, error) { return a.Read(make([]byte, 1)) })
		synctest.Wait()
		n, err := b.Write([]byte("xy"))
		if n != 2 || err != nil {
			t.Fatal(n, err)
		}
		for _, r := range []result{<-first, <-second} {
			if r.n != 1 || r.err != nil {
				t.Error(r)
			}
		}
		first = start(func() (int, error) { return a.Read(make([]byte, 1)) })
		second = start(func() (int, error) { return a.Read(make([]byte, 1)) })
		synctest.Wait()
		a.SetReadDeadline(time.Now().Add(time.Second))
		wantTimeout(t, (<-first).err)
		wantTimeout(t, (<-second).err)
	})
}

func TestCloseWakesEverybody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := bubblePair(t)
		var calls []<-chan result
		for range 3 {
			calls = append(calls,
				start(func() (int, error) { return a.Read(make([]byte, 1)) }),
				start(func() (int, error) { return a.Write([]byte("x")) }))
		}
		synctest.Wait()
		begin := time.Now()
		check(t, a.Close())
		for _, c := range calls {
			wantClosed(t, (<-c).err)
		}
		took(t, begin, 0)
		_, err := a.Read(make([]byte, 1))
		wantClosed(t, err)
		_, err = a.Read(nil)
		wantClosed(t, err)
		_, err = a.Write(nil)
		wantClosed(t, err)
		wantClosed(t, a.SetDeadline(time.Now()))
		wantClosed(t, a.(interface{ CloseWrite() error }).CloseWrite())
		wantClosed(t, a.Close())
		b.Close()
	})
}

// wantClosed wants the error of package net, with the words that many programs
// look for.
func wantClosed(t *testing.T, err error) {
	t.Helper()
	var op *net.OpError
	if !errors.As(err, &op) || op.Err != net.ErrClosed {
		t.Errorf("got %v, want net.ErrClosed", err)
	}
}

func TestTheOtherEndsAreToldApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := bubblePair(t)
		check(t, b.(interface{ CloseWrite() error }).CloseWrite())
		for range 2 {
			if _, err := a.Read(make([]byte, 1)); err != io.EOF {
				t.Errorf("after CloseWrite: %v", err)
			}
		}
		trigo.Abort(mustAs[*trigo.StapledStream](t, b))
		_, err := a.Write([]byte("x"))
		var op *net.OpError
		if !errors.Is(err, trigo.ErrBroken) || !errors.As(err, &op) || op.Op != "write" || op.Timeout() {
			t.Errorf("to a peer that is gone: %v", err)
		}

		a, b = bubblePair(t)
		trigo.Abort(mustAs[*trigo.StapledStream](t, b))
		if _, err := a.Read(make([]byte, 1)); !errors.Is(err, trigo.ErrBroken) || errors.Is(err, io.EOF) {
			t.Errorf("from a peer that is gone: %v", err)
		}
	})
}

func mustAs[T any](t *testing.T, r any) T {
	t.Helper()
	l, ok := trigo.As[T](r)
	if !ok {
		t.Fatalf("%T has no such layer", r)
	}
	return l
}

func TestAnEmptyReadOrWriteDoesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _ := bubblePair(t)
		for _, call := range []func([]byte) (int, error){a.Read, a.Write} {
			if n, err := call(nil); n != 0 || err != nil {
				t.Errorf("got %d, %v", n, err)
			}
		}
	})
}

// slowGoodbye is a stream whose Close waits for a peer that says nothing.
type slowGoodbye struct{ trigo.HalfCloseableStream }

func (s slowGoodbye) Close(ctx context.Context) error {
	<-ctx.Done()
	return errors.Join(s.HalfCloseableStream.Close(ctx), trigo.CancelError(ctx))
}

func TestCloseHasAGoodbyeWithALimit(t *testing.T) {
	for limit, want := range map[time.Duration]time.Duration{0: time.Second, time.Minute: time.Minute, -1: 0} {
		synctest.Test(t, func(t *testing.T) {
			x, y := trigotest.NewLockstepPair()
			defer y.Close(t.Context())
			a := Conn(slowGoodbye{x}, &Options{CloseTimeout: limit})
			begin := time.Now()
			err := a.Close()
			took(t, begin, want)
			if limit < 0 {
				check(t, err)
			} else {
				wantTimeout(t, err)
			}
		})
	}
}

func TestCloseWriteIsThereIfTheStreamHasIt(t *testing.T) {
	x, y := trigotest.NewMemoryPair()
	defer y.Close(t.Context())
	a := Conn(struct{ trigo.Stream }{x}, nil)
	defer a.Close()
	if _, ok := a.(interface{ CloseWrite() error }); ok {
		t.Error("CloseWrite on a stream that has no half-close")
	}
}

func TestAddresses(t *testing.T) {
	for name, maker := range map[string]maker{"TCP": tcpPair, "TLS in TLS": overTLS(overTLS(tcpPair))} {
		t.Run(name, func(t *testing.T) {
			a, b := pair(t, maker)
			if a.LocalAddr().String() != b.RemoteAddr().String() || b.LocalAddr().String() != a.RemoteAddr().String() {
				t.Errorf("%v to %v, and %v to %v", a.LocalAddr(), a.RemoteAddr(), b.LocalAddr(), b.RemoteAddr())
			}
			if _, ok := a.RemoteAddr().(*net.TCPAddr); !ok {
				t.Errorf("RemoteAddr is a %T", a.RemoteAddr())
			}
		})
	}
	a, _ := pair(t, memoryPair)
	if got := a.RemoteAddr(); got.Network() != "trigo" || got.String() != "staple(memory, memory)" {
		t.Errorf("in memory: %s %s", got.Network(), got)
	}
	x, y := trigotest.NewMemoryPair()
	defer y.Close(t.Context())
	client := &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 1}
	a = Conn(x, &Options{RemoteAddr: client})
	defer a.Close()
	if a.RemoteAddr() != client {
		t.Errorf("given: %v", a.RemoteAddr())
	}
}

func TestLayersShowThrough(t *testing.T) {
	a, _ := pair(t, overTLS(tcpPair))
	if _, ok := trigo.As[*netstream.Stream](a); !ok {
		t.Error("the TCP stream is hidden")
	}
}

// A deadline is no news for a stream on a descriptor: it keeps its
// registration.
func TestCallsDoNotAllocate(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	a, b := pair(t, tcpPair)
	go io.Copy(struct{ io.Writer }{b}, struct{ io.Reader }{b})
	p := make([]byte, 64)
	roundTrip := func() {
		if _, err := a.Write(p); err != nil {
			t.Error(err)
		}
		if _, err := io.ReadFull(a, p); err != nil {
			t.Error(err)
		}
	}
	roundTrip()
	if n := testing.AllocsPerRun(200, roundTrip); n != 0 {
		t.Errorf("%v allocations without a deadline", n)
	}
	a.SetDeadline(time.Now().Add(time.Hour))
	if n := testing.AllocsPerRun(200, func() {
		a.SetDeadline(time.Now().Add(time.Hour))
		roundTrip()
	}); n != 0 {
		t.Errorf("%v allocations with a deadline that is moved each time", n)
	}
}

// net/http wakes its reader in each request, and mostly there is none yet.
func TestADeadlineThatWakesNobodyCostsNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	a, b := pair(t, tcpPair)
	p := make([]byte, 1)
	if n := testing.AllocsPerRun(200, func() {
		a.SetReadDeadline(time.Unix(1, 0))
		a.SetReadDeadline(time.Time{})
		if _, err := b.Write(p); err != nil {
			t.Error(err)
		}
		if _, err := a.Read(p); err != nil {
			t.Error(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// A deadline that passes as something arrives loses nothing.
func TestTimeoutsLoseNothing(t *testing.T) {
	a, b := pair(t, tcpPair)
	const total = 2000
	go func() {
		for i := range total {
			b.Write([]byte{byte(i)})
		}
	}()
	timeouts := 0
	for i := 0; i < total; {
		a.SetReadDeadline(time.Now().Add(20 * time.Microsecond))
		p := make([]byte, 7)
		n, err := a.Read(p)
		if err != nil {
			if !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Fatal(err)
			}
			timeouts++
		}
		for _, c := range p[:n] {
			if c != byte(i) {
				t.Fatalf("byte %d is %d", i, c)
			}
			i++
		}
	}
	t.Logf("%d timeouts", timeouts)
}

// crypto/tls takes any error of a read that is not temporary for the end.
func TestTLSSurvivesATimeoutOfItsConnection(t *testing.T) {
	identity()
	synctest.Test(t, func(t *testing.T) {
		a, b := bubblePair(t)
		config := clientConfig()
		config.InsecureSkipVerify = true // the clock of a bubble says 2000
		client, server := tls.Client(a, config), tls.Server(b, serverConfig())
		read := start(func() (int, error) { return client.Read(make([]byte, 1)) })
		check(t, server.Handshake())
		_, err := server.Write([]byte("x"))
		check(t, err)
		<-read

		client.SetReadDeadline(time.Now().Add(time.Second))
		_, err = client.Read(make([]byte, 1))
		wantTimeout(t, err)
		client.SetReadDeadline(time.Time{})
		go server.Write([]byte("y"))
		p := make([]byte, 1)
		if _, err := client.Read(p); p[0] != 'y' || err != nil {
			t.Errorf("after the timeout: %q, %v", p, err)
		}
	})
}
