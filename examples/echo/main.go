// Command echo sends back to each TCP client what it sends. On SIGTERM it
// accepts nobody any more, and ends when the clients that it has are done.
package main

import (
	"context"
	"log"
	"os"
	"syscall"

	"trigo"
	"trigo/netstream"
	"trigo/nursery"
	"trigo/signals"
)

func main() {
	if err := serve(context.Background(), os.Args[1]); err != nil {
		log.Fatal(err)
	}
	log.Println("everyone is served")
}

func serve(ctx context.Context, address string) error {
	stop := make(chan struct{})
	return nursery.Run(ctx, func(ctx context.Context, n *nursery.Nursery) error {
		terms, err := signals.Open(os.Interrupt, syscall.SIGTERM)
		if err != nil {
			return err
		}
		defer terms.Close(ctx)
		n.Go(func(ctx context.Context) error {
			_, err := terms.Receive(ctx)
			close(stop)
			return err
		})
		defer n.Cancel(nil)
		return netstream.ServeTCP(ctx, address, echo, &netstream.ServeTCPOptions{
			Ready: func(ls []*netstream.Listener) { log.Println("listening on", ls[0].Addr()) },
			Serve: trigo.ServeOptions{Stop: stop, HandlerError: logged},
		})
	})
}

// echo ends when the client has ended its half, or is gone.
func echo(ctx context.Context, client *netstream.Stream) error {
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

// logged keeps the server going whatever becomes of one client.
func logged(err error) error {
	log.Println(err)
	return nil
}
