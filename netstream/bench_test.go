package netstream

import (
	"context"
	"io"
	"net"
	"testing"
	"time"

	"trigo"
	"trigo/internal/bench"
)

// The benchmarks of this file measure a Stream against the net.Conn it is made
// of, in one process and interleaved: a shared machine is too noisy to compare
// two runs. Each reports the median over the rounds of trigo's time divided by
// net's ("ratio"), with the quartiles ("q1", "q3"), and ns/op of both.
//
//	go test -run '^$' -bench Ratio ./netstream

// tcpPair returns both ends of a connection over loopback.
func tcpPair(tb testing.TB) (client, server net.Conn) {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	defer l.Close()
	client, err = net.Dial("tcp", l.Addr().String())
	if err != nil {
		tb.Fatal(err)
	}
	server, err = l.Accept()
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { client.Close(); server.Close() })
	return client, server
}

// streamPair is tcpPair as streams.
func streamPair(tb testing.TB) (client, server *Stream) {
	tb.Helper()
	c, s := tcpPair(tb)
	return mustFromConn(tb, c), mustFromConn(tb, s)
}

func mustFromConn(tb testing.TB, c net.Conn) *Stream {
	tb.Helper()
	s, err := FromConn(c)
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

const ping = 64

func receiveFull(ctx context.Context, r trigo.ReceiveStream, p []byte) error {
	for len(p) > 0 {
		n, err := r.ReceiveSome(ctx, p)
		if err != nil {
			return err
		}
		p = p[n:]
	}
	return nil
}

func BenchmarkRatioPingPongLongLivedContext(b *testing.B) {
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	client, server := streamPair(b)
	go func() {
		buf := make([]byte, ping)
		for receiveFull(ctx, server, buf) == nil && server.SendAll(ctx, buf) == nil {
		}
	}()
	buf := make([]byte, ping)
	ours := func(n int) {
		for range n {
			if err := client.SendAll(ctx, buf); err != nil {
				b.Fatal(err)
			}
			if err := receiveFull(ctx, client, buf); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportAllocs()
	bench.Ratio(b, "net", ours, rawPingPong(b, func() func() { return func() {} }))
}

// rawPingPong returns n round trips over net.Conn, with before called (and
// what it returns deferred) at every call on both sides.
func rawPingPong(b *testing.B, before func() func()) func(n int) {
	c, s := tcpPair(b)
	go func() {
		buf := make([]byte, ping)
		for {
			after := before()
			if _, err := io.ReadFull(s, buf); err != nil {
				return
			}
			after()
			after = before()
			if _, err := s.Write(buf); err != nil {
				return
			}
			after()
		}
	}()
	buf := make([]byte, ping)
	return func(n int) {
		for range n {
			after := before()
			if _, err := c.Write(buf); err != nil {
				b.Fatal(err)
			}
			after()
			after = before()
			if _, err := io.ReadFull(c, buf); err != nil {
				b.Fatal(err)
			}
			after()
		}
	}
}

func BenchmarkRatioPingPongNewContextEachCall(b *testing.B) {
	fresh := func() (context.Context, context.CancelFunc) {
		return context.WithTimeout(context.Background(), time.Minute)
	}
	client, server := streamPair(b)
	send := func(s *Stream, p []byte) error {
		ctx, cancel := fresh()
		defer cancel()
		return s.SendAll(ctx, p)
	}
	receive := func(s *Stream, p []byte) error {
		ctx, cancel := fresh()
		defer cancel()
		return receiveFull(ctx, s, p)
	}
	go func() {
		buf := make([]byte, ping)
		for receive(server, buf) == nil && send(server, buf) == nil {
		}
	}()
	buf := make([]byte, ping)
	ours := func(n int) {
		for range n {
			if err := send(client, buf); err != nil {
				b.Fatal(err)
			}
			if err := receive(client, buf); err != nil {
				b.Fatal(err)
			}
		}
	}
	bench.Ratio(b, "net", ours, rawPingPong(b, func() func() {
		_, cancel := fresh()
		return cancel
	}))
}

// BenchmarkRatioReadyRead reads what has already arrived, so that no call has
// to wait. The sender fills in chunks that are read in small pieces.
func BenchmarkRatioReadyRead(b *testing.B) {
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	client, server := streamPair(b)
	rc, rs := tcpPair(b)
	const chunk = 16 << 10
	data := make([]byte, chunk)
	buf := make([]byte, ping)
	ours := func(n int) {
		left := 0
		for range n {
			if left == 0 {
				if err := client.SendAll(ctx, data); err != nil {
					b.Fatal(err)
				}
				left = chunk
			}
			if err := receiveFull(ctx, server, buf); err != nil {
				b.Fatal(err)
			}
			left -= ping
		}
		for ; left > 0; left -= ping {
			if err := receiveFull(ctx, server, buf); err != nil {
				b.Fatal(err)
			}
		}
	}
	raw := func(n int) {
		left := 0
		for range n {
			if left == 0 {
				if _, err := rc.Write(data); err != nil {
					b.Fatal(err)
				}
				left = chunk
			}
			if _, err := io.ReadFull(rs, buf); err != nil {
				b.Fatal(err)
			}
			left -= ping
		}
		for ; left > 0; left -= ping {
			if _, err := io.ReadFull(rs, buf); err != nil {
				b.Fatal(err)
			}
		}
	}
	bench.Ratio(b, "net", ours, raw)
}

func BenchmarkRatioBulkSend(b *testing.B) {
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	const size = 1 << 20
	client, server := streamPair(b)
	rc, rs := tcpPair(b)
	go func() { // the same receiver for both, so that only sending differs
		buf := make([]byte, 256<<10)
		for {
			if _, err := server.conn().Read(buf); err != nil {
				return
			}
		}
	}()
	go func() {
		buf := make([]byte, 256<<10)
		for {
			if _, err := rs.Read(buf); err != nil {
				return
			}
		}
	}()
	data := make([]byte, size)
	bench.Ratio(b, "net", func(n int) {
		for range n {
			if err := client.SendAll(ctx, data); err != nil {
				b.Fatal(err)
			}
		}
	}, func(n int) {
		for range n {
			if _, err := rc.Write(data); err != nil {
				b.Fatal(err)
			}
		}
	})
}
