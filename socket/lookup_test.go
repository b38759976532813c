//go:build linux || darwin || freebsd

package socket

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// book is a resolver with a few names. It remembers what it was asked.
type book struct {
	names map[string][]string
	asked []string
}

func (b *book) LookupNetIP(ctx context.Context, network, host string) (addrs []netip.Addr, err error) {
	b.asked = append(b.asked, network+" "+host)
	for _, a := range b.names[host] {
		addrs = append(addrs, netip.MustParseAddr(a))
	}
	if addrs == nil {
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	return addrs, nil
}

// directory is a book that knows more.
type directory struct{ *book }

func (d directory) LookupAddr(ctx context.Context, addr string) ([]string, error) {
	d.asked = append(d.asked, "addr "+addr)
	for name, addrs := range d.names {
		if slices.Contains(addrs, addr) {
			return []string{name + "."}, nil
		}
	}
	return nil, &net.DNSError{Err: "no name", Name: addr, IsNotFound: true}
}

func (d directory) LookupCNAME(ctx context.Context, host string) (string, error) {
	return "canon." + host + ".", nil
}

func (d directory) LookupPort(ctx context.Context, network, service string) (int, error) {
	if service != "game" {
		return 0, &net.DNSError{Err: "unknown port", Name: network + "/" + service, IsNotFound: true}
	}
	return map[string]int{"tcp": 1000, "udp": 2000}[network], nil
}

// stuckName knows addresses, and waits for the end of the ctx when asked for a
// canonical name.
type stuckName struct {
	*book
	asked chan struct{}
}

func (s stuckName) LookupCNAME(ctx context.Context, host string) (string, error) {
	close(s.asked)
	<-ctx.Done()
	return "", ctx.Err()
}

func testBook() *book {
	return &book{names: map[string][]string{
		"both.test":        {"192.0.2.1", "2001:db8::1"},
		"four.test":        {"192.0.2.4", "192.0.2.4"},
		"six.test":         {"2001:db8::6"},
		"xn--fa-hia.test":  {"192.0.2.5"},
		"localhost":        {"127.0.0.1"},
		"xn--strae-oqa.de": {"192.0.2.6"},
	}}
}

// Trio: test_SocketType_resolve, the table; with numbers, nothing is asked.
func TestAddressesAreResolvedByTheRules(t *testing.T) {
	for _, c := range []struct {
		family  int
		only6   bool
		passive bool
		host    string
		port    string
		want    string // "" : an error
	}{
		{inet, false, false, "127.0.0.1", "80", "127.0.0.1:80"},
		{inet, false, false, "", "80", "127.0.0.1:80"},
		{inet, false, true, "", "80", "0.0.0.0:80"},
		{inet, false, true, "", "", "0.0.0.0:0"},
		{inet, false, false, "<broadcast>", "80", "255.255.255.255:80"},
		{inet, false, false, "::1", "80", ""},
		{inet, false, false, "::ffff:127.0.0.1", "80", "127.0.0.1:80"},
		{inet, false, false, "both.test", "80", "192.0.2.1:80"},
		{inet, false, false, "six.test", "80", ""},
		{inet, false, false, "none.test", "80", ""},
		{inet, false, false, "127.0.0.1", "http", "127.0.0.1:80"},
		{inet, false, false, "127.0.0.1", "no-such-service", ""},
		{inet, false, false, "127.0.0.1", "65536", ""},
		{inet, false, false, "127.0.0.1", "-1", ""},
		{inet6, false, false, "::1", "80", "[::1]:80"},
		{inet6, false, false, "", "80", "[::1]:80"},
		{inet6, false, true, "", "80", "[::]:80"},
		{inet6, false, false, "127.0.0.1", "80", "[::ffff:127.0.0.1]:80"},
		{inet6, true, false, "127.0.0.1", "80", ""},
		{inet6, false, false, "four.test", "80", "[::ffff:192.0.2.4]:80"},
		{inet6, true, false, "four.test", "80", ""},
		{inet6, false, false, "both.test", "80", "[2001:db8::1]:80"},
		{inet6, false, false, "<broadcast>", "80", ""},
		{inet6, false, false, "fe80::1%1", "80", "[fe80::1%1]:80"},
	} {
		s := open(t, c.family, stream, 0)
		if c.family == inet6 {
			only := 0
			if c.only6 {
				only = 1
			}
			ok(t, s.SetsockoptInt(syscall.IPPROTO_IPV6, syscall.IPV6_V6ONLY, only))
		}
		ctx := WithResolver(bounded(t), testBook())
		got, err := s.resolve(ctx, HostAddr{Host: c.host, Port: c.port}, c.passive)
		switch {
		case c.want == "" && err == nil:
			t.Errorf("%+v: %v, want an error", c, got)
		case c.want != "" && (err != nil || got.String() != c.want):
			t.Errorf("%+v: %v, %v", c, got, err)
		}
	}
}

// Bad addresses are refused before the system sees them.
func TestAddressesOfTheWrongKind(t *testing.T) {
	ip4, ip6 := loopback(inet, 9), loopback(inet6, 9)
	long := UnixAddr{Name: strings.Repeat("x", 200)}
	for _, c := range []struct {
		family, typ int
		addr        Addr
	}{
		{inet, dgram, nil},
		{inet, dgram, ip6},
		{inet, dgram, IPAddr{}},
		{inet, dgram, UnixAddr{Name: "x"}},
		{inet, dgram, VsockAddr{}},
		{inet, dgram, NetlinkAddr{}},
		{inet, dgram, PacketAddr{}},
		{inet, dgram, RawAddr{AddrFamily: inet, Data: strings.Repeat("x", 200)}},
		{inet6, dgram, UnixAddr{Name: "x"}},
		{inet6, dgram, IP(netip.MustParseAddrPort("[fe80::1%no-such-interface]:9"))},
		{inet6, dgram, HostAddr{Host: "<broadcast>", Port: "9"}},
		{unixAF, dgram, ip4},
		{unixAF, dgram, HostAddr{Host: "localhost", Port: "9"}},
		{unixAF, dgram, long},
		{unixAF, dgram, UnixAddr{Name: long.Name, Abstract: true}},
		{unixAF, dgram, UnixAddr{}},
		{unixAF, dgram, UnixAddr{Name: "a\x00b"}},
	} {
		s := open(t, c.family, c.typ, 0)
		what := fmt.Sprintf("family %d, address %#v", c.family, c.addr)
		ctx := bounded(t)
		wantBadAddr(t, "Bind: "+what, s.Bind(ctx, c.addr))
		wantBadAddr(t, "Connect: "+what, s.Connect(ctx, c.addr))
		_, err := s.SendTo(ctx, []byte("x"), 0, c.addr)
		wantBadAddr(t, "SendTo: "+what, err)
		if s.Closed() {
			t.Errorf("%s: closed the socket", what)
		}
	}
	s := open(t, unixAF, dgram, 0)
	_, err := s.SendToAddrPort(bounded(t), []byte("x"), 0, ip4.AddrPort)
	wantBadAddr(t, "SendToAddrPort", err)
	s = open(t, inet6, dgram, 0)
	ok(t, s.SetsockoptInt(syscall.IPPROTO_IPV6, syscall.IPV6_V6ONLY, 1))
	wantBadAddr(t, "IPv4 on an IPv6-only socket", s.Connect(bounded(t), ip4))
}

func TestFlowInfoAndScopeAreKept(t *testing.T) {
	var sa sockaddr
	a := IPAddr{netip.MustParseAddrPort("[fe80::1%1]:80"), 0x12345}
	ok(t, a.encode(inet6, &sa))
	got, _ := sa.addr().(IPAddr)
	if got.FlowInfo != a.FlowInfo || got.Addr().Zone() != zoneName(1) {
		t.Errorf("%+v, want %+v", got, a)
	}
	if i, err := zoneIndex(zoneName(1)); i != 1 || err != nil {
		t.Errorf("index %d, %v", i, err)
	}
}

// Trio: test_SocketType_unresolved_names
func TestNamesWorkWhereverAnAddressDoes(t *testing.T) {
	b := testBook()
	ctx := WithResolver(bounded(t), b)
	l := open(t, inet, stream, 0)
	ok(t, l.Bind(ctx, HostAddr{Host: "localhost"}))
	ok(t, l.Listen(0))
	addr := must[Addr](t)(l.Getsockname()).(IPAddr)
	c := open(t, inet, stream, 0)
	ok(t, c.Connect(ctx, HostAddr{Host: "localhost", Port: portText(addr)}))
	if got, err := c.Getpeername(); got != Addr(addr) || err != nil {
		t.Error(got, err)
	}
	var dns *net.DNSError
	err := open(t, inet, stream, 0).Connect(ctx, HostAddr{Host: "none.test", Port: "1"})
	if !errors.As(err, &dns) || !dns.IsNotFound {
		t.Errorf("%v, want a DNSError", err)
	}
}

// What is in the machine's own table needs no network.
func TestLocalhostIsFoundByTheSystem(t *testing.T) {
	if hosts, _ := os.ReadFile("/etc/hosts"); !strings.Contains(string(hosts), "localhost") {
		t.Skip("/etc/hosts does not have it")
	}
	found, err := Getaddrinfo(bounded(t), "localhost", "80", &Hints{Type: stream})
	if err != nil || len(found) == 0 {
		t.Fatal(found, err)
	}
	for _, f := range found {
		if !f.Addr.Addr().IsLoopback() || f.Addr.Port() != 80 {
			t.Errorf("found %v", f.Addr)
		}
	}
}

func infos(found []AddrInfo) (all []string) {
	for _, f := range found {
		s := fmt.Sprintf("%v/%d/%d", f.Addr, f.Type, f.Proto)
		if f.CanonName != "" {
			s += " " + f.CanonName
		}
		if f.Family != inet && f.Family != inet6 || (f.Family == inet) != f.Addr.Addr().Is4() {
			s += " of the wrong family"
		}
		all = append(all, s)
	}
	return all
}

// Trio: test_getaddrinfo
func TestGetaddrinfo(t *testing.T) {
	tcp, udp := "/1/6", "/2/17"
	for _, c := range []struct {
		host, port string
		hints      *Hints
		want       []string // nil: not found
	}{
		{"127.0.0.1", "12345", &Hints{Type: stream}, []string{"127.0.0.1:12345" + tcp}},
		{"::1", "12345", &Hints{Type: dgram}, []string{"[::1]:12345" + udp}},
		{"127.0.0.1", "1", nil, []string{"127.0.0.1:1" + tcp, "127.0.0.1:1" + udp, "127.0.0.1:1/3/0"}},
		{"127.0.0.1", "1", &Hints{Proto: syscall.IPPROTO_UDP}, []string{"127.0.0.1:1" + udp, "127.0.0.1:1/3/17"}},
		{"", "1", &Hints{Type: stream}, []string{"[::1]:1" + tcp, "127.0.0.1:1" + tcp}},
		{"", "1", &Hints{Type: stream, Flags: AIPassive}, []string{"0.0.0.0:1" + tcp, "[::]:1" + tcp}},
		{"both.test", "1", &Hints{Type: stream}, []string{"192.0.2.1:1" + tcp, "[2001:db8::1]:1" + tcp}},
		{"both.test", "", &Hints{Type: stream, Family: inet6}, []string{"[2001:db8::1]:0" + tcp}},
		{"both.test", "", &Hints{Type: stream, Family: inet6, Flags: AIV4Mapped}, []string{"[2001:db8::1]:0" + tcp}},
		{"both.test", "", &Hints{Type: stream, Family: inet6, Flags: AIV4Mapped | AIAll}, []string{"[2001:db8::1]:0" + tcp, "[::ffff:192.0.2.1]:0" + tcp}},
		{"four.test", "1", &Hints{Type: stream, Family: inet6, Flags: AIV4Mapped}, []string{"[::ffff:192.0.2.4]:1" + tcp}},
		{"four.test", "1", &Hints{Type: stream, Flags: AICanonName}, []string{"192.0.2.4:1" + tcp + " canon.four.test"}},
		{"FAß.test", "1", &Hints{Type: stream}, []string{"192.0.2.5:1" + tcp}}, // Trio: test_idna
		{"straße.de", "1", &Hints{Type: stream}, []string{"192.0.2.6:1" + tcp}},
		{"four.test", "game", nil, []string{"192.0.2.4:1000" + tcp, "192.0.2.4:2000" + udp}},
		{"four.test", "1", &Hints{Flags: AINumericHost}, nil},
		{"four.test", "game", &Hints{Flags: AINumericServ}, nil},
		{"four.test", "unknown", nil, nil},
		{"four.test", "1", &Hints{Family: inet6}, nil},
		{"127.0.0.1", "1", &Hints{Family: inet6}, nil},
		{"::1", "1", &Hints{Family: inet}, nil},
		{"none.test", "1", nil, nil},
		{"", "", nil, nil},
		{"127.0.0.1", "99999", nil, nil},
	} {
		found, err := Getaddrinfo(WithResolver(bounded(t), directory{testBook()}), c.host, c.port, c.hints)
		what := fmt.Sprintf("%q %q %+v", c.host, c.port, c.hints)
		var dns *net.DNSError
		switch {
		case c.want == nil && !(errors.As(err, &dns) && dns.IsNotFound):
			t.Errorf("%s: %v, %v; want a DNSError", what, infos(found), err)
		case c.want != nil && (err != nil || !slices.Equal(infos(found), c.want)):
			t.Errorf("%s: %q, %v; want %q", what, infos(found), err, c.want)
		}
	}
	_, err := Getaddrinfo(bounded(t), "127.0.0.1", "1", &Hints{Family: unixAF})
	wantIs(t, "family", err, syscall.EAFNOSUPPORT)
	_, err = Getaddrinfo(bounded(t), "127.0.0.1", "1", &Hints{Type: 99})
	wantIs(t, "type", err, syscall.ESOCKTNOSUPPORT)
	dead := deadCtx()
	_, err = Getaddrinfo(dead, "127.0.0.1", "1", nil)
	wantCancelled(t, dead, "numeric, with a dead ctx", err)
	_, err = Getaddrinfo(bounded(t), "a..ß", "1", nil)
	if err == nil {
		t.Error("a bad name was looked up")
	}
}

// Trio: test_custom_hostname_resolver
func TestResolverSeesOnlyWhatIsToBeLookedUp(t *testing.T) {
	b := testBook()
	ctx := WithResolver(bounded(t), b)
	for _, host := range []string{"127.0.0.1", "::1", "straße.de", "both.test", ""} {
		if _, err := Getaddrinfo(ctx, host, "80", nil); err != nil {
			t.Error(err)
		}
	}
	want := []string{"ip xn--strae-oqa.de", "ip both.test"}
	if !slices.Equal(b.asked, want) {
		t.Errorf("asked for %q, want %q", b.asked, want)
	}
	if resolverOf(WithResolver(ctx, nil)) != Resolver(net.DefaultResolver) {
		t.Error("a nil resolver is not the default one")
	}
}

func TestLookupIsCancelled(t *testing.T) {
	r := stuckResolver{make(chan string, 1)}
	ctx, cancel := context.WithCancel(WithResolver(context.Background(), r))
	wait := async(t, func() error { _, err := Getaddrinfo(ctx, "somewhere.test", "1", nil); return err })
	<-r.asked
	cancel()
	wantCancelled(t, ctx, "Getaddrinfo", wait())
}

func TestLookupOfACanonicalNameIsCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	r := stuckName{testBook(), make(chan struct{})}
	wait := async(t, func() error {
		_, err := Getaddrinfo(WithResolver(ctx, r), "four.test", "1", &Hints{Flags: AICanonName})
		return err
	})
	<-r.asked
	cancel()
	wantCancelled(t, ctx, "Getaddrinfo", wait())
}

// Trio: test_getnameinfo
func TestGetnameinfo(t *testing.T) {
	d := directory{testBook()}
	ctx := WithResolver(bounded(t), d)
	six := netip.MustParseAddrPort("[2001:db8::6]:80")
	unknown := netip.MustParseAddrPort("192.0.2.99:12345")
	for _, c := range []struct {
		addr          netip.AddrPort
		flags         NIFlags
		host, service string
	}{
		{six, 0, "six.test", "http"},
		{six, NINumericHost, "2001:db8::6", "http"},
		{six, NINumericServ, "six.test", "80"},
		{six, NINumericHost | NINumericServ, "2001:db8::6", "80"},
		{unknown, 0, "192.0.2.99", "12345"},
	} {
		host, service, err := Getnameinfo(ctx, c.addr, c.flags)
		if _, noTable := os.Stat("/etc/services"); noTable != nil && c.service == "http" {
			c.service = "80"
		}
		if err != nil || host != c.host || service != c.service {
			t.Errorf("%v flags %d: %q %q %v, want %q %q", c.addr, c.flags, host, service, err, c.host, c.service)
		}
	}
	var dns *net.DNSError
	if _, _, err := Getnameinfo(ctx, unknown, NINameReqd); !errors.As(err, &dns) {
		t.Errorf("%v, want a DNSError", err)
	}
	_, _, err := Getnameinfo(ctx, netip.AddrPort{}, 0)
	wantBadAddr(t, "no address", err)
	dead := deadCtx()
	_, _, err = Getnameinfo(dead, six, NINumericHost)
	wantCancelled(t, dead, "Getnameinfo", err)
}

// Trio: test_getprotobyname
func TestGetprotobyname(t *testing.T) {
	for name, want := range map[string]int{"icmp": 1, "tcp": 6, "udp": 17} {
		if got, err := Getprotobyname(bounded(t), name); got != want || err != nil {
			t.Errorf("%s: %d, %v", name, got, err)
		}
	}
	_, err := Getprotobyname(bounded(t), "no such protocol")
	wantIs(t, "unknown", err, os.ErrNotExist)
	dead := deadCtx()
	_, err = Getprotobyname(dead, "tcp")
	wantCancelled(t, dead, "Getprotobyname", err)
}
