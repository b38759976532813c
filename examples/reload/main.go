// Command reload serves the content of a file, and reads the file anew when it
// gets SIGHUP. A file that cannot be read leaves the old content in place.
package main

import (
	"context"
	"log"
	"os"
	"sync/atomic"
	"syscall"

	"trigo/netstream"
	"trigo/nursery"
	"trigo/signals"
)

func main() {
	err := signals.Shutdown(context.Background(), func(ctx context.Context) error {
		return run(ctx, os.Args[1], os.Args[2])
	})
	log.Println(err)
}

func run(ctx context.Context, address, file string) error {
	var content atomic.Pointer[[]byte]
	load := func() error {
		data, err := os.ReadFile(file)
		if err == nil {
			content.Store(&data)
		}
		return err
	}

	// Opened before anything is loaded: from here on no SIGHUP is lost.
	hangups, err := signals.Open(syscall.SIGHUP)
	if err != nil {
		return err
	}
	defer hangups.Close(ctx)
	if err := load(); err != nil {
		return err
	}
	return nursery.Run(ctx, func(ctx context.Context, n *nursery.Nursery) error {
		n.Go(func(ctx context.Context) error {
			for _, err := range hangups.All(ctx) {
				if err != nil {
					return err
				}
				log.Println("reloaded:", load())
			}
			return nil
		})
		return netstream.ServeTCP(ctx, address, func(ctx context.Context, client *netstream.Stream) error {
			if err := client.SendAll(ctx, *content.Load()); err != nil {
				log.Println(err)
				return nil
			}
			return client.SendEOF(ctx)
		}, &netstream.ServeTCPOptions{
			Ready: func(ls []*netstream.Listener) { log.Println("listening on", ls[0].Addr()) },
		})
	})
}
