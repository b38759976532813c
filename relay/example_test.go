package relay_test

import (
	"context"
	"fmt"
	"log"

	"trigo"
	"trigo/nursery"
	"trigo/relay"
	"trigo/trigotest"
)

// A client and a server who do not know that they talk through a relay. The
// client ends its half first, and gets the answer all the same.
func ExampleRun() {
	client, a := trigotest.NewMemoryPair()
	b, server := trigotest.NewMemoryPair()

	err := nursery.Run(context.Background(), func(ctx context.Context, n *nursery.Nursery) error {
		n.Go(func(ctx context.Context) error {
			question, err := trigo.NewBufferedReceiver(server).ReceiveLine(ctx, 1024)
			if err != nil {
				return err
			}
			if err := server.SendAll(ctx, fmt.Appendf(nil, "%s? No idea.", question)); err != nil {
				return err
			}
			return server.Close(ctx)
		})
		n.Go(func(ctx context.Context) error {
			if err := client.SendAll(ctx, []byte("why")); err != nil {
				return err
			}
			if err := client.SendEOF(ctx); err != nil {
				return err
			}
			var answer []byte
			for chunk, err := range trigo.Chunks(ctx, client) {
				if err != nil {
					return err
				}
				answer = append(answer, chunk...)
			}
			fmt.Printf("%s\n", answer)
			return client.Close(ctx)
		})

		report, err := relay.Run(ctx, a, b, nil)
		fmt.Println(report.AToB.Bytes, report.AToB.End, report.BToA.Bytes, report.BToA.End)
		return err
	})
	if err != nil {
		log.Fatal(err)
	}
	// Unordered output:
	// why? No idea.
	// 3 eof 13 eof
}
