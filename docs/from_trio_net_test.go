package docs

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"syscall"
	"time"

	"trigo"
	"trigo/file"
	"trigo/netstream"
	"trigo/nursery"
	"trigo/tlsstream"
	"trigo/trigotest"
)

func Example_tcp() {
	inNursery(func(ctx context.Context, n *nursery.Nursery) error {
		listeners, err := nursery.Start(ctx, n, func(ctx context.Context, started func([]*netstream.Listener)) error {
			return netstream.ServeTCP(ctx, "127.0.0.1:0", echo[*netstream.Stream], &netstream.ServeTCPOptions{
				Listen: netstream.ListenOptions{Backlog: 16},
				Ready:  started, // task_status
				Serve:  trigo.ServeOptions{HandlerNursery: n},
			})
		})
		if err != nil {
			return err
		}
		s, err := netstream.DialTCP(ctx, listeners[0].Addr().String(), &netstream.DialOptions{
			Delay:        100 * time.Millisecond, // negative: one address after the other
			LocalAddress: netip.MustParseAddr("127.0.0.1"),
		})
		if err != nil {
			return err
		}
		if err := s.SendAll(ctx, []byte("hello")); err != nil {
			return err
		}
		fmt.Println(receive(ctx, s), len(s.DialReport().Attempts))
		n.Cancel(nil)
		return s.Close(ctx)
	})
	// Output: hello 1
}

func Example_refused() {
	ctx := context.Background()
	listeners, err := netstream.ListenTCP(ctx, "127.0.0.1:0", nil)
	check(err)
	address := listeners[0].Addr().String()
	check(listeners[0].Close(ctx))

	_, err = netstream.DialTCP(ctx, address, nil)
	var dial *netstream.DialError
	fmt.Println(errors.As(err, &dial), errors.Is(err, syscall.ECONNREFUSED))
	fmt.Println(len(dial.Report.Attempts)) // what became of each address
	// Output:
	// true true
	// 1
}

func Example_dialListener() {
	inNursery(func(ctx context.Context, n *nursery.Nursery) error {
		listeners, err := netstream.ListenTCP(ctx, "127.0.0.1:0", nil)
		if err != nil {
			return err
		}
		dial := func(ctx context.Context, network, address string) (*netstream.Stream, error) {
			return netstream.DialTCP(ctx, address, nil)
		}
		s, err := trigotest.OpenStreamToSocketListener(ctx, listeners[0], dial)
		if err != nil {
			return err
		}
		fmt.Println(s.RemoteAddr().String() == listeners[0].Addr().String())
		return errors.Join(s.Close(ctx), listeners[0].Close(ctx))
	})
	// Output: true
}

func Example_tlsOverTCP() {
	server, client := certificates()
	compatible := tlsstream.Options{HTTPSCompatible: true} // for web servers
	inNursery(func(ctx context.Context, n *nursery.Nursery) error {
		listeners, err := nursery.Start(ctx, n, func(ctx context.Context, started func([]*tlsstream.Listener)) error {
			return tlsstream.ServeTCP(ctx, "127.0.0.1:0", server, echo[*tlsstream.Stream], &tlsstream.ServeTCPOptions{
				Listen: tlsstream.ListenOptions{
					TLS: compatible,
					TCP: netstream.ListenOptions{Backlog: 16},
				},
				HandshakeTimeout: 5 * time.Second,
				HandshakeError:   func(error) {}, // one bad client ends nothing
				Ready:            started,
				Serve:            trigo.ServeOptions{HandlerNursery: n},
			})
		})
		if err != nil {
			return err
		}
		tcp, _ := trigo.As[*netstream.Listener](listeners[0])
		s, err := tlsstream.DialTCP(ctx, tcp.Addr().String(), client, &tlsstream.DialOptions{
			TLS: compatible,
			TCP: netstream.DialOptions{Delay: 100 * time.Millisecond},
		})
		if err != nil {
			return err
		}
		if err := s.SendAll(ctx, []byte("hello")); err != nil { // does the handshake
			return err
		}
		fmt.Println(receive(ctx, s))
		n.Cancel(nil)
		return s.Close(ctx)
	})
	// Output: hello
}

func Example_tlsListeners() {
	server, client := certificates()
	inNursery(func(ctx context.Context, n *nursery.Nursery) error {
		listeners, err := tlsstream.ListenTCP(ctx, "127.0.0.1:0", server, &tlsstream.ListenOptions{
			TLS: tlsstream.Options{HTTPSCompatible: true},
			TCP: netstream.ListenOptions{Backlog: 16},
		})
		if err != nil {
			return err
		}
		n.Go(func(ctx context.Context) error {
			return trigo.ServeListeners(ctx, echo[*tlsstream.Stream], listeners, nil)
		})
		tcp, _ := trigo.As[*netstream.Listener](listeners[0])
		s, err := tlsstream.DialTCP(ctx, tcp.Addr().String(), client, nil)
		if err != nil {
			return err
		}
		if err := s.SendAll(ctx, []byte("hello")); err != nil {
			return err
		}
		fmt.Println(receive(ctx, s))
		n.Cancel(nil)
		return s.Close(ctx)
	})
	// Output: hello
}

func Example_unix() {
	withDir(func(ctx context.Context, dir file.Path) error {
		path := dir.Join("socket").String()
		_, err := netstream.DialUnix(ctx, path)
		fmt.Println(errors.Is(err, fs.ErrNotExist))

		listener, err := netstream.ListenUnix(ctx, path, nil)
		if err != nil {
			return err
		}
		a, err := netstream.DialUnix(ctx, path)
		if err != nil {
			return err
		}
		b, err := listener.Accept(ctx)
		if err != nil {
			return err
		}
		check(a.SendAll(ctx, []byte("over a file")))
		fmt.Println(receive(ctx, b))
		return errors.Join(a.Close(ctx), b.Close(ctx), listener.Close(ctx))
	})
	// Output:
	// true
	// over a file
}

func Example_tls() {
	server, client := certificates()
	server.NextProtos, client.NextProtos = []string{"tea"}, []string{"tea"}
	server.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		fmt.Println("asked for", hello.ServerName) // sni_callback
		return nil, nil
	}
	below, far := trigotest.NewLockstepPair()
	inNursery(func(ctx context.Context, n *nursery.Nursery) error {
		n.Go(func(ctx context.Context) error { return echo(ctx, tlsstream.Server(far, server, nil)) })

		s := tlsstream.Client(below, client, &tlsstream.Options{HTTPSCompatible: false})
		_, err := s.ALPN()
		fmt.Println(errors.Is(err, trigo.ErrNeedHandshake))

		fmt.Println(s.Handshake(cancelled()) != nil) // a cancel does no harm
		if err := s.Handshake(ctx); err != nil {
			return err
		}
		alpn, err := s.ALPN()
		fmt.Println(alpn, err)
		state, err := s.ConnectionState()
		if err != nil {
			return err
		}
		fmt.Println(tls.VersionName(state.Version) == "TLS 1.3", state.PeerCertificates[0].DNSNames, state.DidResume)
		fmt.Println(tls.CipherSuiteName(state.CipherSuite) != "")
		binding, err := s.ChannelBinding()
		fmt.Println(len(binding), err)
		fmt.Println(s.Transport() == trigo.Stream(below))

		check(s.WaitSendAllMightNotBlock(ctx))
		check(s.SendAll(ctx, []byte("hello")))
		fmt.Println(receive(ctx, s))
		check(s.SendEOF(ctx)) // and receiving goes on
		_, err = s.ReceiveSome(ctx, make([]byte, 1))
		fmt.Println(err)
		return s.Close(ctx)
	})
	// Output:
	// true
	// true
	// asked for localhost
	// tea <nil>
	// true [localhost] false
	// true
	// 32 <nil>
	// true
	// hello
	// EOF
}

func Example_truncated() {
	server, client := certificates()
	for _, compatible := range []bool{false, true} {
		near, far := trigotest.NewMemoryPair()
		inNursery(func(ctx context.Context, n *nursery.Nursery) error {
			n.Go(func(ctx context.Context) error {
				s := tlsstream.Server(far, server, nil)
				check(s.Handshake(ctx))
				return far.Close(ctx) // without a close_notify
			})
			s := tlsstream.Client(near, client, &tlsstream.Options{HTTPSCompatible: compatible})
			_, err := s.ReceiveSome(ctx, make([]byte, 1))
			fmt.Println(errors.Is(err, trigo.ErrTruncated), err == io.EOF)
			return trigo.CloseForcefully(s)
		})
	}
	// Output:
	// true false
	// false true
}

func Example_unwrap() {
	server, client := certificates()
	near, far := trigotest.NewMemoryPair()
	inNursery(func(ctx context.Context, n *nursery.Nursery) error {
		n.Go(func(ctx context.Context) error {
			s := tlsstream.Server(far, server, nil)
			transport, trailing, err := s.Unwrap(ctx)
			if err != nil {
				return err
			}
			text := string(trailing) // comes first
			for chunk, err := range trigo.Chunks(ctx, transport) {
				if err != nil {
					return err
				}
				text += string(chunk)
			}
			fmt.Println(text)
			return transport.Close(ctx)
		})
		s := tlsstream.Client(near, client, nil)
		transport, _, err := s.Unwrap(ctx)
		if err != nil {
			return err
		}
		return errors.Join(transport.SendAll(ctx, []byte("in the clear")), transport.Close(ctx))
	})
	// Output: in the clear
}

func Example_tlsListener() {
	server, client := certificates()
	inNursery(func(ctx context.Context, n *nursery.Nursery) error {
		tcp, err := netstream.ListenTCP(ctx, "127.0.0.1:0", nil) // or any other listener
		if err != nil {
			return err
		}
		var l *tlsstream.Listener = tlsstream.NewListener(tcp[0], server, &tlsstream.Options{HTTPSCompatible: true})
		fmt.Println(l.Underlying() == tcp[0]) // transport_listener

		n.Go(func(ctx context.Context) error {
			s, err := l.Accept(ctx) // does not wait for the handshake
			if err != nil {
				return err
			}
			return echo(ctx, s)
		})
		s, err := tlsstream.DialTCP(ctx, tcp[0].Addr().String(), client, nil)
		if err != nil {
			return err
		}
		if err := s.SendAll(ctx, []byte("hello")); err != nil {
			return err
		}
		fmt.Println(receive(ctx, s))
		return errors.Join(s.Close(ctx), l.Close(ctx))
	})
	// Output:
	// true
	// hello
}
