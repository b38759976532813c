package nursery_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"trigo/nursery"
)

// The first failure cancels the others, and Run returns when all have ended.
func ExampleRun() {
	err := nursery.Run(context.Background(), func(ctx context.Context, n *nursery.Nursery) error {
		n.Go(func(ctx context.Context) error {
			<-ctx.Done() // works until it is cancelled
			fmt.Println("cleaning up")
			return ctx.Err()
		})
		n.Go(func(ctx context.Context) error {
			return errors.New("disk full")
		})
		return nil
	})
	fmt.Println(err)
	// Output:
	// cleaning up
	// disk full
}

// Start returns when the server is ready, with its address; the server goes on
// in the nursery.
func ExampleStart() {
	server := func(ctx context.Context, started func(address string)) error {
		started("127.0.0.1:4242")
		<-ctx.Done()
		return ctx.Err()
	}
	err := nursery.Run(context.Background(), func(ctx context.Context, n *nursery.Nursery) error {
		address, err := nursery.Start(ctx, n, server)
		if err != nil {
			return err
		}
		fmt.Println("listening on", address)
		n.Cancel(nil) // done: not an error
		return nil
	})
	fmt.Println(err)
	// Output:
	// listening on 127.0.0.1:4242
	// <nil>
}

// What is too slow is left out, without failing.
func ExampleMoveOnAfter() {
	ctx := context.Background()
	answer := "no answer in time"
	expired, err := nursery.MoveOnAfter(ctx, 10*time.Millisecond, func(ctx context.Context) error {
		select {
		case <-time.After(time.Hour):
			answer = "42"
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})
	fmt.Println(expired, err, answer)
	// Output: true <nil> no answer in time
}
