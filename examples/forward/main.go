// Command forward sends every TCP connection on to another address.
package main

import (
	"context"
	"log"
	"os"

	"trigo"
	"trigo/netstream"
	"trigo/relay"
)

func main() {
	listen, target := os.Args[1], os.Args[2]
	forward := func(ctx context.Context, client *netstream.Stream) error {
		server, err := netstream.DialTCP(ctx, target, nil)
		if err != nil {
			return err
		}
		_, err = relay.Run(ctx, client, server, nil)
		return err
	}
	log.Fatal(netstream.ServeTCP(context.Background(), listen, forward, &netstream.ServeTCPOptions{
		Ready: func(ls []*netstream.Listener) { log.Println("listening on", ls[0]) },
		Serve: trigo.ServeOptions{HandlerError: func(err error) error { log.Println(err); return nil }},
	}))
}
