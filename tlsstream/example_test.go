package tlsstream_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"log"
	"time"

	"trigo"
	"trigo/netstream"
	"trigo/nursery"
	"trigo/tlsstream"
	"trigo/tlsstream/devcert"
	"trigo/trigotest"
)

// TLS does not need a socket. Here both ends speak it over a pipe in memory,
// with certificates that nobody has to keep.
func Example() {
	ca, err := devcert.NewAuthority()
	if err != nil {
		log.Fatal(err)
	}
	leaf, err := ca.Leaf(nil, "localhost")
	if err != nil {
		log.Fatal(err)
	}
	a, b := trigotest.NewMemoryPair()
	client := tlsstream.Client(a, &tls.Config{ServerName: "localhost", RootCAs: ca.Pool()}, nil)
	server := tlsstream.Server(b, &tls.Config{Certificates: []tls.Certificate{leaf}}, nil)

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	err = nursery.Run(ctx, func(ctx context.Context, n *nursery.Nursery) error {
		n.Go(func(ctx context.Context) error {
			defer server.Close(ctx)
			for chunk, err := range trigo.Chunks(ctx, server) {
				if err != nil {
					return err
				}
				if err := server.SendAll(ctx, append([]byte("you said: "), chunk...)); err != nil {
					return err
				}
			}
			return nil // the client has sent close_notify
		})

		defer client.Close(ctx)
		if err := client.SendAll(ctx, []byte("hello")); err != nil { // does the handshake too
			return err
		}
		fmt.Println(client)
		if err := client.SendEOF(ctx); err != nil {
			return err
		}
		for chunk, err := range trigo.Chunks(ctx, client) {
			if err != nil {
				return err
			}
			fmt.Printf("%s\n", chunk)
		}
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}
	// Output:
	// tls1.3 localhost
	// you said: hello
}

// The handler meets only clients that have completed the handshake.
func ExampleServeTCP() {
	ca, err := devcert.NewAuthority()
	if err != nil {
		log.Fatal(err)
	}
	leaf, err := ca.Leaf(nil, "localhost")
	if err != nil {
		log.Fatal(err)
	}
	serve := func(ctx context.Context, started func(addr string)) error {
		config := &tls.Config{Certificates: []tls.Certificate{leaf}}
		greet := func(ctx context.Context, s *tlsstream.Stream) error {
			defer s.Close(ctx)
			return s.SendAll(ctx, []byte("welcome"))
		}
		return tlsstream.ServeTCP(ctx, "127.0.0.1:0", config, greet, &tlsstream.ServeTCPOptions{
			Ready: func(ls []*tlsstream.Listener) {
				below, _ := trigo.As[*netstream.Listener](ls[0])
				started(below.Addr().String())
			},
		})
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	err = nursery.Run(ctx, func(ctx context.Context, n *nursery.Nursery) error {
		defer n.Cancel(nil)
		addr, err := nursery.Start(ctx, n, serve)
		if err != nil {
			return err
		}
		config := &tls.Config{ServerName: "localhost", RootCAs: ca.Pool()}
		s, err := tlsstream.DialTCP(ctx, addr, config, nil)
		if err != nil {
			return err
		}
		defer s.Close(ctx)
		for chunk, err := range trigo.Chunks(ctx, s) {
			if err != nil {
				return err
			}
			fmt.Printf("%s\n", chunk)
		}
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}
	// Output: welcome
}
