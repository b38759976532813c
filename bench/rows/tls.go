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
	return []Row{
		tlsPingPong(64, 1/0.97), tlsPingPong(16<<10, 0),
		tlsBulk(64<<10, 0), tlsBulk(1<<20, 1/1.10),
		{Name: "TLS handshakes", Setup: func(s *Scope) []Contestant {
			return []Contestant{trigoHandshakes(s), netHandshakes(s).within(1 / 0.97)}
		}},
	}
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

func trigoHandshakes(s *Scope) Contestant {
	cc, sc := tlsConfigs()
	l := MustGet(net.Listen("tcp", "127.0.0.1:0"))
	s.Cleanup(func() { l.Close() })
	return Contestant{Name: "trigo", Work: func(n int) {
		for range n {
			a := MustGet(net.Dial("tcp", l.Addr().String()))
			b := MustGet(l.Accept())
			c, p := handshaken(s, tlsstream.Client(MustGet(netstream.FromConn(a)), cc, nil),
				tlsstream.Server(MustGet(netstream.FromConn(b)), sc, nil))
			c.Abort()
			p.Abort()
		}
	}}
}

func netHandshakes(s *Scope) Contestant {
	cc, sc := tlsConfigs()
	l := MustGet(net.Listen("tcp", "127.0.0.1:0"))
	s.Cleanup(func() { l.Close() })
	return Contestant{Name: "crypto/tls", Fewer: true, Work: func(n int) {
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
	}}
}
