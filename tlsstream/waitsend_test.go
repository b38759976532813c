package tlsstream

import (
	"context"
	"crypto/tls"
	"testing"
	"testing/synctest"

	"trigo"
	"trigo/trigotest"
)

// beforeReceiving does something before each receive.
type beforeReceiving struct {
	trigo.Stream
	do func()
}

func (b *beforeReceiving) ReceiveSome(ctx context.Context, p []byte) (int, error) {
	b.do()
	return b.Stream.ReceiveSome(ctx, p)
}

// One that waits until it might send does not keep the other half of its stream
// from receiving, whatever the handshake has come to: the peer may have to send all it
// has before it receives.
func TestWaitingToSendDoesNotHoldUpTheHandshake(t *testing.T) {
	eachVersion(t, func(t *testing.T, config *tls.Config) {
		for _, name := range []string{"client", "server"} {
			t.Run(name, func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					a, b := trigotest.NewLockstepPair()
					waits := &beforeReceiving{}
					var waiter, peer *Stream
					if name == "client" {
						waits.Stream = a
						waiter, peer = Client(waits, config, nil), Server(b, serverConfig(), nil)
					} else {
						waits.Stream = b
						waiter, peer = Server(waits, serverConfig(), nil), Client(a, config, nil)
					}
					waits.do = func() {
						go waiter.WaitSendAllMightNotBlock(t.Context()) // one at a time gets further than ErrBusy
						synctest.Wait()
					}
					waits.do()
					data := make([]byte, 32<<10)
					err, err2 := both(func() error { return peer.SendAll(t.Context(), data) },
						func() error { return receiveFull(t.Context(), waiter, data) })
					wantIs(t, "send", err, nil)
					wantIs(t, "receive", err2, nil)
					waiter.Abort()
					peer.Abort()
				})
			})
		}
	})
}
