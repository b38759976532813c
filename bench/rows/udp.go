package rows

import (
	"fmt"
	"net"
	"net/netip"

	"trigo/netstream"
)

func udpRows() []Row {
	rows := []Row{}
	for _, size := range []int{64, 1200, 16 << 10} {
		row := Row{Name: fmt.Sprintf("UDP ping-pong %d B", size), Setup: func(s *Scope) []Contestant { return datagrams(s, size) }}
		if size == 64 {
			row.Limit = 1.03
		}
		rows = append(rows, row)
	}
	return rows
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
