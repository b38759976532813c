//go:build unix

package docs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"syscall"

	"trigo"
	"trigo/netconn"
	"trigo/netstream"
	"trigo/nursery"
	"trigo/socket"
)

func Example_socketOfAStream() {
	withTCP(func(ctx context.Context, a, b *netstream.Stream) error {
		sock, err := a.Socket() // SocketStream.socket
		if err != nil {
			return err
		}
		nodelay, err := sock.GetsockoptInt(syscall.IPPROTO_TCP, syscall.TCP_NODELAY)
		fmt.Println(nodelay != 0, err)
		check(sock.SetsockoptInt(syscall.SOL_SOCKET, syscall.SO_KEEPALIVE, 1))
		raw, err := sock.GetsockoptBytes(syscall.SOL_SOCKET, syscall.SO_KEEPALIVE, 4)
		fmt.Println(len(raw), err)

		fmt.Println(sock.DidShutdownWrite())
		check(a.WaitSendAllMightNotBlock(ctx))
		check(a.SendAll(ctx, []byte("hello")))
		check(a.SendEOF(ctx))
		fmt.Println(sock.DidShutdownWrite())
		fmt.Println(receive(ctx, b))
		_, err = b.ReceiveSome(ctx, make([]byte, 1))
		fmt.Println(err)
		return nil
	})
	// Output:
	// true <nil>
	// 4 <nil>
	// false
	// true
	// hello
	// EOF
}

func Example_streamOfASocket() {
	ctx := context.Background()
	x, y, err := socket.Pair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	check(err)
	a, err := netstream.FromSocket(x) // SocketStream(x)
	check(err)
	b, err := netstream.FromSocket(y)
	check(err)
	check(a.SendAll(ctx, []byte("hello")))
	fmt.Println(receive(ctx, b))
	check(errors.Join(a.Close(ctx), b.Close(ctx)))

	s, err := socket.New(ctx, syscall.AF_INET, syscall.SOCK_STREAM, 0)
	check(err)
	check(s.Bind(ctx, socket.HostAddr{Host: "127.0.0.1"}))
	check(s.Listen(0))
	l, err := netstream.ListenerFromSocket(s) // SocketListener(s)
	check(err)
	again, err := l.Socket() // SocketListener.socket
	fmt.Println(again == s, err)
	_, err = l.Accept(cancelled()) // loses no connection
	fmt.Println(errors.Is(err, context.Canceled))
	check(l.Close(ctx))
	fmt.Println(s.Closed())
	// Output:
	// hello
	// true <nil>
	// true
	// true
}

func Example_makeSockets() {
	ctx := context.Background()
	s, err := socket.New(ctx, syscall.AF_INET, syscall.SOCK_DGRAM, syscall.IPPROTO_UDP)
	check(err)
	fmt.Println(s.Family() == syscall.AF_INET, s.Type() == syscall.SOCK_DGRAM, s.Protocol() == syscall.IPPROTO_UDP)

	twin, err := s.Dup()
	check(err)
	number, err := twin.Detach() // the descriptor, and no socket any more
	check(err)
	again, err := socket.FromFD(number) // asks the kernel for the family
	check(err)
	fmt.Println(again, again.RawConn() != nil)

	x, y, err := socket.Pair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	check(err)
	check(errors.Join(x.Close(ctx), y.Close(ctx)))

	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	check(err)
	adopted, err := socket.FromConn(conn.(*net.UDPConn)) // from_stdlib_socket
	check(err)
	fmt.Println(adopted)

	_, err = s.Share(1)
	_, err2 := socket.FromShare(nil)
	fmt.Println(errors.Is(err, errors.ErrUnsupported), errors.Is(err2, errors.ErrUnsupported))
	check(errors.Join(s.Close(ctx), again.Close(ctx), adopted.Close(ctx)))

	// A factory of one's own comes with the ctx, and so does a resolver.
	ctx = socket.WithSocketFactory(ctx, func(context.Context, int, int, int) (*socket.Socket, error) {
		return nil, syscall.EACCES
	})
	_, err = socket.New(ctx, syscall.AF_INET, syscall.SOCK_STREAM, 0)
	fmt.Println(errors.Is(err, os.ErrPermission))
	// Output:
	// true true true
	// udp socket true
	// udp socket
	// true true
	// true
}

// tea is a resolver that knows one name.
type tea struct{}

func (tea) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	return []netip.Addr{netip.MustParseAddr("192.0.2.7")}, nil
}

func (tea) LookupAddr(context.Context, string) ([]string, error) {
	return []string{"tea.example."}, nil
}

func Example_names() {
	ctx := socket.WithResolver(context.Background(), tea{}) // LookupNetIP and LookupAddr
	infos, err := socket.Getaddrinfo(ctx, "tea.example", "443", &socket.Hints{
		Family: syscall.AF_INET,
		Type:   syscall.SOCK_STREAM,
		Proto:  syscall.IPPROTO_TCP,
		Flags:  socket.AINumericServ,
	})
	fmt.Println(infos[0].Addr, err)
	host, service, err := socket.Getnameinfo(ctx, infos[0].Addr, socket.NINumericServ)
	fmt.Println(host, service, err)
	icmp, err := socket.Getprotobyname(ctx, "icmp")
	fmt.Println(icmp, err)
	addrs, err := socket.LookupHost(ctx, "tea.example") // gethostbyname
	fmt.Println(addrs, err)
	// Output:
	// 192.0.2.7:443 <nil>
	// tea.example 443 <nil>
	// 1 <nil>
	// [192.0.2.7] <nil>
}

func Example_datagrams() {
	ctx := context.Background()
	open := func() *socket.Socket {
		s, err := socket.New(ctx, syscall.AF_INET, syscall.SOCK_DGRAM, 0)
		check(err)
		check(s.Bind(ctx, socket.IP(netip.MustParseAddrPort("127.0.0.1:0"))))
		return s
	}
	a, b := open(), open()
	to, err := b.Getsockname()
	check(err)
	check(a.Connect(ctx, to))
	peer, err := a.Getpeername()
	fmt.Println(peer == to, err)

	p, q := make([]byte, 4), make([]byte, 100)
	_, err = a.Send(ctx, []byte("one"), 0)
	check(err)
	n, err := b.Recv(ctx, p, syscall.MSG_PEEK) // recv_into is the same
	fmt.Printf("%s %v\n", p[:n], err)
	n, from, err := b.RecvFrom(ctx, p, 0) // recvfrom_into is the same
	fmt.Printf("%s %v\n", p[:n], err)

	_, err = b.SendTo(ctx, []byte("two"), 0, from)
	check(err)
	check(b.SendMsg(ctx, &socket.Message{Buffers: [][]byte{[]byte("th"), []byte("ree")}, Addr: from}, 0))
	n, err = a.Recv(ctx, p, 0)
	fmt.Printf("%s %v\n", p[:n], err)
	m := socket.Message{Buffers: [][]byte{p, q}} // recvmsg_into
	check(a.RecvMsg(ctx, &m, 0))
	fmt.Printf("%s%s\n", p, q[:m.N-len(p)])

	fmt.Println(a.IsReadable())
	_, err = b.SendTo(ctx, nil, 0, from)
	check(err)
	check(a.WaitReadable(ctx))
	fmt.Println(a.IsReadable())
	check(b.WaitWritable(ctx))
	_, err = b.Recv(ctx, p, syscall.MSG_DONTWAIT)
	fmt.Println(errors.Is(err, trigo.ErrWouldBlock))
	check(errors.Join(a.Close(ctx), b.Close(ctx)))
	// Output:
	// true <nil>
	// one <nil>
	// one <nil>
	// two <nil>
	// three
	// false
	// true
	// true
}

func Example_connectedSockets() {
	inNursery(func(ctx context.Context, n *nursery.Nursery) error {
		l, err := socket.New(ctx, syscall.AF_INET, syscall.SOCK_STREAM, 0)
		check(err)
		check(l.SetsockoptInt(syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1))
		check(l.Bind(ctx, socket.HostAddr{Host: "127.0.0.1"}))
		check(l.Listen(16))
		to, err := l.Getsockname()
		check(err)
		n.Go(func(ctx context.Context) error {
			c, err := socket.New(ctx, syscall.AF_INET, syscall.SOCK_STREAM, 0)
			check(err)
			check(c.Connect(ctx, to))
			f, err := os.Open("testdata/greeting")
			check(err)
			sent, err := c.SendFile(ctx, f, 0, -1) // what Trio does not have yet
			fmt.Println(sent, err)
			check(c.Shutdown(syscall.SHUT_WR))
			fmt.Println(c.DidShutdownWrite())
			p := make([]byte, 100)
			size, err := c.Recv(ctx, p, syscall.MSG_WAITALL) // until the end
			fmt.Printf("%s %v\n", p[:size], err)
			return errors.Join(f.Close(), c.Close(ctx))
		})
		s, _, err := l.Accept(ctx)
		check(err)
		stream, err := netstream.FromSocket(s)
		check(err)
		data, err := io.ReadAll(netconn.ReadWriter(ctx, stream)) // makefile
		fmt.Printf("%q %v\n", data, err)
		check(stream.SendAll(ctx, []byte("welcome"))) // sendall
		return errors.Join(l.Close(ctx), stream.Close(ctx))
	})

	// A connect that is cancelled leaves a socket that is closed.
	c, err := socket.New(context.Background(), syscall.AF_INET, syscall.SOCK_STREAM, 0)
	check(err)
	err = c.Connect(cancelled(), socket.IP(netip.MustParseAddrPort("127.0.0.1:9")))
	fmt.Println(errors.Is(err, context.Canceled), c.Closed())
	// Unordered output:
	// 6 <nil>
	// true
	// "hello\n" <nil>
	// welcome <nil>
	// true true
}

func Example_udp() {
	ctx := context.Background()
	a, err := netstream.ListenUDP(ctx, "127.0.0.1:0")
	check(err)
	b, err := netstream.DialUDP(ctx, a.LocalAddr().String())
	check(err)
	check(b.Send(ctx, []byte("ping")))
	p := make([]byte, 100)
	n, from, err := a.ReceiveFrom(ctx, p)
	check(err)
	check(a.SendTo(ctx, append(p[:n], "-pong"...), from))
	n, err = b.Receive(ctx, p)
	fmt.Println(string(p[:n]), err)
	check(errors.Join(a.Close(ctx), b.Close(ctx)))

	// Output: ping-pong <nil>
}
