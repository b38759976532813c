package rows

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// relayWork is what a relay has to do in a row, and what is promised of it.
type relayWork struct {
	name   string
	from   string // where it listens: tcp, unix, or tls, which is taken off
	to     string // where it connects
	conns  int
	limits map[string]float64
	work   func(client, server net.Conn) func(n int)
}

var relayWorks = []relayWork{
	{"relay tcp to tcp, 1 MiB", "tcp", "tcp", 1, map[string]float64{"io.Copy": 1 / 0.97, "socat": 1 / 1.5}, bulkThrough},
	{"relay unix to unix, 1 MiB", "unix", "unix", 1, map[string]float64{"io.Copy": 1}, bulkThrough},
	{"relay TLS to tcp, 1 MiB", "tls", "tcp", 1, nil, bulkThrough},
	{"relay tcp to tcp, ping-pong 64 B", "tcp", "tcp", 1, map[string]float64{"socat": 1}, pingPongThrough},
	{"relay tcp to tcp, ping-pong 64 B, 50 connections", "tcp", "tcp", 50, nil, pingPongThrough},
	{"relay unix to unix, ping-pong 64 B", "unix", "unix", 1, map[string]float64{"socat": 1}, pingPongThrough},
	{"relay TLS to tcp, ping-pong 64 B", "tls", "tcp", 1, nil, pingPongThrough},
}

func relayRows() []Row {
	rows := []Row{}
	for _, w := range relayWorks {
		rows = append(rows, Row{Name: w.name, Setup: func(s *Scope) []Contestant { return throughRelays(s, w) }})
	}
	rows = append(rows, Row{Name: "relay tcp to tcp, 4 GiB at once", Setup: func(s *Scope) []Contestant {
		return oneTransfer(s, s.Pick(64, 4<<10), relayWorks[0].limits)
	}})
	// ps would say so much. What processes share counts for each of them.
	rows = append(rows, Row{Name: "memory of a relay with 1000 idle connections, RSS", Unit: "KiB", Setup: func(s *Scope) []Contestant {
		return relayMemory(s, s.Pick(100, 1000), residentKiB, map[string]float64{"socat": 1.0 / 10})
	}})
	// What is gone when the relay is.
	for _, conns := range []int{100, 1_000} {
		rows = append(rows, Row{
			Name: fmt.Sprintf("memory of a relay with %d idle connections, PSS", conns), Unit: "KiB",
			Setup: func(s *Scope) []Contestant { return relayMemory(s, s.Pick(100, conns), shareKiB, nil) },
		})
	}
	return rows
}

// oneTransfer moves size MiB through a relay, at once.
func oneTransfer(s *Scope, size int, limits map[string]float64) []Contestant {
	cs := throughRelays(s, relayWork{from: "tcp", to: "tcp", conns: 1, limits: limits, work: bulkThrough})
	cs = slices.DeleteFunc(cs, func(c Contestant) bool { return limits[c.Name] == 0 && c.Name != "trigo" })
	for i := range cs {
		if work := cs[i].Work; work != nil {
			cs[i].Work = nil
			cs[i].Measure = func() float64 {
				start := time.Now()
				work(size)
				return float64(time.Since(start))
			}
		}
	}
	return cs
}

func throughRelays(s *Scope, w relayWork) []Contestant {
	var cs []Contestant
	for _, r := range relays {
		if !strings.Contains(r.from, w.from) || manyProcesses(r, w.conns) {
			continue
		}
		c := Contestant{Name: r.name, Fewer: r.name != "trigo", Limit: w.limits[r.name], Skip: r.lacks()}
		if c.Skip == "" {
			join, _ := startRelay(s, r, w.from, w.to)
			works := make([]func(int), w.conns)
			for i := range works {
				works[i] = w.work(join())
			}
			c.Work = allAtOnce(works)
		}
		cs = append(cs, c)
	}
	return cs
}

// relayMemory keeps connections open through each relay, and looks at its memory
// from time to time.
func relayMemory(s *Scope, conns int, memoryOf func(pid int) (kib float64), limits map[string]float64) []Contestant {
	var cs []Contestant
	for _, r := range relays {
		if manyProcesses(r, conns) {
			continue
		}
		c := Contestant{Name: r.name, Fewer: r.name != "trigo", Limit: limits[r.name], Skip: r.lacks()}
		if c.Skip == "" {
			join, pid := startRelay(s, r, "tcp", "tcp")
			for range conns {
				join()
			}
			c.Measure = func() float64 { return memoryOf(pid) }
		}
		cs = append(cs, c)
	}
	return cs
}

// manyProcesses tells whether a relay cannot be bothered with so many connections:
// ncat starts a program for each.
func manyProcesses(r relayPeer, conns int) bool { return r.name == "ncat" && conns > 1 }

// startRelay starts a relay. join makes a connection through it, and returns both
// ends of that.
func startRelay(s *Scope, r relayPeer, from, to string) (join func() (client, server net.Conn), pid int) {
	target := "127.0.0.1:0"
	if to == "unix" {
		target = filepath.Join(s.Dir(), "target")
	}
	l := MustGet(net.Listen(to, target))
	s.Cleanup(func() { l.Close() })
	address, pid := r.start(s, from, l.Addr().String())
	dial := func() (net.Conn, error) { return net.Dial(from, address) }
	if from == "tls" {
		config := &tls.Config{InsecureSkipVerify: true}
		dial = func() (net.Conn, error) { return tls.Dial("tcp", address, config) }
	}
	return func() (client, server net.Conn) {
		client = MustGet(dial())
		s.Cleanup(func() { client.Close() })
		MustGet(client.Write([]byte{0}))
		for {
			server = MustGet(l.Accept())
			s.Cleanup(func() { server.Close() })
			server.SetDeadline(time.Now().Add(10 * time.Second))
			if _, err := io.ReadFull(server, make([]byte, 1)); err == nil {
				server.SetDeadline(time.Time{})
				return client, server
			} // else it was [startForeign] that wanted to know whether it listens
		}
	}, pid
}

// bulkThrough sends from the client to the server; a unit is 1 MiB.
func bulkThrough(client, server net.Conn) func(n int) {
	const chunk = 256 << 10
	out, in := make([]byte, chunk), make([]byte, chunk)
	return func(n int) {
		sent := make(chan error, 1)
		go func() {
			for range n << 20 / chunk {
				if _, err := client.Write(out); err != nil {
					server.Close()
					sent <- err
					return
				}
			}
			sent <- nil
		}()
		for left := n << 20; left > 0; {
			k, err := server.Read(in)
			Must(err)
			left -= k
		}
		Must(<-sent)
	}
}

func pingPongThrough(client, server net.Conn) func(n int) {
	go echoConn(server, 64)
	return roundTrips(client, 64)
}
