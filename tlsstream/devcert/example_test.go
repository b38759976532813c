package devcert_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log"

	"trigo/nursery"
	"trigo/tlsstream"
	"trigo/tlsstream/devcert"
	"trigo/trigotest"
)

// An authority for one test: its leaf for the server, its pool for the client.
func ExampleNewAuthority() {
	ca, err := devcert.NewAuthority()
	if err != nil {
		log.Fatal(err)
	}
	leaf, err := ca.Leaf(nil, "localhost", "127.0.0.1")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(handshake(
		&tls.Config{Certificates: []tls.Certificate{leaf}},
		&tls.Config{RootCAs: ca.Pool(), ServerName: "localhost"}))
	// Output: <nil>
}

// A peer that is known by its key, and needs no authority.
func ExampleVerifyPin() {
	ca, err := devcert.NewAuthority()
	if err != nil {
		log.Fatal(err)
	}
	known, err := ca.Leaf(nil, "known")
	if err != nil {
		log.Fatal(err)
	}
	other, err := ca.Leaf(nil, "other")
	if err != nil {
		log.Fatal(err)
	}
	client := &tls.Config{InsecureSkipVerify: true, VerifyConnection: devcert.VerifyPin(devcert.Pin(known.Leaf))}

	fmt.Println(handshake(&tls.Config{Certificates: []tls.Certificate{known}}, client))
	err = handshake(&tls.Config{Certificates: []tls.Certificate{other}}, client)
	fmt.Println(errors.Is(err, devcert.ErrPin))
	// Output:
	// <nil>
	// true
}

// handshake returns what the client says about the server.
func handshake(server, client *tls.Config) error {
	near, far := trigotest.NewMemoryPair()
	return nursery.Run(context.Background(), func(ctx context.Context, n *nursery.Nursery) error {
		n.Go(func(ctx context.Context) error {
			s := tlsstream.Server(far, server, nil)
			_ = s.Handshake(ctx) // the client tells what was wrong
			return s.Abort()
		})
		s := tlsstream.Client(near, client, nil)
		defer s.Abort()
		return s.Handshake(ctx)
	})
}
