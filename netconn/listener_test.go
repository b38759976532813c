package netconn

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"trigo"
	"trigo/netstream"
	"trigo/trigotest"
)

func TestListenerServes(t *testing.T) {
	ctx := t.Context()
	ls, err := netstream.ListenTCP(ctx, "127.0.0.1:0", nil)
	check(t, err)
	l := Listener(ls[0], nil)
	if l.Addr() != ls[0].Addr() {
		t.Errorf("Addr is %v", l.Addr())
	}
	c, err := net.Dial("tcp", l.Addr().String())
	check(t, err)
	defer c.Close()
	s, err := l.Accept()
	check(t, err)
	defer s.Close()
	if s.RemoteAddr().String() != c.LocalAddr().String() {
		t.Errorf("accepted %v, want %v", s.RemoteAddr(), c.LocalAddr())
	}
	waiting := start(func() (int, error) { _, err := l.Accept(); return 0, err })
	second := start(func() (int, error) { _, err := l.Accept(); return 0, err })
	check(t, l.Close())
	wantClosed(t, (<-waiting).err)
	wantClosed(t, (<-second).err)
	_, err = l.Accept()
	wantClosed(t, err)
	wantClosed(t, l.Close())
}

// scarce is a listener that has no descriptors left.
type scarce struct{ trigo.Listener[trigo.Stream] }

func (scarce) Accept(context.Context) (trigo.Stream, error) {
	return nil, &trigo.OpError{Op: "accept", Err: os.NewSyscallError("accept4", syscall.EMFILE)}
}

func TestALackOfDescriptorsIsTemporary(t *testing.T) {
	_, err := Listener(scarce{}, nil).Accept()
	temporary, ok := err.(interface{ Temporary() bool })
	if !ok || !temporary.Temporary() || !errors.Is(err, syscall.EMFILE) {
		t.Errorf("got %v: a server would give up", err)
	}
}

// The kit's dialling peer is a stream over the same network.
func TestFromListenerConforms(t *testing.T) {
	dialer := func(l net.Listener) func(ctx context.Context) (trigo.Stream, error) {
		return func(ctx context.Context) (trigo.Stream, error) {
			c, err := new(net.Dialer).DialContext(ctx, l.Addr().Network(), l.Addr().String())
			if err != nil {
				return nil, err
			}
			return Stream(c), nil
		}
	}
	for name, wrap := range map[string]func(net.Listener) net.Listener{
		"TCP":               func(l net.Listener) net.Listener { return l },
		"foreign":           func(l net.Listener) net.Listener { return foreignListener{l.(*net.TCPListener)} },
		"without deadlines": func(l net.Listener) net.Listener { return struct{ net.Listener }{l} },
	} {
		t.Run(name, func(t *testing.T) {
			trigotest.CheckListener(t, func(ctx context.Context) (trigo.Listener[trigo.HalfCloseableStream], func(context.Context) (trigo.Stream, error), error) {
				l, err := net.Listen("tcp", "127.0.0.1:0")
				if err != nil {
					return nil, nil, err
				}
				return FromListener(wrap(l)), dialer(l), nil
			}, nil)
		})
	}
}

type foreignListener struct{ *net.TCPListener }

func TestFromListenerKnowsUnixSockets(t *testing.T) {
	dir, err := os.MkdirTemp("", "t")
	check(t, err)
	defer os.RemoveAll(dir)
	l, err := net.Listen("unix", dir+"/s")
	check(t, err)
	s := FromListener(l)
	defer s.Close(t.Context())
	if _, ok := trigo.As[*netstream.Listener](s); !ok {
		t.Errorf("a %T", s)
	}
}

// stuck is a listener that only Close can wake, and that may bring a
// connection even then.
type stuck struct {
	net.Listener
	conns  chan net.Conn
	closed chan struct{}
}

func newStuck() *stuck { return &stuck{conns: make(chan net.Conn), closed: make(chan struct{})} }

func (s *stuck) Accept() (net.Conn, error) {
	select {
	case c := <-s.conns:
		return c, nil
	case <-s.closed:
		return nil, net.ErrClosed
	}
}

func (s *stuck) Close() error   { close(s.closed); return nil }
func (s *stuck) Addr() net.Addr { return name("stuck") }

func TestACancelledAcceptLeavesItsConnectionToTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		below := newStuck()
		l := FromListener(below)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := l.Accept(ctx)
		wantIs(t, err, context.DeadlineExceeded)
		x, y := net.Pipe()
		defer y.Close()
		below.conns <- x // to the Accept that is still there
		synctest.Wait()
		s, err := l.Accept(t.Context())
		check(t, err)
		if c, _ := trigo.As[net.Conn](s); c != x {
			t.Errorf("accepted %v", s)
		}
		check(t, s.Close(t.Context()))
		check(t, l.Close(t.Context()))
	})
}

func TestCloseLeavesNoAcceptAndNoConnection(t *testing.T) {
	for name, ctx := range map[string]func(context.Context) context.Context{
		"graceful": func(ctx context.Context) context.Context { return ctx },
		"forceful": func(ctx context.Context) context.Context {
			ctx, cancel := context.WithCancel(ctx)
			cancel()
			return ctx
		},
	} {
		for _, brings := range []bool{false, true} {
			t.Run(fmt.Sprint(name, ", brings one ", brings), func(t *testing.T) {
				for range 10 { // what is ready beside a dead ctx must not be left to chance
					synctest.Test(t, func(t *testing.T) {
						below := newStuck()
						l := FromListener(below)
						short, cancel := context.WithTimeout(t.Context(), time.Second)
						defer cancel()
						l.Accept(short)
						x, y := net.Pipe()
						defer y.Close()
						if brings {
							below.conns <- x
							synctest.Wait()
						}
						l.Close(ctx(t.Context()))
						synctest.Wait() // a goroutine that is left now makes the bubble fail
						if brings {
							y.SetReadDeadline(time.Now().Add(time.Second))
							if _, err := y.Read(make([]byte, 1)); err != io.EOF {
								t.Errorf("the connection that nobody wanted: %v", err)
							}
						}
						_, err := l.Accept(t.Context())
						wantIs(t, err, trigo.ErrClosed)
						check(t, l.Close(t.Context()))
					})
				}
			})
		}
	}
}

// deaf is a listener whose Accept does not even hear of Close.
type deaf struct{ *stuck }

func (deaf) Close() error { return nil }

func TestAnAcceptThatComesTooLateIsDiscarded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		below := newStuck()
		l := FromListener(deaf{below})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := l.Accept(ctx)
		wantIs(t, err, context.DeadlineExceeded)
		wantIs(t, l.Close(ctx), context.DeadlineExceeded)
		x, y := net.Pipe()
		defer y.Close()
		below.conns <- x
		synctest.Wait()
		y.SetReadDeadline(time.Now().Add(time.Second))
		if _, err := y.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("the connection that nobody wanted: %v", err)
		}
	})
}

// A listener of crypto/tls has no deadline.
func TestFromListenerTakesTLS(t *testing.T) {
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	l := FromListener(tls.NewListener(tcp, serverConfig()))
	defer l.Close(t.Context())
	done := start(func() (int, error) {
		c, err := tls.Dial("tcp", tcp.Addr().String(), clientConfig())
		if err != nil {
			return 0, err
		}
		defer c.Close()
		return c.Write([]byte("hello"))
	})
	s, err := l.Accept(t.Context())
	check(t, err)
	defer s.Close(t.Context())
	p := make([]byte, 5)
	_, err = io.ReadFull(Reader(t.Context(), s), p)
	if string(p) != "hello" || err != nil {
		t.Errorf("got %q, %v", p, err)
	}
	if r := <-done; r.err != nil {
		t.Error(r.err)
	}
}
