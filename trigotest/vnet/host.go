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
	udp      map[netip.AddrPort]*PacketConn
	nextPort uint16
}

var _ netseam.Host = (*Host)(nil)

// firstPort is the first of the ports that a host gives to those who do not
// care.
const firstPort = 49152

// Context returns a ctx under which a program runs on h: it is h whose network
// it dials on, listens on, and looks up names on.
func (h *Host) Context(ctx context.Context) context.Context { return netseam.With(ctx, h) }

// Name gives a name addresses that only this host sees; without any the name
// is unknown to it, whatever it is to others.
func (h *Host) Name(name string, addrs ...string) {
	h.n.mu.Lock()
	defer h.n.mu.Unlock()
	h.names[canonical(name)] = parseAll(addrs)
}

func (h *Host) String() string { return h.name }

// LookupNetIP returns the addresses of a name as this host sees it. It is what
// [net.Resolver] has by this name, and does not wait.
func (h *Host) LookupNetIP(ctx context.Context, network, name string) ([]netip.Addr, error) {
	if err := trigo.CancelError(ctx); err != nil {
		return nil, err
	}
	h.n.mu.Lock()
	defer h.n.mu.Unlock()
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

// peer returns the host that h reaches at an address; n.mu is held.
func (h *Host) peer(a netip.Addr) *Host {
	if a.IsLoopback() {
		return h
	}
	return h.n.owner(a)
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

// bind chooses the address of a socket among those in use; n.mu is held.
func (h *Host) bind(addr netip.AddrPort, used func(netip.AddrPort) bool) (netip.AddrPort, error) {
	a := addr.Addr().Unmap()
	switch {
	case a.IsUnspecified() && !h.hasFamily(a):
		return addr, syscall.EAFNOSUPPORT
	case !a.IsUnspecified() && !h.has(a):
		return addr, syscall.EADDRNOTAVAIL
	case addr.Port() != 0:
		addr = netip.AddrPortFrom(a, addr.Port())
		if taken(addr, used) {
			return addr, syscall.EADDRINUSE
		}
		return addr, nil
	}
	for {
		addr = netip.AddrPortFrom(a, h.port())
		if !taken(addr, used) {
			return addr, nil
		}
	}
}

// taken reports whether the address, or the wildcard of its family, is in use.
func taken(addr netip.AddrPort, used func(netip.AddrPort) bool) bool {
	return used(addr) || used(netip.AddrPortFrom(wildcard(addr.Addr()), addr.Port()))
}

func wildcard(a netip.Addr) netip.Addr {
	if a.Is4() {
		return netip.IPv4Unspecified()
	}
	return netip.IPv6Unspecified()
}

// port returns a port that was not given out lately.
func (h *Host) port() uint16 {
	p := h.nextPort
	if h.nextPort++; h.nextPort < firstPort { // 65536 of them
		h.nextPort = firstPort
	}
	return p
}
