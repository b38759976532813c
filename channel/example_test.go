package channel_test

import (
	"context"
	"fmt"
	"iter"

	"trigo"
	"trigo/channel"
	"trigo/nursery"
)

// Two producers, each with a handle of its own: the last of them ends the
// channel, and nobody has to count.
func ExampleSender_Clone() {
	s, r := channel.Open[string](0)
	err := nursery.Run(context.Background(), func(ctx context.Context, n *nursery.Nursery) error {
		for _, name := range []string{"one", "two"} {
			own, err := s.Clone()
			if err != nil {
				return err
			}
			n.Go(func(ctx context.Context) error {
				defer own.Close(ctx)
				return own.Send(ctx, name)
			})
		}
		s.Close(ctx)
		count := 0
		for _, err := range trigo.Values(ctx, r) {
			if err != nil {
				return err
			}
			count++
		}
		fmt.Println(count, "values")
		return nil
	})
	fmt.Println(err)
	// Output:
	// 2 values
	// <nil>
}

// A display wants the newest figure, and does not care for those it missed.
func ExampleBroadcast() {
	ctx := context.Background()
	b := channel.OpenBroadcast[int](1, channel.SkipToNewest)
	display, _ := b.Subscribe()
	for figure := range 10 {
		b.Send(ctx, figure) // never waits
	}
	b.Close(ctx)
	for figure := range trigo.Values(ctx, display) {
		fmt.Println(figure)
	}
	fmt.Println(display.Statistics().Lost, "missed")
	// Output:
	// 9
	// 9 missed
}

// The loop is left early, and the iterator has run its deferred calls when
// FromSeq returns.
func ExampleFromSeq() {
	countdown := func(ctx context.Context) iter.Seq2[int, error] {
		return func(yield func(int, error) bool) {
			defer fmt.Println("cleaned up")
			for i := 10; i > 0 && yield(i, nil); i-- {
			}
		}
	}
	err := channel.FromSeq(context.Background(), countdown, func(ctx context.Context, r *channel.Receiver[int]) error {
		for i, err := range trigo.Values(ctx, r) {
			if err != nil {
				return err
			}
			fmt.Println(i)
			if i == 9 {
				break
			}
		}
		return nil
	})
	fmt.Println(err)
	// Output:
	// 10
	// 9
	// cleaned up
	// <nil>
}
