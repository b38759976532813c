//go:build linux || darwin || freebsd

package socket

import (
	"context"
	"net"
	"net/netip"
	"testing"
	"time"

	"trigo/internal/bench"
)

// The benchmarks of this file measure a Socket against package net in one process
// and interleaved, because a shared machine is too noisy to compare two runs. Each
// reports the median over the rounds of the one's time divided by the other's
// ("ratio"), with the quartiles ("q1", "q3"), and the medians of both.
//
//	go test -run '^$' -bench Ratio ./socket

const ping = 64

func BenchmarkRatioUDPPingPong(b *testing.B) {
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	client, from := bound(b, inet, dgram)
	server, to := bound(b, inet, dgram)
	go func() {
		buf := make([]byte, 2*ping)
		for {
			n, from, err := server.RecvFromAddrPort(ctx, buf, 0)
			if err != nil {
				return
			}
			server.SendToAddrPort(ctx, buf[:n], 0, from)
		}
	}()
	buf := make([]byte, 2*ping)
	ours := func(n int) {
		for range n {
			if _, err := client.SendToAddrPort(ctx, buf[:ping], 0, to.AddrPort); err != nil {
				b.Fatal(err)
			}
			if n, _, err := client.RecvFromAddrPort(ctx, buf, 0); err != nil || n != ping {
				b.Fatal(n, err)
			}
		}
	}
	_ = from
	b.ReportAllocs()
	theirs := netPingPong(b)
	b.ResetTimer()
	const rounds = 400 // in one b.N
	times := bench.Turns(rounds, max(b.N/rounds, 1), ours, theirs)
	times.Ratio(0, 1).Report(b, "ratio")
	b.ReportMetric(times.Of(0).Median, "a-ns/op")
	b.ReportMetric(times.Of(1).Median, "b-ns/op")
}

func netPingPong(b *testing.B) func(n int) {
	client, server := netUDP(b), netUDP(b)
	to := server.LocalAddr().(*net.UDPAddr).AddrPort()
	go func() {
		buf := make([]byte, 2*ping)
		for {
			n, from, err := server.ReadFromUDPAddrPort(buf)
			if err != nil {
				return
			}
			server.WriteToUDPAddrPort(buf[:n], from)
		}
	}()
	buf := make([]byte, 2*ping)
	return func(n int) {
		for range n {
			if _, err := client.WriteToUDPAddrPort(buf[:ping], to); err != nil {
				b.Fatal(err)
			}
			if n, _, err := client.ReadFromUDPAddrPort(buf); err != nil || n != ping {
				b.Fatal(n, err)
			}
		}
	}
}

func netUDP(tb testing.TB) *net.UDPConn {
	tb.Helper()
	c, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.MustParseAddrPort("127.0.0.1:0")))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { c.Close() })
	return c
}

// These receive what is already there, 64 datagrams one by one and in a batch. What is
// timed is receiving only.
func BenchmarkRatioReceiveSinglesOverBatch(b *testing.B) { receiveBatch(b, false) }

// The same, with the single ones received by package net.
func BenchmarkRatioReceiveNetSinglesOverBatch(b *testing.B) { receiveBatch(b, true) }

func receiveBatch(b *testing.B, byNet bool) {
	const batch = 64
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	client, _ := bound(b, inet, dgram)
	server, to := bound(b, inet, dgram)
	out, in := make([]Message, batch), make([]Message, batch)
	for i := range batch {
		out[i] = Message{Buffers: [][]byte{make([]byte, ping)}, AddrPort: to.AddrPort}
		in[i] = Message{Buffers: [][]byte{make([]byte, ping)}}
	}
	fill := func(to netip.AddrPort) {
		for i := range out {
			out[i].AddrPort = to
		}
		if n, err := client.SendBatch(ctx, out, 0); err != nil {
			b.Fatal(n, err)
		}
	}
	buf := make([]byte, ping)
	conn := netUDP(b)
	netTo := conn.LocalAddr().(*net.UDPAddr).AddrPort()
	singles := func() {
		for range batch {
			if byNet {
				if _, _, err := conn.ReadFromUDPAddrPort(buf); err != nil {
					b.Fatal(err)
				}
				continue
			}
			if _, _, err := server.RecvFromAddrPort(ctx, buf, 0); err != nil {
				b.Fatal(err)
			}
		}
	}
	batched := func() {
		for got := 0; got < batch; {
			n, err := server.RecvBatch(ctx, in[:batch-got], 0)
			if err != nil {
				b.Fatal(err)
			}
			got += n
		}
	}
	singleTo := to.AddrPort
	if byNet {
		singleTo = netTo
	}
	timed := func(f func(), to netip.AddrPort) float64 {
		fill(to)
		start := time.Now()
		f()
		return float64(time.Since(start)) / batch
	}
	b.ReportAllocs()
	receiving(b, "batch",
		func() float64 { return timed(singles, singleTo) },
		func() float64 { return timed(batched, to.AddrPort) })
}

// receiving takes turns with two ways to receive, of which each returns the time
// of one datagram.
func receiving(b *testing.B, name string, single, together func() float64) {
	b.ResetTimer()
	times := bench.Rounds(max(b.N, 20), single, together)
	times.Ratio(0, 1).Report(b, "ratio")
	b.ReportMetric(times.Of(0).Median, "single-ns/datagram")
	b.ReportMetric(times.Of(1).Median, name+"-ns/datagram")
}
