package relay_test

import (
	"context"
	"io"
	"net"
	"os"
	"sync"
	"testing"

	"trigo/internal/bench"
	"trigo/netstream"
	"trigo/relay"
)

// The benchmarks of this file measure a relay against two io.Copy between the
// same kinds of net.Conn, in one process and by turns: a shared machine is too
// noisy to compare two runs. Each reports the median over the rounds of io.Copy's
// time divided by the relay's ("speed": 1.5 is half as fast again), with the
// quartiles.
//
//	go test -run '^$' -bench Relay ./relay

// conns returns the two ends of a connection.
func conns(tb testing.TB, network string) (near, far net.Conn) {
	tb.Helper()
	address := "127.0.0.1:0"
	if network == "unix" {
		address = tb.TempDir() + "/s"
	}
	l, err := net.Listen(network, address)
	if err != nil {
		tb.Fatal(err)
	}
	defer l.Close()
	near, err = net.Dial(network, l.Addr().String())
	if err != nil {
		tb.Fatal(err)
	}
	far, err = l.Accept()
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { near.Close(); far.Close() })
	return near, far
}

// joined is two peers with something between them.
type joined struct{ client, server net.Conn }

// byRelay joins the peers by a relay.
func byRelay(tb testing.TB, networks [2]string, opts *relay.Options) joined {
	client, a := conns(tb, networks[0])
	b, server := conns(tb, networks[1])
	done := make(chan struct{})
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		defer close(done)
		relay.Run(ctx, adopt(tb, a), adopt(tb, b), opts)
	}()
	tb.Cleanup(func() { cancel(); <-done })
	return joined{client, server}
}

// byCopy joins the peers as every tutorial does.
func byCopy(tb testing.TB, networks [2]string) joined {
	client, a := conns(tb, networks[0])
	b, server := conns(tb, networks[1])
	go io.Copy(a, b)
	go io.Copy(b, a)
	return joined{client, server}
}

func adopt(tb testing.TB, c net.Conn) *netstream.Stream {
	tb.Helper()
	s, err := netstream.FromConn(c)
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// flood sends n bytes each way at once, in chunks, and waits until they have
// arrived.
func (j joined) flood(tb testing.TB, n int64) {
	var wg sync.WaitGroup
	chunk := make([]byte, 256<<10)
	for _, way := range [][2]net.Conn{{j.client, j.server}, {j.server, j.client}} {
		wg.Go(func() {
			for left := n; left > 0; left -= int64(len(chunk)) {
				if _, err := way[0].Write(chunk[:min(left, int64(len(chunk)))]); err != nil {
					tb.Error(err)
					return
				}
			}
		})
		wg.Go(func() {
			buf := make([]byte, 256<<10)
			for left := n; left > 0; {
				k, err := way[1].Read(buf)
				if err != nil {
					tb.Error(err)
					return
				}
				left -= int64(k)
			}
		})
	}
	wg.Wait()
}

// pingPong sends 64 bytes there and back, n times.
func (j joined) pingPong(tb testing.TB, n int64) {
	var wg sync.WaitGroup
	wg.Go(func() {
		buf := make([]byte, 64)
		for range n {
			if _, err := io.ReadFull(j.server, buf); err != nil {
				tb.Error(err)
				return
			}
			if _, err := j.server.Write(buf); err != nil {
				tb.Error(err)
				return
			}
		}
	})
	buf := make([]byte, 64)
	for range n {
		if _, err := j.client.Write(buf); err != nil {
			tb.Fatal(err)
		}
		if _, err := io.ReadFull(j.client, buf); err != nil {
			tb.Fatal(err)
		}
	}
	wg.Wait()
}

// speed runs both by turns and reports how many times as fast ours is as theirs.
func speed(b *testing.B, ours, theirs func()) {
	const rounds = 21
	times := bench.Turns(rounds, 1, func(int) { ours() }, func(int) { theirs() })
	times.Ratio(1, 0).Report(b, "speed")
}

var allNetworks = [][2]string{{"tcp", "tcp"}, {"tcp", "unix"}, {"unix", "tcp"}, {"unix", "unix"}}

// BenchmarkRelayBulk moves 32 MiB each way in a round; with TRIGO_SOAK, 4 GiB.
func BenchmarkRelayBulk(b *testing.B) {
	size := int64(32 << 20)
	if os.Getenv("TRIGO_SOAK") != "" {
		size = 4 << 30
	}
	for _, networks := range allNetworks {
		for _, mode := range []relay.CopyMode{relay.CopyAuto, relay.CopySplice, relay.CopyPlain} {
			b.Run(networks[0]+"-"+networks[1]+"/"+mode.String(), func(b *testing.B) {
				ours := byRelay(b, networks, &relay.Options{Copy: mode})
				theirs := byCopy(b, networks)
				speed(b, func() { ours.flood(b, size) }, func() { theirs.flood(b, size) })
			})
		}
	}
}

// BenchmarkRelayPingPong sends 64 bytes there and back.
func BenchmarkRelayPingPong(b *testing.B) {
	for _, networks := range allNetworks {
		for _, mode := range []relay.CopyMode{relay.CopyAuto, relay.CopySplice} {
			b.Run(networks[0]+"-"+networks[1]+"/"+mode.String(), func(b *testing.B) {
				ours := byRelay(b, networks, &relay.Options{Copy: mode})
				theirs := byCopy(b, networks)
				speed(b, func() { ours.pingPong(b, 2000) }, func() { theirs.pingPong(b, 2000) })
			})
		}
	}
}
