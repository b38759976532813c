package vnet

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"syscall"

	"trigo"
	"trigo/internal/netseam"
)

// A Host is a machine on a [Network].
type Host struct {
	n        *Network
	name     string
	addrs    []netip.Addr
	names    map[string][]netip.Addr
	tcp      map[netip.AddrPort]*listener
	udp      map[netip.AddrPort]*udpSocket
	nextPort uint16
}

var _ netseam.Host = (*Host)(nil)

// The ports that a host gives to those who do not care.
const (
	firstPort = 49152
	freePorts = 1<<16 - firstPort // how many they are
)

// Context returns a ctx under which a program runs on h: it is h whose network
// it dials on, listens on, and looks up names on.
func (h *Host) Context(ctx context.Context) context.Context { return netseam.With(ctx, h) }

// Name gives a name addresses that only this host sees; without any the name
// is unknown to it, whatever it is to others.
func (h *Host) Name(name string, addrs ...string) {
	defer h.n.lock()()
	h.names[canonical(name)] = parseAll(addrs)
}

func (h *Host) String() string { return h.name }

// LookupNetIP returns the addresses of a name as this host sees it. It is what
// [net.Resolver] has by this name, and does not wait.
func (h *Host) LookupNetIP(ctx context.Context, network, name string) ([]netip.Addr, error) {
	if err := trigo.CancelError(ctx); err != nil {
		return nil, err
	}
	defer h.n.lock()()
	addrs, ok := h.names[canonical(name)]
	if !ok {
		addrs = h.n.names[canonical(name)]
	}
	if canonical(name) == "localhost" && !ok {
		addrs = []netip.Addr{netip.MustParseAddr("127.0.0.1")}
	}
	var found []netip.Addr
	for _, a := range addrs {
		if network == "ip" || network == "ip4" && a.Is4() || network == "ip6" && a.Is6() {
			found = append(found, a)
		}
	}
	if len(found) == 0 {
		return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
	}
	return found, nil
}

// LookupAddr returns the names that an address has as this host sees them, in the
// order of the alphabet. It is what [net.Resolver] has by this name, and does not
// wait.
func (h *Host) LookupAddr(ctx context.Context, addr string) ([]string, error) {
	if err := trigo.CancelError(ctx); err != nil {
		return nil, err
	}
	ip, err := netip.ParseAddr(addr)
	if err != nil {
		return nil, &net.DNSError{Err: "no address", Name: addr, IsNotFound: true}
	}
	defer h.n.lock()()
	var found []string
	for name, addrs := range h.names {
		if slices.Contains(addrs, ip.Unmap()) {
			found = append(found, name)
		}
	}
	for name, addrs := range h.n.names {
		if _, ownView := h.names[name]; !ownView && slices.Contains(addrs, ip.Unmap()) {
			found = append(found, name)
		}
	}
	if len(found) == 0 {
		return nil, &net.DNSError{Err: "no such host", Name: addr, IsNotFound: true}
	}
	slices.Sort(found)
	return found, nil
}

// peer returns the host that h reaches at an address; n.mu is held.
func (h *Host) peer(a netip.Addr) *Host {
	if a.IsLoopback() {
		return h
	}
	return h.n.owner(a)
}

// destination is where it goes what is sent to an address: from the wildcard to the
// host itself, as on Linux.
func destination(to netip.AddrPort) netip.AddrPort {
	switch to.Addr() {
	case netip.IPv4Unspecified():
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), to.Port())
	case netip.IPv6Unspecified():
		return netip.AddrPortFrom(netip.IPv6Loopback(), to.Port())
	}
	return to
}

// source chooses the address that h reaches to from; n.mu is held.
func (h *Host) source(local, to netip.Addr) (netip.Addr, error) {
	switch {
	case local.IsValid() && !local.IsUnspecified():
		if local.Is4() != to.Is4() {
			return local, syscall.EAFNOSUPPORT
		}
		if !h.has(local) {
			return local, syscall.EADDRNOTAVAIL
		}
		return local, nil
	case local.IsValid() && local.Is4() != to.Is4():
		return local, syscall.EAFNOSUPPORT
	case to.IsLoopback():
		return to, nil
	}
	for _, a := range h.addrs {
		if a.Is4() == to.Is4() {
			return a, nil
		}
	}
	return local, syscall.ENETUNREACH
}

func (h *Host) has(a netip.Addr) bool { return a.IsLoopback() || slices.Contains(h.addrs, a) }

// hasFamily reports whether h speaks the family of a at all.
func (h *Host) hasFamily(a netip.Addr) bool {
	return a.IsLoopback() && a.Is4() || slices.ContainsFunc(h.addrs, func(own netip.Addr) bool { return own.Is4() == a.Is4() })
}

// bind chooses the address of a socket among those in use, or two if it is a
// dual one; n.mu is held.
func (h *Host) bind(addr netip.AddrPort, dual bool, used func(netip.AddrPort) bool) ([]netip.AddrPort, error) {
	a := addr.Addr().Unmap()
	ips := []netip.Addr{a}
	if dual && a == netip.IPv6Unspecified() {
		ips = append(ips, netip.IPv4Unspecified())
	}
	at := func(port uint16) (addrs []netip.AddrPort, taken bool) {
		for _, ip := range ips {
			addr := netip.AddrPortFrom(ip, port)
			taken = taken || used(addr)
			addrs = append(addrs, addr)
		}
		return addrs, taken
	}
	switch {
	case a.IsUnspecified() && !h.hasFamily(a):
		return nil, syscall.EAFNOSUPPORT
	case !a.IsUnspecified() && !h.has(a):
		return nil, syscall.EADDRNOTAVAIL
	case addr.Port() != 0:
		addrs, taken := at(addr.Port())
		if taken {
			return nil, syscall.EADDRINUSE
		}
		return addrs, nil
	}
	for range freePorts {
		if addrs, taken := at(h.port()); !taken {
			return addrs, nil
		}
	}
	return nil, syscall.EADDRINUSE
}

// overlaps reports whether addr is among those taken, or includes one of them, or is
// included: a wildcard and each address of its family are in each other's way.
func overlaps[S any](taken map[netip.AddrPort]S, addr netip.AddrPort) bool {
	ip, port := addr.Addr(), addr.Port()
	_, same := taken[addr]
	_, wild := taken[netip.AddrPortFrom(wildcard(ip), port)]
	if same || wild || !ip.IsUnspecified() {
		return same || wild
	}
	for other := range taken {
		if other.Port() == port && other.Addr().Is4() == ip.Is4() {
			return true
		}
	}
	return false
}

func wildcard(a netip.Addr) netip.Addr {
	if a.Is4() {
		return netip.IPv4Unspecified()
	}
	return netip.IPv6Unspecified()
}

// dialPort chooses the port of a connection to remote: nobody is bound to it, and it
// has no connection there; n.mu is held.
func (h *Host) dialPort(src netip.Addr, remote netip.AddrPort) (uint16, error) {
	for range freePorts {
		local := netip.AddrPortFrom(src, h.port())
		if !overlaps(h.tcp, local) && !h.connected(local, remote) {
			return local.Port(), nil
		}
	}
	return 0, syscall.EADDRNOTAVAIL
}

// connected reports whether h has this connection; n.mu is held.
func (h *Host) connected(local, remote netip.AddrPort) bool {
	return slices.ContainsFunc(h.n.conns, func(c *conn) bool {
		return slices.ContainsFunc(c.ends[:], func(e *end) bool {
			return e.host == h && e.local == local && e.remote == remote
		})
	})
}

// port returns a port that was not given out lately.
func (h *Host) port() uint16 {
	p := h.nextPort
	if h.nextPort++; h.nextPort < firstPort { // 65536 of them
		h.nextPort = firstPort
	}
	return p
}
