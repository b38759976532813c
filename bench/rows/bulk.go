package rows

import (
	"fmt"
	"net"

	"google.golang.org/grpc/test/bufconn"

	"trigo"
	"trigo/trigotest"
)

func bulkRows() []Row {
	rows := []Row{}
	for _, size := range []int{4 << 10, 64 << 10, 1 << 20} {
		row := Row{Name: fmt.Sprintf("bulk, %d KiB a send", size>>10), Setup: func(s *Scope) []Contestant {
			peer := netBulk(s, size)
			if size == 1<<20 {
				peer = peer.within(1.03)
			}
			return []Contestant{trigoBulk(s, size), peer}
		}}
		rows = append(rows, row)
	}
	rows = append(rows,
		Row{Name: "memory streams, ping-pong 64 B", Setup: func(s *Scope) []Contestant {
			return []Contestant{trigoMemory(s), pipePingPong(s), bufconnPingPong(s)}
		}},
		Row{Name: "memory streams, 64 KiB one way", Setup: func(s *Scope) []Contestant {
			return []Contestant{trigoMemoryBulk(s), pipeBulk(s), bufconnBulk(s)}
		}},
	)
	return rows
}

func trigoBulk(s *Scope, size int) Contestant {
	client, server := streamPair(s)
	go drainStream(s.Ctx, server, 64<<10)
	buf := make([]byte, size)
	return Contestant{Name: "trigo", Work: func(n int) {
		for range n {
			Must(client.SendAll(s.Ctx, buf))
		}
	}}
}

func netBulk(s *Scope, size int) Contestant {
	client, server := netPair(s)
	go drainConn(server, 64<<10)
	buf := make([]byte, size)
	return Contestant{Name: "net", Fewer: true, Work: writes(client, buf)}
}

func writes(c net.Conn, buf []byte) func(n int) {
	return func(n int) {
		for range n {
			MustGet(c.Write(buf))
		}
	}
}

func trigoMemory(s *Scope) Contestant {
	a, b := trigotest.NewMemoryPair()
	s.Cleanup(func() { trigo.CloseForcefully(a); trigo.CloseForcefully(b) })
	go echoStream(s.Ctx, b, 64)
	buf := make([]byte, 64)
	return Contestant{Name: "trigo", Work: func(n int) {
		for range n {
			Must(a.SendAll(s.Ctx, buf))
			Must(receiveFull(s.Ctx, a, buf))
		}
	}}
}

func trigoMemoryBulk(s *Scope) Contestant {
	a, b := trigotest.NewMemoryPair()
	s.Cleanup(func() { trigo.CloseForcefully(a); trigo.CloseForcefully(b) })
	buf, in := make([]byte, 64<<10), make([]byte, 64<<10)
	return Contestant{Name: "trigo", Work: func(n int) {
		for range n { // its buffer has no bounds, so each is taken out again
			Must(a.SendAll(s.Ctx, buf))
			Must(receiveFull(s.Ctx, b, in))
		}
	}}
}

func pipe(s *Scope) (a, b net.Conn) {
	a, b = net.Pipe()
	s.Cleanup(func() { a.Close(); b.Close() })
	return a, b
}

func bufconnPair(s *Scope) (a, b net.Conn) {
	l := bufconn.Listen(64 << 10)
	dialed := make(chan net.Conn, 1)
	go func() {
		c, _ := l.Dial()
		dialed <- c
	}()
	a = MustGet(l.Accept())
	b = <-dialed
	s.Cleanup(func() { a.Close(); b.Close(); l.Close() })
	return a, b
}

func pipePingPong(s *Scope) Contestant {
	a, b := pipe(s)
	go echoConn(b, 64)
	return Contestant{Name: "net.Pipe", Fewer: true, Work: roundTrips(a, 64)}
}

func bufconnPingPong(s *Scope) Contestant {
	a, b := bufconnPair(s)
	go echoConn(b, 64)
	return Contestant{Name: "bufconn", Fewer: true, Work: roundTrips(a, 64)}
}

func pipeBulk(s *Scope) Contestant {
	a, b := pipe(s)
	go drainConn(b, 64<<10)
	return Contestant{Name: "net.Pipe", Fewer: true, Work: writes(a, make([]byte, 64<<10))}
}

func bufconnBulk(s *Scope) Contestant {
	a, b := bufconnPair(s)
	go drainConn(b, 64<<10)
	return Contestant{Name: "bufconn", Fewer: true, Work: writes(a, make([]byte, 64<<10))}
}
