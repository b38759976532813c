package vnet_test

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
	"trigo/netstream"
	"trigo/nursery"
	"trigo/trigotest"
	"trigo/trigotest/vnet"
)

func TestStreamsOfTheNetworkConform(t *testing.T) {
	for name, link := range map[string]vnet.Link{
		"without latency": {},
		"with latency":    {Latency: 10 * time.Millisecond, Jitter: time.Millisecond},
		"with loss":       {Latency: time.Millisecond, Loss: 0.02},
	} {
		t.Run(name, func(t *testing.T) {
			pair := func(ctx context.Context) (a, b *netstream.Stream, err error) {
				return newWorld(ctx, 1, link).pair()
			}
			clogged := func(ctx context.Context) (a, b *netstream.Stream, err error) {
				if a, b, err = pair(ctx); err != nil {
					return nil, nil, err
				}
				return a, b, errors.Join(trigotest.Clog(ctx, a), trigotest.Clog(ctx, b))
			}
			trigotest.CheckHalfCloseableStream(t, pair, clogged, bubble)
		})
	}
}

func TestListenersOfTheNetworkConform(t *testing.T) {
	trigotest.CheckListener(t, func(ctx context.Context) (*netstream.Listener, func(context.Context) (trigo.Stream, error), error) {
		w := newWorld(ctx, 1, vnet.Link{})
		ls, err := netstream.ListenTCP(w.atServer, serverAddress, nil)
		if err != nil {
			return nil, nil, err
		}
		return ls[0], func(ctx context.Context) (trigo.Stream, error) {
			return netstream.DialTCP(w.client.Context(ctx), serverAddress, nil)
		}, nil
	}, bubble)
}

func TestAServerOfNetstreamServesUnchanged(t *testing.T) {
	inWorld(t, vnet.Link{Latency: 50 * time.Millisecond}, func(t *testing.T, w *world) {
		w.Name("example.test", "10.0.0.2")
		began := time.Now()
		err := nursery.Run(w.atServer, func(ctx context.Context, n *nursery.Nursery) error {
			n.Go(func(ctx context.Context) error {
				return netstream.ServeTCP(ctx, ":80", func(ctx context.Context, s *netstream.Stream) error {
					for chunk, err := range trigo.Chunks(ctx, s) {
						if err != nil {
							return err
						}
						if err := s.SendAll(ctx, []byte(strings.ToUpper(string(chunk)))); err != nil {
							return err
						}
					}
					return s.SendEOF(ctx)
				}, nil)
			})
			synctest.Wait()
			s, err := netstream.DialTCP(w.atClient, "EXAMPLE.test:80", nil)
			if err != nil {
				return err
			}
			defer s.Close(ctx)
			took(t, "the dial", began, 100*time.Millisecond)
			wantErr(t, "send", s.SendAll(ctx, []byte("hello")), nil)
			wantErr(t, "SendEOF", s.SendEOF(ctx), nil)
			wantReceived(t, s, "HELLO", nil)
			wantReceived(t, s, "", io.EOF)
			took(t, "all", began, 200*time.Millisecond)
			if got := s.String() + " " + s.LocalAddr().String(); got != "tcp 10.0.0.2:80 10.0.0.1:49152" {
				t.Errorf("the stream is %s", got)
			}
			if len(s.DialReport().Attempts) != 1 || s.FD() != nil {
				t.Error("no report of the dial, or a descriptor")
			}
			n.Cancel(errors.New("enough"))
			return nil
		})
		wantErr(t, "run", err, nil)
	})
}

func TestWhatADialCanMeet(t *testing.T) {
	link := vnet.Link{Latency: 10 * time.Millisecond}
	for _, c := range []struct {
		name, address string
		prepare       func(t *testing.T, w *world)
		want          error
		took          time.Duration
	}{
		{"nobody listens", "10.0.0.2:81", nil, syscall.ECONNREFUSED, 20 * time.Millisecond},
		{"nobody has the address", "10.9.9.9:80", nil, syscall.EHOSTUNREACH, 0},
		{"a partition", serverAddress, func(t *testing.T, w *world) { w.Partition(w.client, w.server) }, syscall.ETIMEDOUT, 127 * time.Second},
		{"a full backlog", serverAddress, func(t *testing.T, w *world) {
			ls, err := netstream.ListenTCP(w.atServer, "10.0.0.2:80", &netstream.ListenOptions{Backlog: 1})
			wantErr(t, "listen", err, nil)
			t.Cleanup(func() { trigo.CloseForcefully(ls[0]) })
			s, err := netstream.DialTCP(w.atClient, serverAddress, nil)
			wantErr(t, "the first dial", err, nil)
			t.Cleanup(func() { trigo.CloseForcefully(s) })
		}, syscall.ETIMEDOUT, 127*time.Second + 7*10*time.Millisecond},
	} {
		t.Run(c.name, func(t *testing.T) {
			inWorld(t, link, func(t *testing.T, w *world) {
				if c.prepare != nil {
					c.prepare(t, w)
				}
				began := time.Now()
				_, err := netstream.DialTCP(w.atClient, c.address, nil)
				wantErr(t, "dial", err, c.want)
				took(t, "the dial", began, c.took)
			})
		})
	}
	synctest.Test(t, func(t *testing.T) {
		n := vnet.New(1)
		h := n.Host("old", "10.0.0.1")
		_, err := netstream.DialTCP(h.Context(t.Context()), "[fd00::1]:80", nil)
		wantErr(t, "dial without IPv6", err, syscall.ENETUNREACH)
		ls, err := netstream.ListenTCP(h.Context(t.Context()), ":0", nil)
		if err != nil || len(ls) != 1 {
			t.Fatalf("listening without IPv6: %v, %v", ls, err)
		}
		ls[0].Close(t.Context())
		for address, want := range map[string]error{"10.0.0.7:80": syscall.EADDRNOTAVAIL, "[::]:80": syscall.EAFNOSUPPORT} {
			_, err := netstream.ListenTCP(h.Context(t.Context()), address, nil)
			wantErr(t, "listen on "+address, err, want)
		}
	})
}

func TestAPortIsForOne(t *testing.T) {
	inWorld(t, vnet.Link{}, func(t *testing.T, w *world) {
		l := w.listen(t)
		for _, address := range []string{serverAddress, "0.0.0.0:80"} {
			_, err := netstream.ListenTCP(w.atServer, address, nil)
			wantErr(t, "listen on "+address, err, syscall.EADDRINUSE)
		}
		l.Close(t.Context())
	})
}

func TestAHostThatIsOutOfPortsSaysSo(t *testing.T) {
	inWorld(t, vnet.Link{}, func(t *testing.T, w *world) {
		var last error
		for n := 0; n <= 1<<14 && last == nil; n++ {
			_, last = netstream.ListenUDP(w.atServer, "10.0.0.2:0") // memory, and nothing to leak
		}
		wantErr(t, "listen", last, syscall.EADDRINUSE)
		ls, err := netstream.ListenTCP(w.atServer, "10.0.0.2:0", nil)
		wantErr(t, "listen on TCP, which has ports of its own", err, nil)
		ls[0].Close(t.Context())
	})
}

func TestAPortIsGivenAgainOnlyWhenItIsFree(t *testing.T) {
	inWorld(t, vnet.Link{}, func(t *testing.T, w *world) {
		l := w.listen(t)
		dial := func() *netstream.Stream {
			s, err := netstream.DialTCP(w.atClient, serverAddress, nil)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { trigo.CloseForcefully(s) })
			peer, err := l.Accept(t.Context())
			wantErr(t, "accept", err, nil)
			trigo.CloseForcefully(peer)
			return s
		}
		kept := dial()
		for range 1<<14 - 1 { // as many ports are left, and each is somebody's for a moment
			s, err := netstream.ListenUDP(w.atClient, "10.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			s.Close(t.Context())
		}
		if a, b := kept.LocalAddr().String(), dial().LocalAddr().String(); a == b {
			t.Errorf("two connections between %s and %s", a, serverAddress)
		}
	})
}

func TestACtxMayUseTheNetworkThatLooksAtIt(t *testing.T) {
	inWorld(t, vnet.Link{Latency: time.Millisecond}, func(t *testing.T, w *world) {
		looks := 0
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		looking := lookingContext{ctx, func() { looks++; w.Counts() }}
		l := w.listen(t)
		_, err := l.Accept(looking)
		wantErr(t, "accept", err, context.DeadlineExceeded)
		a, _ := netstream.DialTCP(w.atClient, serverAddress, nil)
		defer a.Close(t.Context())
		wantErr(t, "send", a.SendAll(looking, []byte("x")), context.DeadlineExceeded)
		if looks == 0 {
			t.Error("nobody looked")
		}
	})
}

// lookingContext does something each time somebody looks at it.
type lookingContext struct {
	context.Context
	look func()
}

func (l lookingContext) Done() <-chan struct{} {
	l.look()
	return l.Context.Done()
}

func (l lookingContext) Err() error {
	l.look()
	return l.Context.Err()
}

func TestNamesDependOnTheHost(t *testing.T) {
	inWorld(t, vnet.Link{}, func(t *testing.T, w *world) {
		w.Name("example.test", "10.0.0.2")
		w.server.Name("example.test", "127.0.0.1")
		w.client.Name("secret.test", "10.0.0.2")
		for _, c := range []struct {
			h          *vnet.Host
			name, want string
		}{
			{w.client, "Example.test.", "10.0.0.2"},
			{w.server, "example.test", "127.0.0.1"},
			{w.client, "secret.test", "10.0.0.2"},
			{w.server, "secret.test", ""},
			{w.server, "localhost", "127.0.0.1"},
		} {
			addrs, err := c.h.LookupNetIP(t.Context(), "ip", c.name)
			if c.want == "" {
				if dns, ok := errors.AsType[*net.DNSError](err); !ok || !dns.IsNotFound {
					t.Errorf("%s on %v: got %v, %v", c.name, c.h, addrs, err)
				}
			} else if len(addrs) != 1 || addrs[0] != netip.MustParseAddr(c.want) {
				t.Errorf("%s on %v: got %v, %v", c.name, c.h, addrs, err)
			}
		}
	})
}

func TestHalfCloseAndAbort(t *testing.T) {
	inWorld(t, vnet.Link{Latency: time.Millisecond}, func(t *testing.T, w *world) {
		a, b := w.connect(t)
		wantErr(t, "SendEOF", a.SendEOF(t.Context()), nil)
		wantReceived(t, b, "", io.EOF)
		wantErr(t, "send", b.SendAll(t.Context(), []byte("still here")), nil)
		wantReceived(t, a, "still here", nil)
		wantErr(t, "abort", trigo.Abort(b), nil)
		wantReceived(t, a, "", syscall.ECONNRESET)
		wantReceived(t, a, "", trigo.ErrBroken)
	})
}

func TestACloseWithInputUnreadIsAReset(t *testing.T) {
	inWorld(t, vnet.Link{Latency: time.Millisecond}, func(t *testing.T, w *world) {
		a, b := w.connect(t)
		wantErr(t, "send", a.SendAll(t.Context(), []byte("unread")), nil)
		wantErr(t, "send", b.SendAll(t.Context(), []byte("lost with it")), nil)
		elapse(t, 10*time.Millisecond)
		wantErr(t, "close", b.Close(t.Context()), nil)
		elapse(t, 10*time.Millisecond)
		wantReceived(t, a, "", trigo.ErrBroken)
		wantErr(t, "send", a.SendAll(t.Context(), []byte("x")), trigo.ErrBroken)
	})
}

func TestASenderIsAWindowAheadAtMost(t *testing.T) {
	inWorld(t, vnet.Link{Latency: time.Millisecond}, func(t *testing.T, w *world) {
		a, b := w.connect(t)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := a.SendAll(ctx, make([]byte, 1<<20))
		op, ok := errors.AsType[*trigo.OpError](err)
		if !ok || op.N != 64<<10 || !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("send: %v", err)
		}
		wantReceived(t, b, strings.Repeat("\x00", 64<<10), nil)
	})
}

func TestAConnectionOutlivesAPartition(t *testing.T) {
	inWorld(t, vnet.Link{Latency: 10 * time.Millisecond}, func(t *testing.T, w *world) {
		a, b := w.connect(t)
		began := time.Now()
		wantErr(t, "send", a.SendAll(t.Context(), []byte("one,")), nil)
		elapse(t, 5*time.Millisecond)
		w.Partition(w.client, w.server) // the first is under way
		wantErr(t, "send", a.SendAll(t.Context(), []byte("two")), nil)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, err := b.ReceiveSome(ctx, make([]byte, 1))
		wantErr(t, "receive in the partition", err, context.DeadlineExceeded)
		w.Heal(w.client, w.server)
		wantReceived(t, b, "one,two", nil)
		if d := time.Since(began) - time.Minute - 15*time.Millisecond; d < 0 || d > 200*time.Millisecond {
			t.Errorf("it came %v after the partition and the way", d)
		}
		if c := w.Counts(); c.Parted != 2 || c.Partitions != 1 {
			t.Errorf("counts: %+v", c)
		}
	})
}

// The SYN in one direction, and the refusal in the other.
func TestAPartitionMeetsADialThatIsUnderWay(t *testing.T) {
	const latency = 100 * time.Millisecond
	for _, listens := range []bool{false, true} {
		inWorld(t, vnet.Link{Latency: latency}, func(t *testing.T, w *world) {
			if listens {
				w.listen(t)
			}
			type outcome struct {
				s   *netstream.Stream
				err error
			}
			dialled := make(chan outcome, 1)
			go func() {
				s, err := netstream.DialTCP(w.atClient, serverAddress, nil)
				dialled <- outcome{s, err}
			}()
			until := latency / 2
			if !listens {
				until += latency // it is refused already, and does not know
			}
			elapse(t, until)
			w.Partition(w.client, w.server)
			elapse(t, 10*time.Second)
			select {
			case o := <-dialled:
				t.Fatalf("the dial ended during the partition: %v", o.err)
			default:
			}
			for _, line := range w.Log() {
				if strings.HasSuffix(line, "connects") {
					t.Errorf("through the partition: %s", line)
				}
			}
			w.Heal(w.client, w.server)
			o := <-dialled
			if listens {
				wantErr(t, "dial", o.err, nil)
				o.s.Close(t.Context())
			} else {
				wantErr(t, "dial", o.err, syscall.ECONNREFUSED)
			}
		})
	}
}

func TestLossAndResetsAreCounted(t *testing.T) {
	inWorld(t, vnet.Link{Latency: time.Millisecond, Loss: 0.3}, func(t *testing.T, w *world) {
		a, b := w.connect(t)
		wantErr(t, "send", a.SendAll(t.Context(), make([]byte, 50_000)), nil)
		wantReceived(t, b, strings.Repeat("\x00", 50_000), nil)
		if w.Counts().Lost == 0 {
			t.Error("nothing was lost")
		}
		w.Link(w.client, w.server, vnet.Link{Latency: time.Millisecond, Reset: 1})
		wantErr(t, "send", a.SendAll(t.Context(), []byte("x")), nil)
		wantReceived(t, b, "", syscall.ECONNRESET)
		wantReceived(t, a, "", syscall.ECONNRESET)
		if w.Counts().Reset != 1 {
			t.Errorf("counts: %+v", w.Counts())
		}
	})
}

func TestLoopbackIsTheHostItself(t *testing.T) {
	inWorld(t, vnet.Link{Latency: time.Hour}, func(t *testing.T, w *world) {
		ls, err := netstream.ListenTCP(w.atServer, "localhost:7", nil)
		wantErr(t, "listen", err, nil)
		defer ls[0].Close(t.Context())
		began := time.Now()
		s, err := netstream.DialTCP(w.atServer, "127.0.0.1:7", nil)
		wantErr(t, "dial", err, nil)
		s.Close(t.Context())
		took(t, "the dial", began, 0)
		_, err = netstream.DialTCP(w.atClient, "127.0.0.1:7", nil)
		wantErr(t, "dial on the other host", err, syscall.ECONNREFUSED)
	})
}

func TestCancelSweepOverTheNetwork(t *testing.T) {
	trigotest.SweepCancel(t, func(ctx context.Context, s *trigotest.Sweep) error {
		w := newWorld(ctx, 1, vnet.Link{Latency: time.Millisecond})
		ls, err := netstream.ListenTCP(w.atServer, serverAddress, nil)
		if err != nil {
			return err
		}
		s.Close(ls[0])
		x, err := netstream.DialTCP(w.atClient, serverAddress, nil)
		if err != nil {
			return err
		}
		s.Close(x)
		y, err := ls[0].Accept(w.atServer)
		if err != nil {
			return err
		}
		a, b := s.Usable(s.Wrap(x), s.Wrap(y))
		s.Peer(func(ctx context.Context) error {
			if _, err := b.ReceiveSome(ctx, make([]byte, 100)); err != nil {
				return err
			}
			return b.SendAll(ctx, make([]byte, 3000))
		})
		if err := a.SendAll(ctx, []byte("question")); err != nil {
			return err
		}
		for left := 3000; left > 0; {
			n, err := a.ReceiveSome(ctx, make([]byte, left))
			if err != nil {
				return err
			}
			left -= n
		}
		return nil
	}, &trigotest.SweepOptions{Bubble: true})
}
