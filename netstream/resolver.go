package netstream

import (
	"context"
	"net/netip"

	"trigo/socket"
)

// A Resolver looks up names. *[net.Resolver] is one. It is that of package socket,
// where its duties are told.
type Resolver = socket.Resolver

// WithResolver returns a ctx under which this package looks up names with r
// instead of [net.DefaultResolver]. It is meant for tests and for programs with
// name servers of their own. It is [socket.WithResolver].
//
// Trio: trio.socket.set_custom_hostname_resolver.
func WithResolver(ctx context.Context, r Resolver) context.Context {
	return socket.WithResolver(ctx, r)
}

// lookup returns the addresses of host, which is a name or a literal address;
// each once, and at least one.
func lookup(ctx context.Context, host string) ([]netip.Addr, error) {
	return socket.LookupHost(ctx, host)
}
