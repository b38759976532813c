package socket

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"syscall"
	"time"

	"golang.org/x/net/idna"

	"trigo"
)

// LookupHost returns the addresses of host, which is a name or a literal address:
// each once, at least one, IPv4 ones never in the form of IPv6. It uses the
// resolver of ctx ([WithResolver]) and waits for that until ctx ends; a cancelled
// call had no effect. A literal address is never looked up, and no matter for ctx.
// Names may be international ones. A name without addresses is a [*net.DNSError].
func LookupHost(ctx context.Context, host string) ([]netip.Addr, error) {
	if ip, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{ip.Unmap()}, nil
	}
	name, err := asciiName(host)
	if err != nil {
		return nil, err
	}
	found, err := resolverOf(ctx).LookupNetIP(ctx, "ip", name)
	switch {
	case err != nil && isCancelled(ctx):
		return nil, fmt.Errorf("lookup %s: %w", host, trigo.CancelError(ctx))
	case err != nil:
		return nil, err
	}
	var addrs []netip.Addr
	for _, ip := range found {
		if ip = ip.Unmap(); !slices.Contains(addrs, ip) {
			addrs = append(addrs, ip)
		}
	}
	if len(addrs) == 0 {
		return nil, &net.DNSError{Err: "no results found", Name: host, IsNotFound: true}
	}
	return addrs, nil
}

// asciiName returns the form in which a name travels in the DNS (IDNA 2008 with the
// mappings of UTS 46). ASCII names are left alone: many that are in use are no
// host names in the strict sense, "_dmarc" and "my_box" among them.
func asciiName(host string) (string, error) {
	for _, r := range host {
		if r >= 0x80 {
			name, err := idna.Lookup.ToASCII(host)
			if err != nil {
				return "", fmt.Errorf("host %q is not a valid name: %w", host, err)
			}
			return name, nil
		}
	}
	return host, nil
}

// isCancelled reports whether ctx has ended. Package net keeps its own clock for
// the deadline of a ctx, which may be a moment ahead of the ctx's.
func isCancelled(ctx context.Context) bool {
	if d, ok := ctx.Deadline(); ok && !time.Now().Before(d) {
		<-ctx.Done()
	}
	return ctx.Err() != nil
}

// encode writes an address for this socket and looks it up if it is a name. The
// system is asked only what is needed for that.
func (s *Socket) encode(ctx context.Context, addr Addr, passive bool, sa *sockaddr) error {
	if s.d.closed() {
		return trigo.ErrClosed
	}
	switch a := addr.(type) {
	case nil:
		return &AddrError{Family: s.family}
	case HostAddr:
		if !isIP(s.family) {
			break // an error
		}
		found, err := s.resolve(ctx, a, passive)
		if err != nil {
			return err
		}
		return sa.putIP(s.family, found, a.FlowInfo)
	case IPAddr:
		if s.family == afInet6 && a.Addr().Is4() {
			only, err := s.v6Only()
			if err != nil {
				return err
			}
			if only {
				return &AddrError{a, s.family, "the socket is for IPv6 only"}
			}
		}
	}
	return addr.encode(s.family, sa)
}

func (s *Socket) v6Only() (only bool, err error) {
	n, err := s.optionInt(syscall.IPPROTO_IPV6, syscall.IPV6_V6ONLY)
	return n != 0, err
}

// broadcast is a host that stands for an address. Python has it, and so Trio.
const broadcast = "<broadcast>"

func (s *Socket) resolve(ctx context.Context, a HostAddr, passive bool) (addr netip.AddrPort, err error) {
	if ctx.Err() != nil {
		return addr, trigo.CancelError(ctx)
	}
	hints := Hints{Family: s.family, Type: s.typ}
	if !knownType(s.typ) {
		hints.Type = 0
	}
	if passive {
		hints.Flags |= AIPassive
	}
	if s.family == afInet6 {
		only, err := s.v6Only()
		switch {
		case err != nil:
			return addr, err
		case !only:
			hints.Flags |= AIV4Mapped
		}
	}
	host, port := a.Host, a.Port
	if host == broadcast {
		if s.family != afInet {
			return addr, &AddrError{a, s.family, "broadcasts are of IPv4 only"}
		}
		host = "255.255.255.255"
	}
	if port == "" {
		port = "0"
	}
	found, err := getaddrinfo(ctx, host, port, &hints)
	if err != nil {
		return addr, err
	}
	return found[0].Addr, nil
}
