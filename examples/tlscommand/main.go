// Command tlscommand speaks TLS with another program over its standard input and
// output: there is no socket in sight. It is its own other program, when called
// with "serve".
package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"log"
	"os"

	"trigo"
	"trigo/file"
	"trigo/nursery"
	"trigo/process"
	"trigo/tlsstream"
	"trigo/tlsstream/devcert"
)

func main() {
	run := ask
	if len(os.Args) > 1 && os.Args[1] == "serve" {
		run = serve
	}
	if err := run(context.Background()); err != nil {
		log.Fatal(err)
	}
}

// ask starts the other program, and has a conversation.
func ask(ctx context.Context) error {
	return nursery.Run(ctx, func(ctx context.Context, n *nursery.Nursery) error {
		child, err := nursery.Start(ctx, n, process.Supervise(&process.Command{
			Args: []string{os.Args[0], "serve"}, Stdin: process.Pipe, Stdout: process.Pipe,
		}))
		if err != nil {
			return err
		}
		// Who the child is we know: we started it.
		s := tlsstream.Client(child.Stdio(), &tls.Config{InsecureSkipVerify: true}, nil)
		defer s.Close(ctx)
		if err := s.SendAll(ctx, []byte("gopher\n")); err != nil {
			return err
		}
		answer, err := trigo.NewBufferedReceiver(s).ReceiveLine(ctx, 0)
		if err != nil {
			return err
		}
		fmt.Printf("%s over %s\n", answer, s)
		return s.Close(ctx) // the child sees a proven end, and ends
	})
}

// serve greets whoever is on standard input and output.
func serve(ctx context.Context) error {
	ca, err := devcert.NewAuthority()
	if err != nil {
		return err
	}
	leaf, err := ca.Leaf(nil, "localhost")
	if err != nil {
		return err
	}
	stdio, err := file.Stdio(ctx)
	if err != nil {
		return err
	}
	s := tlsstream.Server(stdio, &tls.Config{Certificates: []tls.Certificate{leaf}}, nil)
	defer s.Close(ctx)
	for name, err := range trigo.NewBufferedReceiver(s).Lines(ctx, 0) {
		if err != nil {
			return err
		}
		if err := s.SendAll(ctx, fmt.Appendf(nil, "hello %s\n", name)); err != nil {
			return err
		}
	}
	return s.Close(ctx)
}
