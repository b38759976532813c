package rows

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"trigo/netstream"
	"trigo/socket"
)

func dialRows() []Row {
	return []Row{
		{Name: "dial, accept and close", Setup: dials},
		{Name: "dial of a name, the first address refuses", Setup: func(s *Scope) []Contestant {
			return dialsOf(s, "127.0.0.2", false)
		}},
		{Name: "dial of a name, the first address is dead", Unit: "ms", Setup: func(s *Scope) []Contestant {
			return dialsOf(s, "127.0.0.2", true)
		}},
		{Name: "dial of a name, the first address is dead and IPv6", Unit: "ms", Setup: func(s *Scope) []Contestant {
			return dialsOf(s, "::1", true)
		}},
		{Name: "accept, 1 dialer", Setup: func(s *Scope) []Contestant { return accepts(s, 1) }},
		{Name: "accept, 8 dialers", Setup: func(s *Scope) []Contestant { return accepts(s, 8) }},
	}
}

// dials makes connections, one after the other, to a server that closes them when
// the client does.
func dials(s *Scope) []Contestant {
	l := MustGet(netstream.ListenTCP(s.Ctx, "127.0.0.1:0", nil))[0]
	s.Cleanup(func() { l.Close(context.Background()) })
	go func() {
		buf := make([]byte, 1)
		for {
			c, err := l.Accept(s.Ctx)
			if err != nil {
				return
			}
			c.ReceiveSome(s.Ctx, buf)
			c.Abort()
		}
	}()
	nl := MustGet(net.Listen("tcp", "127.0.0.1:0"))
	s.Cleanup(func() { nl.Close() })
	go func() {
		buf := make([]byte, 1)
		for {
			c, err := nl.Accept()
			if err != nil {
				return
			}
			c.Read(buf)
			reset(c)
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
			reset(MustGet(d.DialContext(s.Ctx, "tcp", nl.Addr().String())))
		}
	}}}
}

// milliseconds measures one unit of work.
func milliseconds(work func(n int)) func() float64 {
	return func() float64 {
		start := time.Now()
		work(1)
		return float64(time.Since(start)) / 1e6
	}
}

// reset closes a connection so that no trace of it is left in the kernel, which
// runs out of ports else.
func reset(c net.Conn) {
	c.(*net.TCPConn).SetLinger(0)
	c.Close()
}

// dialsOf dials a name that has two addresses, of which the first does not accept.
// Both contestants ask the same resolver, and would give up after 4 s.
func dialsOf(s *Scope, first string, dead bool) []Contestant {
	l := MustGet(net.Listen("tcp", "127.0.0.1:0"))
	s.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				c.Read(make([]byte, 1))
				reset(c)
			}()
		}
	}()
	good := MustGet(netip.ParseAddrPort(l.Addr().String()))
	bad := netip.AddrPortFrom(netip.MustParseAddr(first), good.Port())
	if dead {
		if err := blackHole(s, bad); err != nil {
			return []Contestant{{Name: "trigo", Skip: err.Error()}, {Name: "net.Dialer", Skip: err.Error()}}
		}
	}
	resolver := &net.Resolver{PreferGo: true, Dial: nameServer(bad.Addr(), good.Addr())}
	address := fmt.Sprintf("bench.test:%d", good.Port())
	ctx := netstream.WithResolver(s.Ctx, resolver)
	d := net.Dialer{Resolver: resolver}
	cs := []Contestant{{Name: "trigo", Work: func(n int) {
		for range n {
			ctx, cancel := context.WithTimeout(ctx, 4*time.Second)
			MustGet(netstream.DialTCP(ctx, address, nil)).Abort()
			cancel()
		}
	}}, {Name: "net.Dialer", Work: func(n int) {
		for range n {
			ctx, cancel := context.WithTimeout(s.Ctx, 4*time.Second)
			reset(MustGet(d.DialContext(ctx, "tcp", address)))
			cancel()
		}
	}}}
	if dead {
		for i, c := range cs { // seconds, so one dial is a round
			cs[i].Measure, cs[i].Work = milliseconds(c.Work), nil
		}
	}
	return cs
}

// blackHole listens at an address and has it take no more connections: the queue
// of those that wait to be accepted is full, and the kernel drops what comes.
func blackHole(s *Scope, at netip.AddrPort) error {
	family := syscall.AF_INET
	if at.Addr().Is6() {
		family = syscall.AF_INET6
	}
	l := MustGet(socket.New(s.Ctx, family, syscall.SOCK_STREAM, 0))
	s.Cleanup(func() { l.Close(context.Background()) })
	if err := errors.Join(l.Bind(s.Ctx, socket.IP(at)), l.Listen(1)); err != nil {
		return err
	}
	for range 8 {
		c, err := net.DialTimeout("tcp", at.String(), 100*time.Millisecond)
		if err != nil {
			return nil
		}
		s.Cleanup(func() { c.Close() })
	}
	return errors.New(at.String() + " cannot be filled")
}

// nameServer returns how a resolver reaches a name server that has these
// addresses for every name, in this order.
func nameServer(addrs ...netip.Addr) func(ctx context.Context, network, address string) (net.Conn, error) {
	return func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		go func() {
			defer ours.Close()
			// A net.Pipe is no packet connection, so this is DNS as over TCP.
			for {
				var size [2]byte
				if _, err := io.ReadFull(ours, size[:]); err != nil {
					return
				}
				query := make([]byte, int(size[0])<<8|int(size[1]))
				if _, err := io.ReadFull(ours, query); err != nil {
					return
				}
				answer, err := answerTo(query, addrs)
				if err != nil {
					return
				}
				ours.Write(append([]byte{byte(len(answer) >> 8), byte(len(answer))}, answer...))
			}
		}()
		return theirs, nil
	}
}

func answerTo(query []byte, addrs []netip.Addr) ([]byte, error) {
	var m dnsmessage.Message
	if err := m.Unpack(query); err != nil {
		return nil, err
	}
	m.Response, m.Authoritative, m.Additionals = true, true, nil
	q := m.Questions[0]
	for _, a := range addrs {
		var body dnsmessage.ResourceBody
		switch {
		case a.Is4() && q.Type == dnsmessage.TypeA:
			body = &dnsmessage.AResource{A: a.As4()}
		case a.Is6() && q.Type == dnsmessage.TypeAAAA:
			body = &dnsmessage.AAAAResource{AAAA: a.As16()}
		default:
			continue
		}
		m.Answers = append(m.Answers, dnsmessage.Resource{
			Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class, TTL: 60},
			Body:   body,
		})
	}
	return m.Pack()
}

func init() {
	servers["accept trigo"] = func(ctx context.Context, ready func(net.Addr)) error {
		return netstream.ServeTCP(ctx, "127.0.0.1:0", func(ctx context.Context, c *netstream.Stream) error {
			return c.Close(ctx)
		}, &netstream.ServeTCPOptions{Ready: func(ls []*netstream.Listener) { ready(ls[0].Addr()) }})
	}
	servers["accept net"] = serveConns(func(context.Context, net.Conn) {})
}

// accepts has several clients connect, each again and again, to a server that
// closes each connection.
func accepts(s *Scope, dialers int) []Contestant {
	var cs []Contestant
	for _, name := range []string{"trigo", "net"} {
		address, _ := startServer(s, "accept "+name)
		cs = append(cs, Contestant{Name: name, Fewer: name == "net", Work: func(n int) {
			var all sync.WaitGroup
			errs := make([]error, dialers)
			for i := range dialers {
				share := (n + i) / dialers
				all.Go(func() {
					buf := make([]byte, 1)
					for range share {
						c, err := net.Dial("tcp", address)
						if err != nil {
							errs[i] = err
							return
						}
						if _, err := c.Read(buf); err != io.EOF && !strings.Contains(err.Error(), "reset") {
							errs[i] = fmt.Errorf("%v instead of the end", err)
						}
						reset(c)
					}
				})
			}
			all.Wait()
			Must(errors.Join(errs...))
		}})
	}
	return cs
}
