package tlsstream

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"runtime"
	"strconv"
	"testing"

	"trigo"
	"trigo/internal/bench"
	"trigo/netstream"
)

// The benchmarks of this file measure a Stream on a netstream.Stream against a
// tls.Conn on a net.Conn, with the same configuration, in one process and by
// turns: a shared machine is too noisy to compare two runs. Each reports the
// median over the rounds of the time of crypto/tls divided by ours: above 1 we
// are faster ("speed", with the quartiles "q1" and "q3").
//
//	go test -run '^$' -bench Speed ./tlsstream
//
// The cipher is AES-128-GCM in TLS 1.3, as Go chooses it where the processor
// has instructions for it.

func benchConfigs() (client, server *tls.Config) {
	client, server = clientConfig13(), serverConfig()
	client.MinVersion = tls.VersionTLS13
	return client, server
}

func rawPair(tb testing.TB) (client, server net.Conn) {
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

func theirPair(tb testing.TB) (client, server *tls.Conn) {
	tb.Helper()
	c, s := rawPair(tb)
	cc, sc := benchConfigs()
	client, server = tls.Client(c, cc), tls.Server(s, sc)
	if err, err2 := both(client.Handshake, server.Handshake); err != nil || err2 != nil {
		tb.Fatal(err, err2)
	}
	if suite := client.ConnectionState().CipherSuite; suite != tls.TLS_AES_128_GCM_SHA256 {
		tb.Skipf("the cipher is %s here, not AES-128-GCM", tls.CipherSuiteName(suite))
	}
	return client, server
}

func ourPair(tb testing.TB) (client, server *Stream) {
	tb.Helper()
	c, s := rawPair(tb)
	cc, sc := benchConfigs()
	client, server = Client(fromConn(tb, c), cc, nil), Server(fromConn(tb, s), sc, nil)
	// Under a ctx that never ends: a benchmark that uses the socket itself must
	// not meet the deadline that the end of a ctx has set.
	ctx := context.Background()
	shake := func(s *Stream) func() error { return func() error { return s.Handshake(ctx) } }
	if err, err2 := both(shake(client), shake(server)); err != nil || err2 != nil {
		tb.Fatal(err, err2)
	}
	return client, server
}

func fromConn(tb testing.TB, c net.Conn) *netstream.Stream {
	tb.Helper()
	s, err := netstream.FromConn(c)
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

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

// BenchmarkSpeedBulkSend sends 1 MiB at a time. The receiver is the same for
// both, and only empties the socket, so that nothing but sending differs.
func BenchmarkSpeedBulkSend(b *testing.B) {
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	data := make([]byte, 1<<20)
	client, server := ourPair(b)
	theirClient, theirServer := theirPair(b)
	socket, _ := trigo.As[net.Conn](server)
	for _, c := range []net.Conn{socket, theirServer.NetConn()} {
		go func() {
			buf := make([]byte, 256<<10)
			for {
				if _, err := c.Read(buf); err != nil {
					return
				}
			}
		}()
	}
	b.SetBytes(int64(len(data)))
	bench.Speed(b, "crypto/tls", func(n int) {
		for range n {
			if err := client.SendAll(ctx, data); err != nil {
				b.Fatal(err)
			}
		}
	}, func(n int) {
		for range n {
			if _, err := theirClient.Write(data); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkSpeedBulkTransfer sends 1 MiB at a time to a peer that receives all
// of it: each with its own kind.
func BenchmarkSpeedBulkTransfer(b *testing.B) {
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	data := make([]byte, 1<<20)
	client, server := ourPair(b)
	theirClient, theirServer := theirPair(b)
	received := make(chan error)
	go func() {
		buf := make([]byte, len(data))
		for {
			err := receiveFull(ctx, server, buf)
			received <- err
			if err != nil {
				return
			}
		}
	}()
	go func() {
		buf := make([]byte, len(data))
		for {
			_, err := io.ReadFull(theirServer, buf)
			received <- err
			if err != nil {
				return
			}
		}
	}()
	b.SetBytes(int64(len(data)))
	bench.Speed(b, "crypto/tls", func(n int) {
		for range n {
			if err := client.SendAll(ctx, data); err != nil {
				b.Fatal(err)
			}
			if err := <-received; err != nil {
				b.Fatal(err)
			}
		}
	}, func(n int) {
		for range n {
			if _, err := theirClient.Write(data); err != nil {
				b.Fatal(err)
			}
			if err := <-received; err != nil {
				b.Fatal(err)
			}
		}
	})
	client.Abort()
	theirClient.Close()
	<-received
	<-received
}

// BenchmarkSpeedPingPong sends a few words, or a record of the largest size, to
// and fro.
func BenchmarkSpeedPingPong(b *testing.B) {
	for _, size := range []int{64, maxPlaintext} {
		b.Run(strconv.Itoa(size), func(b *testing.B) { speedPingPong(b, size) })
	}
}

func speedPingPong(b *testing.B, size int) {
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	client, server := ourPair(b)
	theirClient, theirServer := theirPair(b)
	go func() {
		buf := make([]byte, size)
		for receiveFull(ctx, server, buf) == nil && server.SendAll(ctx, buf) == nil {
		}
	}()
	go func() {
		buf := make([]byte, size)
		for {
			if _, err := io.ReadFull(theirServer, buf); err != nil {
				return
			}
			if _, err := theirServer.Write(buf); err != nil {
				return
			}
		}
	}()
	buf := make([]byte, size)
	bench.Speed(b, "crypto/tls", func(n int) {
		for range n {
			if err := client.SendAll(ctx, buf); err != nil {
				b.Fatal(err)
			}
			if err := receiveFull(ctx, client, buf); err != nil {
				b.Fatal(err)
			}
		}
	}, func(n int) {
		for range n {
			if _, err := theirClient.Write(buf); err != nil {
				b.Fatal(err)
			}
			if _, err := io.ReadFull(theirClient, buf); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkSpeedHandshake does the handshake at both ends, over a new TCP
// connection, and one byte each way.
func BenchmarkSpeedHandshake(b *testing.B) {
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	cc, sc := benchConfigs()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	connect := func() (c, s net.Conn) {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			b.Fatal(err)
		}
		if s, err = l.Accept(); err != nil {
			b.Fatal(err)
		}
		return c, s
	}
	bench.Speed(b, "crypto/tls", func(n int) {
		for range n {
			c, s := connect()
			client, server := Client(fromConn(b, c), cc, nil), Server(fromConn(b, s), sc, nil)
			err, err2 := both(func() error {
				if err := client.SendAll(ctx, []byte("x")); err != nil {
					return err
				}
				return receiveFull(ctx, client, make([]byte, 1))
			}, func() error {
				if err := receiveFull(ctx, server, make([]byte, 1)); err != nil {
					return err
				}
				return server.SendAll(ctx, []byte("y"))
			})
			if err != nil || err2 != nil {
				b.Fatal(err, err2)
			}
			client.Close(ctx)
			server.Close(ctx)
		}
	}, func(n int) {
		for range n {
			c, s := connect()
			client, server := tls.Client(c, cc), tls.Server(s, sc)
			err, err2 := both(func() error {
				if _, err := client.Write([]byte("x")); err != nil {
					return err
				}
				_, err := io.ReadFull(client, make([]byte, 1))
				return err
			}, func() error {
				if _, err := io.ReadFull(server, make([]byte, 1)); err != nil {
					return err
				}
				_, err := server.Write([]byte("y"))
				return err
			})
			if err != nil || err2 != nil {
				b.Fatal(err, err2)
			}
			client.Close()
			server.Close()
		}
	})
}

// BenchmarkIdleBytes reports what a connection holds on the heap, both ends
// together, once its handshake is done and a message has gone each way. With a
// receiver waiting on each end, its stack counts too.
func BenchmarkIdleBytes(b *testing.B) {
	const conns = 200
	for _, waiting := range []bool{false, true} {
		name := map[bool]string{false: "alone", true: "receiver-waits"}[waiting]
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				ours := idleBytes(b, conns, func() func() { return ourIdle(b, waiting) })
				theirs := idleBytes(b, conns, func() func() { return theirIdle(b, waiting) })
				b.ReportMetric(ours, "trigo-B/conn")
				b.ReportMetric(theirs, "crypto/tls-B/conn")
				b.ReportMetric(ours/theirs, "ratio")
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}

// idleBytes opens as many connections once before it counts: the runtime keeps
// the goroutines that have ended, and whoever came first would pay for those of
// both.
func idleBytes(b *testing.B, conns int, open func() (closing func())) (perConn float64) {
	for range 2 {
		before := inUse()
		closings := make([]func(), conns)
		for i := range closings {
			closings[i] = open()
		}
		perConn = (float64(inUse()) - float64(before)) / float64(conns)
		for _, c := range closings {
			c()
		}
	}
	return perConn
}

// inUse returns the bytes in use on the heap and in stacks.
func inUse() uint64 {
	for range 3 {
		runtime.GC() // the pools are empty after the second
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc + m.StackInuse
}

func ourIdle(b *testing.B, waiting bool) func() {
	ctx, cancel := context.WithCancel(context.Background())
	client, server := ourPair(b)
	buf := make([]byte, 1)
	for _, way := range [][2]*Stream{{client, server}, {server, client}} {
		if err := way[0].SendAll(ctx, buf); err != nil {
			b.Fatal(err)
		}
		if err := receiveFull(ctx, way[1], buf); err != nil {
			b.Fatal(err)
		}
	}
	wait := func(s *Stream) chan struct{} {
		done := make(chan struct{})
		go func() {
			defer close(done)
			s.ReceiveSome(ctx, make([]byte, 1))
		}()
		return done
	}
	var waits []chan struct{}
	if waiting {
		waits = append(waits, wait(client), wait(server))
	}
	return func() {
		cancel()
		for _, w := range waits {
			<-w
		}
		client.Abort()
		server.Abort()
	}
}

func theirIdle(b *testing.B, waiting bool) func() {
	client, server := theirPair(b)
	buf := make([]byte, 1)
	for _, way := range [][2]*tls.Conn{{client, server}, {server, client}} {
		if _, err := way[0].Write(buf); err != nil {
			b.Fatal(err)
		}
		if _, err := io.ReadFull(way[1], buf); err != nil {
			b.Fatal(err)
		}
	}
	wait := func(c *tls.Conn) chan struct{} {
		done := make(chan struct{})
		go func() {
			defer close(done)
			c.Read(make([]byte, 1))
		}()
		return done
	}
	var waits []chan struct{}
	if waiting {
		waits = append(waits, wait(client), wait(server))
	}
	return func() {
		client.NetConn().Close()
		server.NetConn().Close()
		for _, w := range waits {
			<-w
		}
	}
}
