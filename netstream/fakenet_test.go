package netstream

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"
)

// host is what a fake network does at one address: it answers after a time,
// with a connection or with an error.
type host struct {
	ip    string
	after time.Duration
	err   error
}

func fails(ip string, after time.Duration) host {
	return host{ip, after, fmt.Errorf("failure of %s", ip)}
}

func answers(ip string, after time.Duration) host { return host{ip, after, nil} }

const secs = time.Second

func ms(n int) time.Duration { return time.Duration(n) * time.Millisecond }

// fakeConn is a connection of the fake network.
type fakeConn struct {
	ip     string
	closed int
}

// fakeNet dials hosts in virtual time. It is the resolver too: any name has all
// the hosts.
type fakeNet struct {
	hosts []host
	deaf  bool // attempts do not hear a cancel

	mu     sync.Mutex
	began  time.Time
	starts []time.Duration
	ports  []uint16
	active int
	conns  []*fakeConn
}

func (f *fakeNet) LookupNetIP(ctx context.Context, network, name string) ([]netip.Addr, error) {
	var as []netip.Addr
	for _, h := range f.hosts {
		as = append(as, netip.MustParseAddr(h.ip))
	}
	return as, nil
}

func (f *fakeNet) connect(ctx context.Context, addr netip.AddrPort) (*fakeConn, error) {
	f.mu.Lock()
	f.starts = append(f.starts, time.Since(f.began))
	f.ports = append(f.ports, addr.Port())
	f.active++
	f.mu.Unlock()
	defer func() {
		f.mu.Lock()
		f.active--
		f.mu.Unlock()
	}()
	h := f.hosts[slices.IndexFunc(f.hosts, func(h host) bool { return h.ip == addr.Addr().String() })]
	done := ctx.Done()
	if f.deaf {
		done = nil
	}
	select {
	case <-time.After(h.after):
	case <-done:
		return nil, ctx.Err()
	}
	if h.err != nil {
		return nil, h.err
	}
	conn := &fakeConn{ip: h.ip}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.conns = append(f.conns, conn)
	return conn, nil
}

func (f *fakeNet) discard(c *fakeConn) { c.closed++ }

// dial dials a name, and checks what holds whatever happens: that every attempt
// went to the right port and has ended, and that every connection but the
// winner is closed, once.
func (f *fakeNet) dial(t *testing.T, ctx context.Context, delay time.Duration) (*fakeConn, *DialReport, error) {
	t.Helper()
	f.began = time.Now()
	winner, report, err := dialHost(WithResolver(ctx, f), "example.test:80", delay, f.connect, f.discard)
	if f.active != 0 {
		t.Errorf("%d attempts still run", f.active)
	}
	for _, p := range f.ports {
		if p != 80 {
			t.Errorf("dialled port %d, want 80", p)
		}
	}
	for _, c := range f.conns {
		want := 1
		if c == winner {
			want = 0
		}
		if c.closed != want {
			t.Errorf("the connection to %s was closed %d times, want %d", c.ip, c.closed, want)
		}
	}
	return winner, report, err
}
