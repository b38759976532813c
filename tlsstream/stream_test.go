package tlsstream

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"trigo"
	"trigo/tlsstream/devcert"
	"trigo/trigotest"
)

// echoServer sends back what it receives, until the end of it.
func echoServer(t *testing.T, transport trigo.Stream) {
	t.Helper()
	s := Server(transport, serverConfig(), nil)
	done := make(chan error, 1)
	go func() {
		for chunk, err := range trigo.Chunks(context.Background(), s) {
			if err == nil {
				err = s.SendAll(context.Background(), chunk)
			}
			if err != nil {
				done <- errors.Join(err, s.Abort())
				return
			}
		}
		done <- s.Close(context.Background())
	}()
	t.Cleanup(func() {
		s.Abort()
		<-done
	})
}

// bubble runs f in a bubble, where what waits for ever is found at once.
func bubble(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	identity()
	synctest.Test(t, f)
}

func TestClientBasics(t *testing.T) {
	eachVersion(t, func(t *testing.T, config *tls.Config) {
		a, b := trigotest.NewMemoryPair()
		echoServer(t, b)
		s := Client(a, config, nil)
		sendString(t, s, "x")
		receiveString(t, s, "x")
		mustClose(t, s)
	})
}

func TestClientRefusesAnUnknownAuthority(t *testing.T) {
	eachVersion(t, func(t *testing.T, config *tls.Config) {
		a, b := trigotest.NewMemoryPair()
		echoServer(t, b)
		other, err := devcert.NewAuthority()
		if err != nil {
			t.Fatal(err)
		}
		config.RootCAs = other.Pool()
		s := Client(a, config, nil)
		err = s.SendAll(t.Context(), []byte("x"))
		wantIs(t, "send", err, trigo.ErrBroken)
		if _, ok := errors.AsType[x509.UnknownAuthorityError](err); !ok {
			t.Errorf("cause: %v", err)
		}
		mustClose(t, s)
	})
}

func TestClientRefusesAWrongName(t *testing.T) {
	eachVersion(t, func(t *testing.T, config *tls.Config) {
		a, b := trigotest.NewMemoryPair()
		echoServer(t, b)
		config.ServerName = "trigo-test-2.example.org"
		s := Client(a, config, nil)
		err := s.SendAll(t.Context(), []byte("x"))
		wantIs(t, "send", err, trigo.ErrBroken)
		if _, ok := errors.AsType[x509.HostnameError](err); !ok {
			t.Errorf("cause: %v", err)
		}
		if _, ok := errors.AsType[*tls.CertificateVerificationError](err); !ok {
			t.Errorf("cause: %v", err)
		}
		mustClose(t, s)
	})
}

// The peer is crypto/tls itself, on a socket.
func TestServerBasics(t *testing.T) {
	eachVersion(t, func(t *testing.T, config *tls.Config) {
		c, sc := rawPair(t)
		server := Server(fromConn(t, sc), serverConfig(), nil)
		client := tls.Client(c, config)
		var got string
		err, err2 := both(func() error {
			p := make([]byte, 1)
			for _, step := range []func() error{
				func() error { _, err := client.Write([]byte("x")); return err },
				func() error { _, err := io.ReadFull(client, p); return err },
				func() error { got += string(p); _, err := client.Write([]byte("z")); return err },
				client.CloseWrite,
			} {
				if err := step(); err != nil {
					return err
				}
			}
			return nil
		}, func() error {
			receiveString(t, server, "x")
			sendString(t, server, "y")
			receiveString(t, server, "z")
			if err := receiveError(t.Context(), server); err != io.EOF {
				return err
			}
			return server.Close(t.Context())
		})
		if err != nil || err2 != nil || got != "y" {
			t.Errorf("client: %v, server: %v, client got %q", err, err2, got)
		}
	})
}

func TestAttributes(t *testing.T) {
	eachVersion(t, func(t *testing.T, config *tls.Config) {
		a, b := trigotest.NewMemoryPair()
		config.NextProtos = []string{"h2"}
		sconfig := serverConfig()
		sconfig.NextProtos = []string{"h2"}
		client, server := Client(a, config, nil), Server(b, sconfig, nil)
		if client.Transport() != trigo.Stream(a) || client.Underlying() != any(a) {
			t.Error("the transport is another one")
		}
		if got, ok := trigo.As[*trigotest.MemorySendStream](client); !ok || got != a.Send {
			t.Error("what is below is not to be found")
		}
		if c, s := client.String(), server.String(); c != "tls "+testName || s != "tls" {
			t.Errorf("before the handshake: %q and %q", c, s)
		}
		if err := shakeBoth(t.Context(), client, server); err != nil {
			t.Fatal(err)
		}
		want := "tls1.3 h2 " + testName
		if config.MaxVersion == tls.VersionTLS12 {
			want = "tls1.2 h2 " + testName
		}
		for _, s := range []*Stream{client, server} {
			if s.String() != want {
				t.Errorf("got %q, want %q", s, want)
			}
			if alpn, err := s.ALPN(); alpn != "h2" || err != nil {
				t.Errorf("ALPN: %q, %v", alpn, err)
			}
		}
		cs, _ := client.ConnectionState()
		ss, _ := server.ConnectionState()
		if len(cs.PeerCertificates) != 1 || cs.PeerCertificates[0].DNSNames[0] != testName || len(ss.PeerCertificates) != 0 {
			t.Error("wrong certificates of the peer")
		}
		cb, err := client.ChannelBinding()
		if err != nil {
			t.Fatal(err)
		}
		if sb, err := server.ChannelBinding(); err != nil || !bytes.Equal(sb, cb) || len(cb) != 32 {
			t.Errorf("channel bindings differ: %x and %x, %v", cb, sb, err)
		}
		client.Abort()
		server.Abort()
	})
}

func TestWhatIsNotKnownBeforeTheHandshake(t *testing.T) {
	client, server := unshaken(t, memoryTransport, clientConfig13(), nil)
	for _, s := range []*Stream{client, server} {
		_, err := s.ConnectionState()
		wantIs(t, "state", err, trigo.ErrNeedHandshake)
		_, err = s.ALPN()
		wantIs(t, "ALPN", err, trigo.ErrNeedHandshake)
		_, err = s.ChannelBinding()
		wantIs(t, "channel binding", err, trigo.ErrNeedHandshake)
	}
	if err := shakeBoth(t.Context(), client, server); err != nil {
		t.Fatal(err)
	}
	for _, s := range []*Stream{client, server} {
		if alpn, err := s.ALPN(); alpn != "" || err != nil {
			t.Errorf("ALPN when there is none: %q, %v", alpn, err)
		}
	}
}

func TestFullDuplexBasics(t *testing.T) {
	eachVersion(t, func(t *testing.T, config *tls.Config) {
		for name, maker := range map[string]transportMaker{"memory": memoryTransport, "lockstep": lockstepTransport} {
			t.Run(name, func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					const chunks, chunk = 30, 32 << 10
					client, server := unshaken(t, maker, config, nil)
					var wg sync.WaitGroup
					data := make([]byte, chunks*chunk)
					rand.NewChaCha8([32]byte{}).Read(data)
					for _, s := range []*Stream{client, server} {
						for range 2 {
							wg.Go(func() {
								if err := s.Handshake(t.Context()); err != nil {
									t.Error(err)
								}
							})
						}
						wg.Go(func() {
							for c := range slices.Chunk(data, chunk) {
								if err := s.SendAll(t.Context(), c); err != nil {
									t.Error(err)
								}
							}
						})
						wg.Go(func() {
							got := make([]byte, len(data))
							if err := receiveFull(t.Context(), s, got); err != nil || !bytes.Equal(got, data) {
								t.Errorf("received something else, or %v", err)
							}
						})
					}
					wg.Wait()
				})
			})
		}
	})
}

// A SendAll that does the handshake, and is stuck with its own data then, must not
// keep the others waiting for the end of the handshake: only if the other half
// receives does the peer come to take it.
func TestBothSendFirstIntoAFullTransport(t *testing.T) {
	data := make([]byte, 64<<10)
	// first sends from both sides, until both are stuck, and receives then.
	first := func(t *testing.T, client, server *Stream, stuck func()) {
		var wg sync.WaitGroup
		for _, s := range []*Stream{client, server} {
			wg.Go(func() { wantIs(t, "send", s.SendAll(t.Context(), data), nil) })
		}
		stuck()
		for _, s := range []*Stream{client, server} {
			wg.Go(func() { wantIs(t, "receive", receiveFull(t.Context(), s, make([]byte, len(data))), nil) })
		}
		wg.Wait()
	}
	eachVersion(t, func(t *testing.T, config *tls.Config) {
		t.Run("lockstep", func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				client, server := unshaken(t, lockstepTransport, config, nil)
				first(t, client, server, synctest.Wait)
			})
		})
		t.Run("unix", func(t *testing.T) {
			client, server := unshaken(t, unixTransport(t.TempDir()), config, nil)
			for _, s := range []*Stream{client, server} {
				socket, _ := trigo.As[*net.UnixConn](s.Transport())
				socket.SetWriteBuffer(4 << 10)
			}
			limit := time.Now().Add(10 * time.Second)
			first(t, client, server, func() {
				for client.shake.Load() != nil || server.shake.Load() != nil {
					if time.Now().After(limit) {
						t.Fatal("the handshake waits for the data behind it")
					}
					runtime.Gosched()
				}
			})
		})
	})
}

func TestResourceBusyErrors(t *testing.T) {
	eachVersion(t, func(t *testing.T, config *tls.Config) {
		bubble(t, func(t *testing.T) {
			client, _ := pair(t, lockstepTransport, config, nil)
			type call = func(ctx context.Context) error
			send := func(ctx context.Context) error { return client.SendAll(ctx, []byte("x")) }
			receive := func(ctx context.Context) error { return receiveError(ctx, client) }
			wait := client.WaitSendAllMightNotBlock
			unwrap := func(ctx context.Context) error { _, _, err := client.Unwrap(ctx); return err }
			for _, c := range [][2]call{
				{send, send}, {receive, receive}, {send, wait}, {wait, wait}, {wait, client.SendEOF}, {receive, unwrap}, {wait, unwrap},
			} {
				ctx, cancel := context.WithCancel(t.Context())
				done := make(chan error, 1)
				go func() { done <- c[0](ctx) }()
				synctest.Wait()
				wantIs(t, "second call", c[1](t.Context()), trigo.ErrBusy)
				cancel()
				wantIs(t, "first call", <-done, context.Canceled)
			}
		})
	})
}

func TestWaitCallsUnderlyingWait(t *testing.T) {
	a, b := trigotest.NewMemoryPair()
	waited := 0
	send := a.Send.(*trigotest.MemorySendStream)
	send.WaitHook = func(context.Context) error { waited++; return nil }
	client := Client(a, clientConfig13(), nil)
	if err := client.WaitSendAllMightNotBlock(t.Context()); err != nil || waited != 1 {
		t.Errorf("%v, and the transport was asked %d times", err, waited)
	}
	client.Abort()
	trigo.Abort(b)
}

func TestDeadContextDoesNothing(t *testing.T) {
	eachVersion(t, func(t *testing.T, config *tls.Config) {
		client, server := pair(t, memoryTransport, config, nil)
		cause := errors.New("my reason")
		dead, cancel := context.WithCancelCause(t.Context())
		cancel(cause)
		sendString(t, server, "xyz")
		receiveString(t, client, "x") // the rest is plaintext now
		_, _, unwrapped := client.Unwrap(dead)
		for what, err := range map[string]error{
			"handshake": client.Handshake(dead),
			"wait":      client.WaitSendAllMightNotBlock(dead),
			"send":      client.SendAll(dead, []byte("q")),
			"send EOF":  client.SendEOF(dead),
			"receive":   receiveError(dead, client),
			"unwrap":    unwrapped,
		} {
			wantIs(t, what, err, context.Canceled, cause)
		}
		receiveString(t, client, "yz")
		sendString(t, client, "r")
		receiveString(t, server, "r")
		wantIs(t, "close", client.Close(dead), context.Canceled, cause)
	})
}

func TestSendAllEmpty(t *testing.T) {
	eachVersion(t, func(t *testing.T, config *tls.Config) {
		a, b := trigotest.NewMemoryPair()
		echoServer(t, b)
		s := Client(a, config, nil)
		sendString(t, s, "")
		sendString(t, s, "")
		sendString(t, s, "x")
		receiveString(t, s, "x")
		mustClose(t, s)
	})
}

func TestSendFailsInTheMiddle(t *testing.T) {
	eachVersion(t, func(t *testing.T, config *tls.Config) {
		client, _ := pair(t, memoryTransport, config, nil)
		cause := errors.New("key error")
		a := client.Transport().(*trigo.StapledStream)
		send, receive := a.Send.(*trigotest.MemorySendStream), a.Receive.(*trigotest.MemoryReceiveStream)
		closed := 0
		send.SendAllHook = func(context.Context) error { return cause }
		send.CloseHook = func() { closed++ }
		receive.CloseHook = func() { closed++ }
		wantIs(t, "send", client.SendAll(t.Context(), []byte("x")), trigo.ErrBroken, cause)
		wantIs(t, "wait", client.WaitSendAllMightNotBlock(t.Context()), trigo.ErrBroken, cause)
		mustClose(t, client)
		mustClose(t, client)
		if closed != 2 {
			t.Errorf("the halves of the transport were closed %d times", closed)
		}
	})
}

// countingClose counts what is done to a transport in the end.
type countingClose struct {
	trigo.Stream
	err           error
	closed, reset atomic.Int32
}

func (c *countingClose) Close(ctx context.Context) error {
	c.closed.Add(1)
	return errors.Join(c.Stream.Close(ctx), c.err)
}

func (c *countingClose) Abort() error {
	c.reset.Add(1)
	return trigo.Abort(c.Stream)
}

func TestStreamClosesItsTransportOnce(t *testing.T) {
	eachVersion(t, func(t *testing.T, config *tls.Config) {
		a, b := trigotest.NewMemoryPair()
		cause := errors.New("key error")
		transport := &countingClose{Stream: a, err: cause}
		client, server := Client(transport, config, nil), Server(b, serverConfig(), nil)
		if err := shakeBoth(t.Context(), client, server); err != nil {
			t.Fatal(err)
		}
		wantIs(t, "close", client.Close(t.Context()), cause)
		mustClose(t, client)
		client.Abort()
		if n := transport.closed.Load(); n != 1 || transport.reset.Load() != 0 {
			t.Errorf("closed %d times, aborted %d times", n, transport.reset.Load())
		}
		server.Abort()
	})
}

func TestStreamOverStream(t *testing.T) {
	eachVersion(t, func(t *testing.T, config *tls.Config) {
		client, server := pair(t, tlsTransport(lockstepTransport, config), config, nil)
		err, err2 := both(func() error {
			sendString(t, client, "hi")
			receiveString(t, client, "bye")
			return nil
		}, func() error {
			receiveString(t, server, "hi")
			sendString(t, server, "bye")
			return nil
		})
		if err != nil || err2 != nil {
			t.Error(err, err2)
		}
		var layers []string
		for l := range trigo.Layers(client) {
			if s, ok := l.(*Stream); ok {
				layers = append(layers, s.String())
			}
		}
		if len(layers) != 2 {
			t.Errorf("layers: %q", layers)
		}
	})
}

func TestErrorOfTheTransportDuringHandshake(t *testing.T) {
	cause := errors.New("key error")
	for _, half := range []string{"send", "receive"} {
		eachVersion(t, func(t *testing.T, config *tls.Config) {
			a, b := trigotest.NewMemoryPair()
			if half == "send" {
				a.Send.(*trigotest.MemorySendStream).SendAllHook = func(context.Context) error { return cause }
			} else {
				a.Receive.(*trigotest.MemoryReceiveStream).ReceiveSomeHook = func(context.Context) error { return cause }
			}
			client := Client(a, config, nil)
			wantIs(t, "handshake", client.Handshake(t.Context()), cause)
			wantIs(t, "again", client.Handshake(t.Context()), trigo.ErrBroken, cause)
			wantIs(t, "send", client.SendAll(t.Context(), nil), trigo.ErrBroken, cause)
			wantIs(t, "receive", receiveError(t.Context(), client), trigo.ErrBroken, cause)
			mustClose(t, client)
			trigo.Abort(b)
		})
	}
}
