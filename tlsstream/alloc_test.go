package tlsstream

import (
	"context"
	"testing"
)

// A small message costs what crypto/tls allocates to decrypt it, once at each
// end of the round trip, and nothing of ours.
func TestAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the pools lose things on purpose under the race detector")
	}
	const perMessage = 1 // crypto/tls wraps its net.Conn for each record
	client, server := pair(t, tcpTransport, clientConfig13(), nil)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		buf := make([]byte, 64)
		for receiveFull(ctx, server, buf) == nil && server.SendAll(ctx, buf) == nil {
		}
	}()
	buf := make([]byte, 64)
	roundTrip := func() {
		if err := client.SendAll(ctx, buf); err != nil {
			t.Fatal(err)
		}
		if err := receiveFull(ctx, client, buf); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 { // the first two make the registrations of the ctx
		roundTrip()
	}
	if n := testing.AllocsPerRun(1000, roundTrip); n > 2*perMessage {
		t.Errorf("%v allocations in a round trip, want %d", n, 2*perMessage)
	}
}
