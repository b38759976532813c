package rows

import (
	"context"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

func pingPongRows() []Row {
	return []Row{
		pingPong(64, 1.03),
		pingPong(16<<10, 0),
		echoRow(64, 1), echoRow(64, 50), echoRow(64, 1000),
		echoRow(16<<10, 1), echoRow(16<<10, 50), echoRow(16<<10, 1000),
		{Name: "ping-pong 64 B, a new timeout for each call", Setup: func(s *Scope) []Contestant {
			return []Contestant{trigoTimeouts(s), netDeadlines(s).within(1.15), afterFuncEachCall(s, 64)}
		}},
		{Name: "receive of 64 B that are there", Setup: func(s *Scope) []Contestant {
			return []Contestant{trigoReady(s, 64), netReady(s, 64).within(1)}
		}},
	}
}

// pingPong has both ends in this process, under one ctx that lives long.
func pingPong(size int, limit float64) Row {
	return Row{
		Name: fmt.Sprintf("ping-pong %d B, both ends", size),
		Setup: func(s *Scope) []Contestant {
			return []Contestant{trigoPingPong(s, size), netPingPong(s, size).within(limit), afterFuncEachCall(s, size)}
		},
	}
}

func trigoPingPong(s *Scope, size int) Contestant {
	client, server := streamPair(s)
	go echoStream(s.Ctx, server, size)
	buf := make([]byte, size)
	return Contestant{Name: "trigo", Work: func(n int) {
		for range n {
			Must(client.SendAll(s.Ctx, buf))
			Must(receiveFull(s.Ctx, client, buf))
		}
	}}
}

func netPingPong(s *Scope, size int) Contestant {
	client, server := netPair(s)
	go echoConn(server, size)
	return Contestant{Name: "net", Fewer: true, Work: roundTrips(client, size)}
}

func roundTrips(c net.Conn, size int) func(n int) {
	buf := make([]byte, size)
	return func(n int) {
		for range n {
			MustGet(c.Write(buf))
			MustGet(io.ReadFull(c, buf))
		}
	}
}

// cancellable does what many do by hand: a past deadline when ctx ends.
func cancellable(ctx context.Context, set func(time.Time) error, call func() error) error {
	fired := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		set(time.Unix(1, 0))
		close(fired)
	})
	err := call()
	if !stop() {
		<-fired
		set(time.Time{})
		return ctx.Err()
	}
	return err
}

// ctxConn is a net.Conn each of whose calls can be cancelled, both ends of it.
type ctxConn struct {
	net.Conn
	ctx context.Context
}

func (c ctxConn) Read(p []byte) (n int, err error) {
	err = cancellable(c.ctx, c.SetReadDeadline, func() (err error) { n, err = c.Conn.Read(p); return })
	return n, err
}

func (c ctxConn) Write(p []byte) (n int, err error) {
	err = cancellable(c.ctx, c.SetWriteDeadline, func() (err error) { n, err = c.Conn.Write(p); return })
	return n, err
}

func afterFuncEachCall(s *Scope, size int) Contestant {
	client, server := netPair(s)
	go echoConn(ctxConn{server, s.Ctx}, size)
	return Contestant{Name: "net with an AfterFunc for each call", Work: roundTrips(ctxConn{client, s.Ctx}, size)}
}

func trigoTimeouts(s *Scope) Contestant {
	const size = 64
	client, server := streamPair(s)
	go echoStream(s.Ctx, server, size)
	buf := make([]byte, size)
	within := func(f func(ctx context.Context) error) {
		ctx, cancel := context.WithTimeout(s.Ctx, time.Minute)
		defer cancel()
		Must(f(ctx))
	}
	return Contestant{Name: "trigo", Work: func(n int) {
		for range n {
			within(func(ctx context.Context) error { return client.SendAll(ctx, buf) })
			within(func(ctx context.Context) error { return receiveFull(ctx, client, buf) })
		}
	}}
}

// netDeadlines makes a context as well: whoever has timeouts mostly has those.
func netDeadlines(s *Scope) Contestant {
	const size = 64
	client, server := netPair(s)
	go echoConn(server, size)
	buf := make([]byte, size)
	within := func(set func(time.Time) error, f func() error) {
		ctx, cancel := context.WithTimeout(s.Ctx, time.Minute)
		defer cancel()
		deadline, _ := ctx.Deadline()
		Must(set(deadline))
		Must(f())
	}
	return Contestant{Name: "net with deadlines", Fewer: true, Work: func(n int) {
		for range n {
			within(client.SetWriteDeadline, func() error { _, err := client.Write(buf); return err })
			within(client.SetReadDeadline, func() error { _, err := io.ReadFull(client, buf); return err })
		}
	}}
}

// ready takes what is there in pieces of size bytes, n of them, and has more put
// there when nothing is left.
func ready(n, size int, put func(chunk []byte), take func(piece []byte)) {
	chunk := make([]byte, 256*size)
	left := 0
	for range n {
		if left == 0 {
			put(chunk)
			left = len(chunk)
		}
		take(chunk[:size])
		left -= size
	}
	for ; left > 0; left -= size {
		take(chunk[:size])
	}
}

func trigoReady(s *Scope, size int) Contestant {
	client, server := streamPair(s)
	return Contestant{Name: "trigo", Work: func(n int) {
		ready(n, size, func(chunk []byte) { Must(client.SendAll(s.Ctx, chunk)) },
			func(piece []byte) { Must(receiveFull(s.Ctx, server, piece)) })
	}}
}

func netReady(s *Scope, size int) Contestant {
	client, server := netPair(s)
	return Contestant{Name: "net", Fewer: true, Work: func(n int) {
		ready(n, size, func(chunk []byte) { MustGet(client.Write(chunk)) },
			func(piece []byte) { MustGet(io.ReadFull(server, piece)) })
	}}
}

// echoRow has echo servers in processes of their own, and one client for all.
func echoRow(size, conns int) Row {
	return Row{
		Name: fmt.Sprintf("echo %d B, %d connections", size, conns),
		Setup: func(s *Scope) []Contestant {
			conns := conns
			if s.Short {
				conns = min(conns, 100)
			}
			var cs []Contestant
			for _, server := range echoServers {
				c := Contestant{Name: server.name, Fewer: server.fewer}
				if server.lacks != nil {
					c.Skip = server.lacks()
				}
				if c.Skip == "" {
					c.Work = manyRoundTrips(s, server.start(s), size, conns)
				}
				cs = append(cs, c)
			}
			return cs
		},
	}
}

// manyRoundTrips spreads n round trips over many connections.
func manyRoundTrips(s *Scope, address string, size, conns int) func(n int) {
	works := make([]func(int), conns)
	for i := range works {
		c := MustGet(net.Dial("tcp", address))
		s.Cleanup(func() { c.Close() })
		works[i] = roundTrips(c, size)
	}
	return allAtOnce(works)
}

// allAtOnce shares n units of work out among many goroutines.
func allAtOnce(works []func(n int)) func(n int) {
	return func(n int) {
		var wg sync.WaitGroup
		var once sync.Once
		var first error
		for i, work := range works {
			share := n / len(works)
			if i < n%len(works) {
				share++
			}
			if share == 0 {
				break
			}
			wg.Go(func() {
				defer func() {
					if f, ok := recover().(failure); ok {
						once.Do(func() { first = f.error })
					}
				}()
				work(share)
			})
		}
		wg.Wait()
		Must(first)
	}
}
