package netstream

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"testing"

	"trigo"
	"trigo/trigotest"
)

// Trio: test_open_tcp_listeners_basic.
func TestListenTCPOnAllAddresses(t *testing.T) {
	trigotest.LeakCheck(t)
	needIPv6(t)
	ls, err := ListenTCP(t.Context(), ":0", nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(ls) != 2 {
		t.Fatalf("%d listeners, want 2", len(ls))
	}
	for i, l := range ls {
		defer l.Close(t.Context())
		want := []string{"0.0.0.0:", "[::]:"}[i] + port(ls[0])
		if l.Addr().String() != want || l.String() != "tcp "+want {
			t.Errorf("listener %d is %v, want %s", i, l, want)
		}

		// Two connections wait before anybody accepts.
		dial := func(ctx context.Context, network, address string) (*Stream, error) {
			return DialTCP(ctx, address, nil)
		}
		for range 2 {
			c, err := trigotest.OpenStreamToSocketListener(t.Context(), l, dial)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close(t.Context())
			if err := c.SendAll(t.Context(), []byte("x")); err != nil {
				t.Fatal(err)
			}
		}
		for range 2 {
			s := acceptOne(t, l)
			var p [1]byte
			if _, err := s.ReceiveSome(t.Context(), p[:]); err != nil || p[0] != 'x' {
				t.Errorf("received %q, %v", p[:], err)
			}
		}
	}
}

// Trio: test_open_tcp_listeners_specific_port_specific_host.
func TestListenTCPOnAGivenPort(t *testing.T) {
	free := listenOne(t, "127.0.0.1:0", nil)
	free.Close(t.Context())
	l := listenOne(t, free.Addr().String(), nil)
	if l.Addr().String() != free.Addr().String() {
		t.Errorf("listens on %v, want %v", l.Addr(), free.Addr())
	}
}

// Trio: test_open_tcp_listeners_ipv6_v6only.
func TestListenTCPOnIPv6RefusesIPv4(t *testing.T) {
	needIPv6(t)
	for _, host := range []string{"[::1]", "[::]"} {
		l := listenOne(t, host+":0", nil)
		if _, err := DialTCP(t.Context(), "127.0.0.1:"+port(l), nil); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("connecting to the port of %v with IPv4: %v", l, err)
		}
	}
}

// Trio: test_open_tcp_listeners_rebind.
func TestListenTCPAgain(t *testing.T) {
	l := listenOne(t, "127.0.0.1:0", nil)
	addr := l.Addr().String()
	if _, err := ListenTCP(t.Context(), addr, nil); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("listening twice: %v", err)
	} else if want := "listen tcp " + addr + ": bind: address already in use"; err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}

	dialOne(t, addr, nil)
	acceptOne(t, l) // stays established
	dying := dialOne(t, addr, nil)
	acceptOne(t, l).Close(t.Context()) // waits in TIME_WAIT
	dying.Close(t.Context())
	l.Close(t.Context())

	again := listenOne(t, addr, nil)
	dialOne(t, again.Addr().String(), nil)
}

func TestListenTCPByName(t *testing.T) {
	trigotest.LeakCheck(t)
	ctx := WithResolver(t.Context(), book{"both": "127.0.0.1 127.0.0.2 127.0.0.3"})
	ls, err := ListenTCP(ctx, "both:0", nil)
	if err != nil {
		t.Skipf("no 127.0.0.2 here: %v", err)
	}
	var got []string
	for _, l := range ls {
		got = append(got, l.Addr().String())
		l.Close(ctx)
	}
	p := port(ls[0])
	if want := []string{"127.0.0.1:" + p, "127.0.0.2:" + p, "127.0.0.3:" + p}; !slices.Equal(got, want) {
		t.Errorf("listens on %v, want %v", got, want)
	}
}

// An error closes what is open already, in the kernel too.
func TestListenTCPClosesAllOnError(t *testing.T) {
	trigotest.LeakCheck(t)
	ctx := WithResolver(t.Context(), book{"three": "127.0.0.1 127.0.0.2 127.0.0.3"})
	ls, err := ListenTCP(ctx, "three:0", nil) // a port that is free at all three
	if err != nil {
		t.Skipf("no 127.0.0.2 here: %v", err)
	}
	ls[0].Close(ctx)
	ls[1].Close(ctx)
	defer ls[2].Close(ctx)
	_, err = ListenTCP(ctx, "three:"+port(ls[2]), nil)
	if !errors.Is(err, syscall.EADDRINUSE) || !strings.Contains(err.Error(), ls[2].Addr().String()) {
		t.Errorf("got %v", err)
	}
	listenOne(t, ls[0].Addr().String(), nil)
}

// fakeSockets opens listening sockets that are none.
type fakeSockets struct {
	fail   func(addr netip.AddrPort) error // may be nil
	next   uint16                          // the free port that is given next
	opened []*fakeSocket
}

type fakeSocket struct {
	net.Listener
	addr   netip.AddrPort
	closed int
}

func (s *fakeSocket) Addr() net.Addr { return net.TCPAddrFromAddrPort(s.addr) }
func (s *fakeSocket) Close() error   { s.closed++; return nil }

func (f *fakeSockets) open(_ context.Context, addr netip.AddrPort) (net.Listener, error) {
	if f.fail != nil {
		if err := f.fail(addr); err != nil {
			return nil, err
		}
	}
	if addr.Port() == 0 {
		f.next++
		addr = netip.AddrPortFrom(addr.Addr(), f.next)
	}
	s := &fakeSocket{addr: addr}
	f.opened = append(f.opened, s)
	return s, nil
}

func (f *fakeSockets) closed(t *testing.T) (n int) {
	for _, s := range f.opened {
		if s.closed > 1 {
			t.Errorf("%v was closed %d times", s.addr, s.closed)
		}
		n += s.closed
	}
	return n
}

// Trio: test_open_tcp_listeners_multiple_host_cleanup_on_error.
func TestListenAllCleansUp(t *testing.T) {
	boom := errors.New("boom")
	f := &fakeSockets{fail: func(addr netip.AddrPort) error {
		if addr.Addr().String() == "3.3.3.3" {
			return boom
		}
		return nil
	}}
	ctx := WithResolver(t.Context(), book{"three": "1.1.1.1 2.2.2.2 3.3.3.3"})
	ls, err := new(ListenOptions).listen(ctx, "three:80", f.open)
	if !errors.Is(err, boom) || ls != nil || err.Error() != "3.3.3.3:80: boom" {
		t.Errorf("got %v, %v", ls, err)
	}
	if len(f.opened) != 2 || f.closed(t) != 2 {
		t.Errorf("%d were opened and %d closed, want 2 and 2", len(f.opened), f.closed(t))
	}
}

// Trio: test_open_tcp_listeners_some_address_families_unavailable.
func TestListenTCPPassesOverMissingFamilies(t *testing.T) {
	families := map[string][]bool{"IPv4": {true}, "IPv6": {false}, "both": {true, false}}
	hosts := map[string]string{"IPv4": "1.1.1.1", "IPv6": "::1", "both": "1.1.1.1 ::1"}
	for tried, list := range hosts {
		for missing, is4 := range families {
			f := &fakeSockets{fail: func(addr netip.AddrPort) error {
				if slices.Contains(is4, addr.Addr().Is4()) {
					return syscall.EAFNOSUPPORT
				}
				return nil
			}}
			ctx := WithResolver(t.Context(), book{"host": list})
			ls, err := new(ListenOptions).listen(ctx, "host:80", f.open)
			if tried == missing || missing == "both" {
				if !errors.Is(err, syscall.EAFNOSUPPORT) || !strings.Contains(err.Error(), "none of the address families") {
					t.Errorf("tried %s, missing %s: got %v", tried, missing, err)
				}
				continue
			}
			if err != nil || len(ls) != 1 {
				t.Errorf("tried %s, missing %s: got %v, %v", tried, missing, ls, err)
			}
		}
	}
}

// Trio: test_open_tcp_listeners_socket_fails_not_afnosupport.
func TestListenTCPKeepsOtherErrors(t *testing.T) {
	f := &fakeSockets{fail: func(addr netip.AddrPort) error {
		if addr.Addr().Is4() {
			return syscall.EAFNOSUPPORT
		}
		return syscall.EINVAL
	}}
	_, err := new(ListenOptions).listen(t.Context(), ":80", f.open)
	if !errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.EAFNOSUPPORT) {
		t.Errorf("got %v, want EINVAL alone", err)
	}
}

// Where IPv6 is switched off, "localhost" often has ::1 all the same.
func TestListenTCPPassesOverSwitchedOffIPv6(t *testing.T) {
	f := &fakeSockets{fail: func(addr netip.AddrPort) error {
		if addr.Addr().Is6() {
			return syscall.EADDRNOTAVAIL
		}
		return nil
	}}
	ctx := WithResolver(t.Context(), book{"localhost": "127.0.0.1 ::1", "wrong": "127.0.0.1 2001:db8::1"})
	if ls, err := new(ListenOptions).listen(ctx, "localhost:80", f.open); err != nil || len(ls) != 1 {
		t.Errorf("localhost: got %v, %v", ls, err)
	}
	if _, err := new(ListenOptions).listen(ctx, "wrong:80", f.open); !errors.Is(err, syscall.EADDRNOTAVAIL) {
		t.Errorf("an address that is not ours: got %v", err)
	}
}

// Port 0 is one port for both families, if need be at the second try.
func TestListenTCPOnOneFreePort(t *testing.T) {
	taken := map[uint16]bool{1: true, 2: true}
	f := &fakeSockets{fail: func(addr netip.AddrPort) error {
		if addr.Addr().Is6() && taken[addr.Port()] {
			return syscall.EADDRINUSE
		}
		return nil
	}}
	ls, err := new(ListenOptions).listen(t.Context(), ":0", f.open)
	if err != nil || len(ls) != 2 {
		t.Fatalf("got %v, %v", ls, err)
	}
	for _, l := range ls {
		if p := l.Addr().(*net.TCPAddr).Port; p != 3 {
			t.Errorf("listens on port %d, want 3", p)
		}
	}
	if f.closed(t) != 2 {
		t.Errorf("%d of the tries were closed, want 2", f.closed(t))
	}

	hopeless := &fakeSockets{fail: func(addr netip.AddrPort) error {
		if addr.Addr().Is6() {
			return syscall.EADDRINUSE
		}
		return nil
	}}
	_, err = new(ListenOptions).listen(t.Context(), ":0", hopeless.open)
	if !errors.Is(err, syscall.EADDRINUSE) || len(hopeless.opened) != 16 || hopeless.closed(t) != 16 {
		t.Errorf("got %v after %d tries", err, len(hopeless.opened))
	}

	// A port that was asked for is not exchanged for another.
	given := &fakeSockets{fail: hopeless.fail}
	if _, err := new(ListenOptions).listen(t.Context(), ":80", given.open); !errors.Is(err, syscall.EADDRINUSE) || len(given.opened) != 1 {
		t.Errorf("got %v after %d tries", err, len(given.opened))
	}
}

// Trio: test_open_tcp_listeners_backlog.
func TestClampBacklog(t *testing.T) {
	for n, want := range map[int]int{1: 1, 10: 10, 65535: 65535, 65536: 65535, 99999999: 65535} {
		if got := clampBacklog(n); got != want {
			t.Errorf("clampBacklog(%d) = %d, want %d", n, got, want)
		}
	}
}

func TestFromListener(t *testing.T) {
	src, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l, err := FromListener(src)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close(t.Context())
	talk(t, dialOne(t, l.Addr().String(), nil), acceptOne(t, l))
	if got, ok := trigo.As[*net.TCPListener](l); !ok || got != src {
		t.Errorf("As returned %v, %v", got, ok)
	}

	if _, err := FromListener(&fakeSocket{addr: netip.MustParseAddrPort("192.0.2.1:80")}); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("a listener of another kind: %v", err)
	}
}
