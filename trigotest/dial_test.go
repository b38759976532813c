package trigotest

import (
	"context"
	"net"
	"path/filepath"
	"testing"
)

func TestOpenStreamToSocketListenerFindsTheWay(t *testing.T) {
	for _, where := range []struct{ name, network, address, want string }{
		{"IPv4 loopback", "tcp4", "127.0.0.1:0", "127.0.0.1"},
		{"IPv4 wildcard", "tcp4", "0.0.0.0:0", "127.0.0.1"},
		{"IPv6 loopback", "tcp6", "[::1]:0", "::1"},
		{"IPv6 wildcard", "tcp6", "[::]:0", "::1"},
		{"Unix path", "unix", filepath.Join(t.TempDir(), "socket"), ""},
	} {
		t.Run(where.name, func(t *testing.T) {
			l, err := net.Listen(where.network, where.address)
			if err != nil {
				t.Skipf("cannot listen: %v", err)
			}
			defer l.Close()
			c, err := OpenStreamToSocketListener(t.Context(), l, new(net.Dialer).DialContext)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			accepted, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			accepted.Close()
			if tcp, ok := c.RemoteAddr().(*net.TCPAddr); ok && tcp.IP.String() != where.want {
				t.Errorf("connected to %v, want %s", tcp.IP, where.want)
			}
		})
	}
}

// address is a net.Addr of any kind, listening nowhere.
type address struct{ network, text string }

func (a address) Network() string { return a.network }
func (a address) String() string  { return a.text }
func (a address) Addr() net.Addr  { return a }

func TestOpenStreamToSocketListenerRewritesOnlyWildcards(t *testing.T) {
	for _, c := range []struct{ listening, want string }{
		{"0.0.0.0:80", "127.0.0.1:80"},
		{"[::]:80", "[::1]:80"},
		{"[::%lo]:80", "[::1]:80"},
		{"[::ffff:0.0.0.0]:80", "127.0.0.1:80"},
		{":80", "127.0.0.1:80"},
		{"192.0.2.1:80", "192.0.2.1:80"},
		{"[fe80::1%lo]:80", "[fe80::1%lo]:80"},
		{"example.org:80", "example.org:80"},
	} {
		dial := func(_ context.Context, network, address string) (string, error) { return network + " " + address, nil }
		got, err := OpenStreamToSocketListener(t.Context(), address{"tcp", c.listening}, dial)
		if got != "tcp "+c.want || err != nil {
			t.Errorf("listener on %s: dialled %q (%v), want %s", c.listening, got, err, c.want)
		}
	}
	dial := func(context.Context, string, string) (string, error) { panic("dialled what is no address") }
	if _, err := OpenStreamToSocketListener(t.Context(), address{"tcp", "nonsense"}, dial); err == nil {
		t.Error("an address without a port was dialled")
	}
}
