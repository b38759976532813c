package rows

import (
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"time"

	"trigo/netstream"
	"trigo/socket"
)

func udpRows() []Row {
	rows := []Row{}
	for _, size := range []int{64, 1200, 16 << 10} {
		row := Row{Name: fmt.Sprintf("UDP ping-pong %d B", size), Setup: func(s *Scope) []Contestant {
			cs := datagrams(s, size)
			if size == 64 {
				cs[1] = cs[1].within(1.03)
			}
			return cs
		}}
		rows = append(rows, row)
	}
	return append(rows,
		Row{Name: "UDP, 64 datagrams received, each", Unit: "ns", Setup: batches},
	)
}

func datagrams(s *Scope, size int) []Contestant {
	buf := make([]byte, size)

	server := MustGet(netstream.ListenUDP(s.Ctx, "127.0.0.1:0"))
	s.Cleanup(func() { server.Close(s.Ctx) })
	go func() {
		in := make([]byte, size)
		for {
			n, from, err := server.ReceiveFrom(s.Ctx, in)
			if err != nil || server.SendTo(s.Ctx, in[:n], from) != nil {
				return
			}
		}
	}()
	client := MustGet(netstream.ListenUDP(s.Ctx, "127.0.0.1:0"))
	s.Cleanup(func() { client.Close(s.Ctx) })

	listen := func() *net.UDPConn {
		c := MustGet(net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.MustParseAddrPort("127.0.0.1:0"))))
		s.Cleanup(func() { c.Close() })
		return c
	}
	theirServer, theirClient := listen(), listen()
	go func() {
		in := make([]byte, size)
		for {
			n, from, err := theirServer.ReadFromUDPAddrPort(in)
			if err != nil {
				return
			}
			theirServer.WriteToUDPAddrPort(in[:n], from)
		}
	}()
	to := theirServer.LocalAddr().(*net.UDPAddr).AddrPort()

	return []Contestant{{Name: "trigo", Work: func(n int) {
		for range n {
			Must(client.SendTo(s.Ctx, buf, server.LocalAddr()))
			_, _, err := client.ReceiveFrom(s.Ctx, buf)
			Must(err)
		}
	}}, {Name: "net", Fewer: true, Work: func(n int) {
		for range n {
			MustGet(theirClient.WriteToUDPAddrPort(buf, to))
			_, _, err := theirClient.ReadFromUDPAddrPort(buf)
			Must(err)
		}
	}}}
}

// batches receive 64 datagrams that are there: at once, and one by one. Sending
// them is not timed.
func batches(s *Scope) []Contestant {
	const batch, size = 64, 64
	local := socket.IP(netip.MustParseAddrPort("127.0.0.1:0"))
	open := func() *socket.Socket {
		sock := MustGet(socket.New(s.Ctx, syscall.AF_INET, syscall.SOCK_DGRAM, 0))
		s.Cleanup(func() { sock.Close(s.Ctx) })
		Must(sock.Bind(s.Ctx, local))
		return sock
	}
	client := open()
	out := make([]socket.Message, batch)
	for i := range out {
		out[i].Buffers = [][]byte{make([]byte, size)}
	}
	// timed returns the nanoseconds of one datagram.
	timed := func(to netip.AddrPort, receive func()) float64 {
		took := time.Duration(0)
		times := s.Pick(20, 200)
		for range times {
			for i := range out {
				out[i].AddrPort = to
			}
			MustGet(client.SendBatch(s.Ctx, out, 0))
			start := time.Now()
			receive()
			took += time.Since(start)
		}
		return float64(took) / float64(times*batch)
	}

	together, single := open(), open()
	addressOf := func(sock *socket.Socket) netip.AddrPort {
		return MustGet(sock.Getsockname()).(socket.IPAddr).AddrPort
	}
	theirs := MustGet(net.ListenUDP("udp4", net.UDPAddrFromAddrPort(local.AddrPort)))
	s.Cleanup(func() { theirs.Close() })
	in := make([]socket.Message, batch)
	for i := range in {
		in[i].Buffers = [][]byte{make([]byte, size)}
	}
	buf := make([]byte, size)

	return []Contestant{{Name: "trigo, a batch", Measure: func() float64 {
		return timed(addressOf(together), func() {
			for got := 0; got < batch; {
				got += MustGet(together.RecvBatch(s.Ctx, in[:batch-got], 0))
			}
		})
	}}, {Name: "trigo, one by one", Limit: 1.0 / 2, Measure: func() float64 {
		return timed(addressOf(single), func() {
			for range batch {
				_, _, err := single.RecvFromAddrPort(s.Ctx, buf, 0)
				Must(err)
			}
		})
	}}, {Name: "net, one by one", Fewer: true, Limit: 1.0 / 2, Measure: func() float64 {
		to := theirs.LocalAddr().(*net.UDPAddr).AddrPort()
		return timed(to, func() {
			for range batch {
				_, _, err := theirs.ReadFromUDPAddrPort(buf)
				Must(err)
			}
		})
	}}}
}
