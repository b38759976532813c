package vnet_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"trigo"
	"trigo/netstream"
	"trigo/nursery"
	"trigo/trigotest/vnet"
)

// Two hosts and a name. The programs on them are unchanged: their ctx says
// where they run. In a bubble of testing/synctest the latency would cost no
// time.
func Example() {
	network := vnet.New(1)
	client, server := network.Host("client", "10.0.0.1"), network.Host("server", "10.0.0.2")
	network.Name("echo.test", "10.0.0.2")
	network.Link(client, server, vnet.Link{Latency: time.Millisecond})

	echo := func(ctx context.Context, s *netstream.Stream) error {
		for chunk, err := range trigo.Chunks(ctx, s) {
			if err != nil {
				return err
			}
			if err := s.SendAll(ctx, chunk); err != nil {
				return err
			}
		}
		return s.Close(ctx)
	}
	err := nursery.Run(context.Background(), func(ctx context.Context, n *nursery.Nursery) error {
		_, err := nursery.Start(ctx, n, func(ctx context.Context, started func([]*netstream.Listener)) error {
			return netstream.ServeTCP(server.Context(ctx), ":80", echo, &netstream.ServeTCPOptions{Ready: started})
		})
		if err != nil {
			return err
		}
		s, err := netstream.DialTCP(client.Context(ctx), "echo.test:80", nil)
		if err != nil {
			return err
		}
		defer n.Cancel(nil)
		if err := s.SendAll(ctx, []byte("hello")); err != nil {
			return err
		}
		p := make([]byte, 100)
		m, err := s.ReceiveSome(ctx, p)
		fmt.Printf("%s from %s\n", p[:m], s.RemoteAddr())
		return err
	})
	if err != nil {
		log.Fatal(err)
	}
	// Output: hello from 10.0.0.2:80
}
