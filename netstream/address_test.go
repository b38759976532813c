package netstream

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"trigo"
	"trigo/nursery"
)

func TestSplitAddress(t *testing.T) {
	for _, c := range []struct {
		address, host string
		port          uint16
	}{
		{"example.com:443", "example.com", 443},
		{":80", "", 80},
		{"192.0.2.1:0", "192.0.2.1", 0},
		{"[::1]:65535", "::1", 65535},
		{"[fe80::1%eth0]:80", "fe80::1%eth0", 80},
		{"my_box:1", "my_box", 1},
		{"пример.рф:80", "пример.рф", 80},
	} {
		host, port, err := splitAddress(c.address)
		if host != c.host || port != c.port || err != nil {
			t.Errorf("%s: got %q, %d, %v", c.address, host, port, err)
		}
	}
}

// noIO fails the test when a name is looked up.
type noIO struct{ t *testing.T }

func (r noIO) LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error) {
	r.t.Errorf("%s was looked up", host)
	return nil, errors.New("no lookup expected")
}

// Bad input is refused before any I/O, in one line that names the part at fault.
func TestBadAddresses(t *testing.T) {
	both := []struct{ address, fault string }{
		{"", "missing port"},
		{"example.com", "missing port"},
		{"example.com:", "missing port"},
		{"[::1]", "missing port"},
		{"[::1]:", "missing port"},
		{"example.com:http", `port "http" is not a number`},
		{"example.com:-1", `port "-1" is not a number`},
		{"example.com:+1", `port "+1" is not a number`},
		{"example.com:65536", "port 65536 is out of range"},
		{"example.com:99999999999999999999", "port 99999999999999999999 is out of range"},
		{"::1", "needs brackets"},
		{"::1:80", "needs brackets"},
		{"2001:db8::1:443", "needs brackets"},
		{"[::1:80", "missing ']'"},
		{"[::1]80", `"80" after the brackets`},
		{"[127.0.0.1]:80", `"127.0.0.1" in brackets`},
		{"[example.com]:80", `"example.com" in brackets`},
		{"a b:80", `contains ' '`},
		{"a\x00b:80", `contains '\x00'`},
		{"http://example.com:80", "needs brackets"},
		{"xn--a\u00e4:80", "not a valid name"},
		{"-\u00e4-:80", "not a valid name"},
	}
	ctx := WithResolver(t.Context(), noIO{t})
	for _, c := range both {
		_, err := DialTCP(ctx, c.address, nil)
		checkRefusal(t, err, "dial", "tcp "+c.address, c.fault)
		_, err = ListenTCP(ctx, c.address, nil)
		checkRefusal(t, err, "listen", "tcp "+c.address, c.fault)
	}
	_, err := DialTCP(ctx, ":80", nil)
	checkRefusal(t, err, "dial", "tcp :80", "missing host")
	_, err = DialTCP(ctx, "example.com:0", nil)
	checkRefusal(t, err, "dial", "tcp example.com:0", "port 0 cannot be dialled")
	_, err = ListenTCP(ctx, "example.com:80", &ListenOptions{Backlog: -1})
	checkRefusal(t, err, "listen", "tcp example.com:80", "negative Backlog")
}

func checkRefusal(t *testing.T, err error, op, layer, fault string) {
	t.Helper()
	e, ok := errors.AsType[*trigo.OpError](err)
	if !ok {
		t.Errorf("%s %q: got %v, want a *trigo.OpError", op, layer, err)
		return
	}
	if e.Op != op || e.Layer != layer || !strings.Contains(e.Err.Error(), fault) {
		t.Errorf("%s %q: got %q, want it to say %q", op, layer, err, fault)
	}
	if strings.Contains(e.Err.Error(), "\n") {
		t.Errorf("%s %q: the error has several lines: %q", op, layer, err)
	}
}

func TestDeadContext(t *testing.T) {
	reason := errors.New("over")
	ctx, cancel := context.WithCancelCause(WithResolver(t.Context(), noIO{t}))
	cancel(reason)
	path := socketDir(t) + "/s"
	for name, call := range map[string]func() error{
		"DialTCP":    func() error { _, err := DialTCP(ctx, "example.com:80", nil); return err },
		"ListenTCP":  func() error { _, err := ListenTCP(ctx, "example.com:80", nil); return err },
		"ServeTCP":   func() error { return ServeTCP(ctx, "127.0.0.1:0", hangUp, nil) },
		"DialUnix":   func() error { _, err := DialUnix(ctx, path); return err },
		"ListenUnix": func() error { _, err := ListenUnix(ctx, path, nil); return err },
		"ServeUnix":  func() error { return ServeUnix(ctx, path, hangUp, nil) },
	} {
		if err := call(); !nursery.IsCancellation(ctx, err) || !errors.Is(err, reason) || !errors.Is(err, context.Canceled) {
			t.Errorf("%s: got %v, want a cancellation", name, err)
		}
	}
	if left := dirNames(t, path[:len(path)-2]); len(left) > 0 {
		t.Errorf("files were made: %v", left)
	}
}

// hangUp is a handler that does nothing.
func hangUp(context.Context, *Stream) error { return nil }

// book is a resolver that knows some names.
type book map[string]string

func (b book) LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error) {
	list, ok := b[host]
	if !ok || network != "ip" {
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	var found []netip.Addr
	for _, a := range strings.Fields(list) {
		found = append(found, netip.MustParseAddr(a))
	}
	return found, nil
}

func TestLookup(t *testing.T) {
	ctx := WithResolver(t.Context(), book{
		"plain":                   "192.0.2.1 2001:db8::1",
		"_odd_.example":           "192.0.2.2",
		"xn--e1afmkfd.xn--p1ai":   "192.0.2.3",
		"xn--bcher-kva.example":   "192.0.2.4",
		"xn--fa-hia.example":      "192.0.2.5",
		"twice":                   "192.0.2.6 ::ffff:192.0.2.6 192.0.2.6",
		"UPPER.example":           "192.0.2.7",
		"xn--leave-me-alone-1234": "192.0.2.8",
	})
	for host, want := range map[string][]string{
		"plain":                   {"192.0.2.1", "2001:db8::1"},
		"_odd_.example":           {"192.0.2.2"},
		"пример.рф":               {"192.0.2.3"},
		"BÜCHER.example":          {"192.0.2.4"},
		"bücher。example":          {"192.0.2.4"}, // an ideographic full stop
		"faß.example":             {"192.0.2.5"}, // IDNA 2003 would make it fass
		"twice":                   {"192.0.2.6"},
		"UPPER.example":           {"192.0.2.7"},
		"xn--leave-me-alone-1234": {"192.0.2.8"},
		"127.0.0.1":               {"127.0.0.1"},
		"::ffff:127.0.0.1":        {"127.0.0.1"},
		"fe80::1%eth0":            {"fe80::1%eth0"},
	} {
		got, err := lookup(ctx, host)
		var texts []string
		for _, a := range got {
			texts = append(texts, a.String())
		}
		if err != nil || !slices.Equal(texts, want) {
			t.Errorf("%s: got %v, %v, want %v", host, texts, err, want)
		}
	}
}

func TestUnknownName(t *testing.T) {
	ctx := WithResolver(t.Context(), book{})
	for name, call := range map[string]func() error{
		"dial":   func() error { _, err := DialTCP(ctx, "nowhere:80", nil); return err },
		"listen": func() error { _, err := ListenTCP(ctx, "nowhere:80", nil); return err },
	} {
		err := call()
		if dns, ok := errors.AsType[*net.DNSError](err); !ok || !dns.IsNotFound {
			t.Errorf("%s: %v has no *net.DNSError", name, err)
		}
		if want := name + " tcp nowhere:80: lookup nowhere: no such host"; err.Error() != want {
			t.Errorf("got %q, want %q", err, want)
		}
	}
}
