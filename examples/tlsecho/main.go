// Command tlsecho is an echo server that speaks TLS, with a certificate made for
// the occasion. It prints the pin by which a client can know it:
//
//	tlsecho 127.0.0.1:4443
//	curl --pinnedpubkey sha256//... -k telnet://... # or any other client
package main

import (
	"context"
	"crypto/tls"
	"log"
	"os"

	"trigo"
	"trigo/signals"
	"trigo/tlsstream"
	"trigo/tlsstream/devcert"
)

func main() {
	ca, err := devcert.NewAuthority()
	if err != nil {
		log.Fatal(err)
	}
	leaf, err := ca.Leaf(nil, "localhost", "127.0.0.1")
	if err != nil {
		log.Fatal(err)
	}
	log.Println("pin", devcert.Pin(leaf.Leaf))

	err = signals.Shutdown(context.Background(), func(ctx context.Context) error {
		config := &tls.Config{Certificates: []tls.Certificate{leaf}}
		return tlsstream.ServeTCP(ctx, os.Args[1], config, echo, &tlsstream.ServeTCPOptions{
			Ready:          func(ls []*tlsstream.Listener) { log.Println("listening on", ls[0]) },
			HandshakeError: func(err error) { log.Println(err) },
			Serve:          trigo.ServeOptions{HandlerError: logged},
		})
	})
	if err != nil {
		log.Println(err)
	}
}

// echo sends everything back. Its end of file is TLS's own: the client knows
// that nothing was cut off.
func echo(ctx context.Context, client *tlsstream.Stream) error {
	for chunk, err := range trigo.Chunks(ctx, client) {
		if err != nil {
			return err
		}
		if err := client.SendAll(ctx, chunk); err != nil {
			return err
		}
	}
	return client.SendEOF(ctx)
}

func logged(err error) error {
	log.Println(err)
	return nil
}
