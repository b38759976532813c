package rows

import (
	"net"
	"os"
	"syscall"

	"trigo/socket"
)

// pairRows have pairs of Unix sockets whose messages keep their bounds.
func pairRows() []Row {
	return []Row{
		{Name: "socket pair of datagrams, ping-pong 64 B", Setup: func(s *Scope) []Contestant {
			return []Contestant{socketPair(s, syscall.SOCK_DGRAM), filePair(s, syscall.SOCK_DGRAM)}
		}},
		{Name: "socket pair of packets, ping-pong 64 B", Setup: func(s *Scope) []Contestant {
			return []Contestant{socketPair(s, syscall.SOCK_SEQPACKET), filePair(s, syscall.SOCK_SEQPACKET)}
		}},
	}
}

func socketPair(s *Scope, typ int) Contestant {
	a, b, err := socket.Pair(syscall.AF_UNIX, typ, 0)
	Must(err)
	s.Cleanup(func() { a.Close(s.Ctx); b.Close(s.Ctx) })
	go func() {
		buf := make([]byte, 64)
		for {
			n, err := b.Recv(s.Ctx, buf, 0)
			if err != nil {
				return
			}
			if _, err := b.Send(s.Ctx, buf[:n], 0); err != nil {
				return
			}
		}
	}()
	buf := make([]byte, 64)
	return Contestant{Name: "trigo", Work: func(n int) {
		for range n {
			MustGet(a.Send(s.Ctx, buf, 0))
			MustGet(a.Recv(s.Ctx, buf, 0))
		}
	}}
}

// filePair is what package net makes of such a pair.
func filePair(s *Scope, typ int) Contestant {
	fds, err := syscall.Socketpair(syscall.AF_UNIX, typ|syscall.SOCK_CLOEXEC, 0)
	Must(err)
	conn := func(fd int) net.Conn {
		f := os.NewFile(uintptr(fd), "pair")
		defer f.Close()
		c := MustGet(net.FileConn(f))
		s.Cleanup(func() { c.Close() })
		return c
	}
	a, b := conn(fds[0]), conn(fds[1])
	go echoConn(b, 64)
	buf := make([]byte, 64)
	return Contestant{Name: "net", Fewer: true, Work: func(n int) {
		for range n {
			MustGet(a.Write(buf))
			MustGet(a.Read(buf))
		}
	}}
}
