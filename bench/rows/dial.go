package rows

import (
	"context"
	"net"

	"trigo/netstream"
)

func dialRows() []Row {
	return []Row{
		{Name: "dial, accept and close", Setup: dials},
	}
}

// dials makes connections, one after the other, to a server that closes them.
func dials(s *Scope) []Contestant {
	l := MustGet(netstream.ListenTCP(s.Ctx, "127.0.0.1:0", nil))[0]
	s.Cleanup(func() { l.Close(context.Background()) })
	go func() {
		for {
			c, err := l.Accept(s.Ctx)
			if err != nil {
				return
			}
			c.Abort()
		}
	}()
	nl := MustGet(net.Listen("tcp", "127.0.0.1:0"))
	s.Cleanup(func() { nl.Close() })
	go func() {
		for {
			c, err := nl.Accept()
			if err != nil {
				return
			}
			c.(*net.TCPConn).SetLinger(0)
			c.Close()
		}
	}()
	var d net.Dialer
	return []Contestant{{Name: "trigo", Work: func(n int) {
		for range n {
			c := MustGet(netstream.DialTCP(s.Ctx, l.Addr().String(), nil))
			c.Abort()
		}
	}}, {Name: "net.Dialer", Work: func(n int) {
		for range n {
			c := MustGet(d.DialContext(s.Ctx, "tcp", nl.Addr().String()))
			c.(*net.TCPConn).SetLinger(0)
			c.Close()
		}
	}}}
}
