// Command udpecho answers each datagram with its length and its sender.
package main

import (
	"context"
	"fmt"
	"log"
	"os"

	"trigo/netstream"
	"trigo/signals"
)

func main() {
	err := signals.Shutdown(context.Background(), func(ctx context.Context) error {
		return serve(ctx, os.Args[1])
	})
	log.Println(err)
}

func serve(ctx context.Context, address string) error {
	u, err := netstream.ListenUDP(ctx, address)
	if err != nil {
		return err
	}
	defer u.Close(ctx)
	log.Println("listening on", u.LocalAddr())
	buf := make([]byte, 64<<10) // no datagram is longer
	for {
		n, from, err := u.ReceiveFrom(ctx, buf)
		if err != nil {
			return err
		}
		// A datagram may get lost, so one that cannot be sent is no reason to end.
		if err := u.SendTo(ctx, fmt.Appendf(nil, "%d bytes from %s", n, from), from); err != nil {
			log.Println(err)
		}
	}
}
