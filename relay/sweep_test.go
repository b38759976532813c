package relay_test

import (
	"context"
	"testing"

	"trigo"
	"trigo/relay"
	"trigo/trigotest"
)

// Wherever a relay is cancelled: it ends, both sides are released, and what has
// arrived is the beginning of what was sent.
func TestCancelSweepOfARelay(t *testing.T) {
	for name, makePair := range map[string]func() (a, b *trigo.StapledStream){
		"memory":   trigotest.NewMemoryPair,
		"lockstep": trigotest.NewLockstepPair,
	} {
		t.Run(name, func(t *testing.T) {
			trigotest.SweepCancel(t, func(ctx context.Context, s *trigotest.Sweep) error {
				client, x := makePair()
				y, server := makePair()
				a, b := s.Wrap(x), s.Wrap(y)
				s.Closed(a, b)
				client2, server2 := s.Tracked(client, server)
				s.Peer(func(ctx context.Context) error {
					if err := client2.SendAll(ctx, []byte("a question")); err != nil {
						return err
					}
					if err := client2.SendEOF(ctx); err != nil {
						return err
					}
					return drain(ctx, client2)
				})
				s.Peer(func(ctx context.Context) error {
					if err := server2.SendAll(ctx, []byte("a greeting")); err != nil {
						return err
					}
					if err := drain(ctx, server2); err != nil {
						return err
					}
					if err := server2.SendAll(ctx, []byte("an answer")); err != nil {
						return err
					}
					return server2.SendEOF(ctx)
				})
				_, err := relay.Run(ctx, a, b, nil)
				return err
			}, &trigotest.SweepOptions{Bubble: true})
		})
	}
}

func drain(ctx context.Context, r trigo.ReceiveStream) error {
	for _, err := range trigo.Chunks(ctx, r) {
		if err != nil {
			return err
		}
	}
	return nil
}
