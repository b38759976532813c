package rows

import (
	"crypto/tls"
	"fmt"
	"net"

	"trigo/netstream"
	"trigo/tlsstream"
	"trigo/tlsstream/devcert"
)

func tlsRows() []Row {
	rows := []Row{
		tlsPingPong(64, 1/0.97), tlsPingPong(16<<10, 0),
		tlsBulk(64<<10, 0), tlsBulk(1<<20, 1/1.10),
	}
	for _, conns := range []int{1, 8} {
		rows = append(rows, Row{Name: fmt.Sprintf("TLS handshakes, %d at a time", conns), Setup: func(s *Scope) []Contestant {
			return []Contestant{
				{Name: "trigo", Work: handshakes(s, conns, trigoHandshakes)},
				{Name: "crypto/tls", Fewer: true, Limit: 1 / 0.97, Work: handshakes(s, conns, netHandshakes)},
			}
		}})
	}
	return rows
}

func tlsConfigs() (client, server *tls.Config) {
	ca := MustGet(devcert.NewAuthority())
	leaf := MustGet(ca.Leaf(nil, "bench.test"))
	return &tls.Config{RootCAs: ca.Pool(), ServerName: "bench.test", MinVersion: tls.VersionTLS13},
		&tls.Config{Certificates: []tls.Certificate{leaf}, MinVersion: tls.VersionTLS13}
}

func tlsStreams(s *Scope, client, server *tls.Config) (c, p *tlsstream.Stream) {
	a, b := streamPair(s)
	return handshaken(s, tlsstream.Client(a, client, nil), tlsstream.Server(b, server, nil))
}

func handshaken(s *Scope, c, p *tlsstream.Stream) (*tlsstream.Stream, *tlsstream.Stream) {
	done := make(chan error, 1)
	go func() { done <- p.Handshake(s.Ctx) }()
	Must(c.Handshake(s.Ctx))
	Must(<-done)
	return c, p
}

func tlsConns(s *Scope, client, server *tls.Config) (c, p *tls.Conn) {
	a, b := netPair(s)
	c, p = tls.Client(a, client), tls.Server(b, server)
	done := make(chan error, 1)
	go func() { done <- p.Handshake() }()
	Must(c.Handshake())
	Must(<-done)
	return c, p
}

func tlsPingPong(size int, limit float64) Row {
	return Row{Name: fmt.Sprintf("TLS ping-pong %d B", size), Setup: func(s *Scope) []Contestant {
		cc, sc := tlsConfigs()
		a, b := tlsStreams(s, cc, sc)
		go echoStream(s.Ctx, b, size)
		c, p := tlsConns(s, cc, sc)
		go echoConn(p, size)
		buf := make([]byte, size)
		return []Contestant{{Name: "trigo", Work: func(n int) {
			for range n {
				Must(a.SendAll(s.Ctx, buf))
				Must(receiveFull(s.Ctx, a, buf))
			}
		}}, {Name: "crypto/tls", Fewer: true, Limit: limit, Work: roundTrips(c, size)}}
	}}
}

func tlsBulk(size int, limit float64) Row {
	return Row{Name: fmt.Sprintf("TLS bulk, %d KiB a send", size>>10), Setup: func(s *Scope) []Contestant {
		cc, sc := tlsConfigs()
		a, b := tlsStreams(s, cc, sc)
		go drainStream(s.Ctx, b, 64<<10)
		c, p := tlsConns(s, cc, sc)
		go drainConn(p, 64<<10)
		buf := make([]byte, size)
		return []Contestant{{Name: "trigo", Work: func(n int) {
			for range n {
				Must(a.SendAll(s.Ctx, buf))
			}
		}}, {Name: "crypto/tls", Fewer: true, Limit: limit, Work: writes(c, buf)}}
	}}
}

// A unit of these is a connection from dial to close, with both ends here.

// handshakes has several do that at a time, each with a listener of its own.
func handshakes(s *Scope, conns int, of func(s *Scope, l net.Listener) func(n int)) func(n int) {
	works := make([]func(n int), conns)
	for i := range works {
		l := MustGet(net.Listen("tcp", "127.0.0.1:0"))
		s.Cleanup(func() { l.Close() })
		works[i] = of(s, l)
	}
	return allAtOnce(works)
}

func trigoHandshakes(s *Scope, l net.Listener) func(n int) {
	cc, sc := tlsConfigs()
	return func(n int) {
		for range n {
			a := MustGet(net.Dial("tcp", l.Addr().String()))
			b := MustGet(l.Accept())
			c, p := handshaken(s, tlsstream.Client(MustGet(netstream.FromConn(a)), cc, nil),
				tlsstream.Server(MustGet(netstream.FromConn(b)), sc, nil))
			c.Abort()
			p.Abort()
		}
	}
}

func netHandshakes(s *Scope, l net.Listener) func(n int) {
	cc, sc := tlsConfigs()
	return func(n int) {
		for range n {
			a := MustGet(net.Dial("tcp", l.Addr().String()))
			b := MustGet(l.Accept())
			c, p := tls.Client(a, cc), tls.Server(b, sc)
			done := make(chan error, 1)
			go func() { done <- p.Handshake() }()
			Must(c.Handshake())
			Must(<-done)
			a.(*net.TCPConn).SetLinger(0) // as Abort does
			b.(*net.TCPConn).SetLinger(0)
			a.Close()
			b.Close()
		}
	}
}
