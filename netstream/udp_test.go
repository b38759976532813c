//go:build linux || darwin || freebsd

package netstream

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"

	"trigo"
	"trigo/internal/bench"
	"trigo/nursery"
	"trigo/trigotest"
)

func mustUDP(tb testing.TB) func(u *UDP, err error) *UDP {
	return func(u *UDP, err error) *UDP {
		tb.Helper()
		if err != nil {
			tb.Fatal(err)
		}
		tb.Cleanup(func() { u.Close(context.Background()) })
		return u
	}
}

func TestUDPKeepsBordersAndTellsSenders(t *testing.T) {
	ctx := limited(t)
	for _, host := range []string{"127.0.0.1", "[::1]"} {
		server, err := ListenUDP(ctx, host+":0")
		if errors.Is(err, syscall.EADDRNOTAVAIL) {
			t.Skip("no IPv6 on this machine")
		}
		mustUDP(t)(server, err)
		client := mustUDP(t)(DialUDP(ctx, server.LocalAddr().String()))
		if client.RemoteAddr() != server.LocalAddr() {
			t.Errorf("connected to %v, want %v", client.RemoteAddr(), server.LocalAddr())
		}
		for _, s := range []string{"one", "", "three"} {
			if err := client.Send(ctx, []byte(s)); err != nil {
				t.Fatal(err)
			}
		}
		buf := make([]byte, 4)
		for _, want := range []string{"one", ""} {
			n, from, err := server.ReceiveFrom(ctx, buf)
			if err != nil || string(buf[:n]) != want || from != client.LocalAddr() {
				t.Errorf("%q from %v, %v", buf[:n], from, err)
			}
		}
		n, from, err := server.ReceiveFrom(ctx, buf)
		if !errors.Is(err, io.ErrShortBuffer) || string(buf[:n]) != "thre" || from != client.LocalAddr() {
			t.Errorf("%q from %v, %v; want it truncated", buf[:n], from, err)
		}
		if err := server.SendTo(ctx, []byte("back"), from); err != nil {
			t.Error(err)
		}
		if n, err := client.Receive(ctx, buf); n != 4 || err != nil {
			t.Error(n, err)
		}
	}
}

func TestUDPOnEveryAddressTakesBothFamilies(t *testing.T) {
	ctx := limited(t)
	server := mustUDP(t)(ListenUDP(ctx, ":0"))
	port := server.LocalAddr().Port()
	buf := make([]byte, 4)
	for _, ip := range []netip.Addr{netip.MustParseAddr("127.0.0.1"), netip.IPv6Loopback()} {
		if ip.Is6() && server.LocalAddr().Addr().Is4() {
			t.Skip("no IPv6 on this machine")
		}
		client := mustUDP(t)(DialUDP(ctx, netip.AddrPortFrom(ip, port).String()))
		if err := client.Send(ctx, []byte("x")); err != nil {
			t.Fatal(err)
		}
		_, from, err := server.ReceiveFrom(ctx, buf)
		if err != nil || from != client.LocalAddr() {
			t.Errorf("from %v, want %v (%v)", from, client.LocalAddr(), err)
		}
		if err := server.SendTo(ctx, []byte("y"), from); err != nil {
			t.Error(err)
		}
		if _, err := client.Receive(ctx, buf); err != nil {
			t.Error(err)
		}
	}
}

func TestUDPErrors(t *testing.T) {
	ctx := limited(t)
	free := mustUDP(t)(ListenUDP(ctx, "127.0.0.1:0"))
	gone := free.LocalAddr()
	if err := free.Send(ctx, []byte("x")); !errors.Is(err, syscall.EDESTADDRREQ) {
		t.Errorf("Send on an unconnected socket: %v", err)
	}
	if err := free.SendTo(ctx, make([]byte, 1<<17), gone); !errors.Is(err, syscall.EMSGSIZE) {
		t.Errorf("too long: %v", err)
	}
	if err := free.SendTo(ctx, nil, netip.MustParseAddrPort("[::1]:9")); err == nil || !strings.Contains(err.Error(), "[::1]:9") {
		t.Errorf("IPv6 from an IPv4 socket: %v", err)
	}
	if _, err := ListenUDP(ctx, gone.String()); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("Listen twice: %v", err)
	}
	client := mustUDP(t)(DialUDP(ctx, gone.String()))
	if err := client.SendTo(ctx, []byte("x"), gone); !errors.Is(err, syscall.EISCONN) {
		t.Errorf("SendTo on a connected socket: %v", err)
	}
	free.Close(ctx)
	free.Close(ctx)
	if _, _, err := free.ReceiveFrom(ctx, make([]byte, 1)); !errors.Is(err, trigo.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
	if err := client.Send(ctx, []byte("x")); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Receive(ctx, make([]byte, 1)); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("nobody there: %v", err)
	}
	for _, address := range []string{"", "127.0.0.1", "127.0.0.1:x", ":1", "127.0.0.1:0"} {
		if u, err := DialUDP(ctx, address); err == nil {
			u.Close(ctx)
			t.Errorf("dialled %q", address)
		}
	}
	var dns *net.DNSError
	if _, err := DialUDP(WithResolver(ctx, &fakeNet{}), "example.test:80"); !errors.As(err, &dns) {
		t.Errorf("a name without addresses: %v", err)
	}
}

func TestUDPIsCancelledAndClosed(t *testing.T) {
	trigotest.LeakCheck(t)
	u := mustUDP(t)(ListenUDP(limited(t), "127.0.0.1:0"))
	ctx, cancel := context.WithCancel(context.Background())
	err := nursery.Run(limited(t), func(_ context.Context, n *nursery.Nursery) error {
		n.Go(func(context.Context) error {
			cancel()
			return nil
		})
		_, _, err := u.ReceiveFrom(ctx, make([]byte, 1))
		if !nursery.IsCancellation(ctx, err) {
			t.Errorf("cancelled: %v", err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	err = nursery.Run(limited(t), func(ctx context.Context, n *nursery.Nursery) error {
		n.Go(func(ctx context.Context) error { return u.Close(ctx) })
		if _, _, err := u.ReceiveFrom(ctx, make([]byte, 1)); !errors.Is(err, trigo.ErrClosed) {
			t.Errorf("closed: %v", err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func TestUDPAllocatesNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the pools lose things on purpose under the race detector")
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	u := mustUDP(t)(ListenUDP(ctx, "127.0.0.1:0"))
	p := make([]byte, 64)
	n := testing.AllocsPerRun(100, func() {
		if err := u.SendTo(ctx, p, u.LocalAddr()); err != nil {
			t.Fatal(err)
		}
		if _, _, err := u.ReceiveFrom(ctx, p); err != nil {
			t.Fatal(err)
		}
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkRatioUDPPingPong(b *testing.B) {
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	client := mustUDP(b)(ListenUDP(ctx, "127.0.0.1:0"))
	server := mustUDP(b)(ListenUDP(ctx, "127.0.0.1:0"))
	go func() {
		buf := make([]byte, ping)
		for {
			n, from, err := server.ReceiveFrom(ctx, buf)
			if err != nil || server.SendTo(ctx, buf[:n], from) != nil {
				return
			}
		}
	}()
	buf := make([]byte, ping)
	ours := func(n int) {
		for range n {
			if err := client.SendTo(ctx, buf, server.LocalAddr()); err != nil {
				b.Fatal(err)
			}
			if n, _, err := client.ReceiveFrom(ctx, buf); err != nil || n != ping {
				b.Fatal(n, err)
			}
		}
	}
	b.ReportAllocs()
	bench.Ratio(b, "net", ours, rawUDPPingPong(b))
}

func rawUDPPingPong(b *testing.B) func(n int) {
	var conns [2]*net.UDPConn
	for i := range conns {
		c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { c.Close() })
		conns[i] = c
	}
	client, server := conns[0], conns[1]
	to := server.LocalAddr().(*net.UDPAddr).AddrPort()
	go func() {
		buf := make([]byte, ping)
		for {
			n, from, err := server.ReadFromUDPAddrPort(buf)
			if err != nil {
				return
			}
			server.WriteToUDPAddrPort(buf[:n], from)
		}
	}()
	buf := make([]byte, ping)
	return func(n int) {
		for range n {
			if _, err := client.WriteToUDPAddrPort(buf, to); err != nil {
				b.Fatal(err)
			}
			if n, _, err := client.ReadFromUDPAddrPort(buf); err != nil || n != ping {
				b.Fatal(n, err)
			}
		}
	}
}
