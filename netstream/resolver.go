package netstream

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"

	"golang.org/x/net/idna"

	"trigo"
)

// A Resolver looks up names. *[net.Resolver] is one. LookupNetIP is called with
// the network "ip", never with a literal address, and with international names
// in their ASCII form. It must return soon after ctx has ended: nobody waits
// for it in the background. The order of its answer is kept.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

var _ Resolver = (*net.Resolver)(nil)

type resolverKey struct{}

// WithResolver returns a ctx under which this package looks up names with r
// instead of [net.DefaultResolver]. It is meant for tests and for programs with
// name servers of their own.
//
// Trio: trio.socket.set_custom_hostname_resolver.
func WithResolver(ctx context.Context, r Resolver) context.Context {
	return context.WithValue(ctx, resolverKey{}, r)
}

// lookup returns the addresses of host, which is a name or a literal address;
// each once, and at least one.
func lookup(ctx context.Context, host string) ([]netip.Addr, error) {
	if ip, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{ip.Unmap()}, nil
	}
	name, err := asciiName(host)
	if err != nil {
		return nil, err
	}
	resolver, ok := ctx.Value(resolverKey{}).(Resolver)
	if !ok {
		resolver = net.DefaultResolver
	}
	found, err := resolver.LookupNetIP(ctx, "ip", name)
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

// asciiName returns the form in which a name travels in the DNS (IDNA 2008 with
// the mappings of UTS 46). ASCII names are left alone: many that are in use are
// no host names in the strict sense, "_dmarc" and "my_box" among them.
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
