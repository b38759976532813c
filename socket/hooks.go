package socket

import (
	"context"
	"net"
	"net/netip"

	"trigo/internal/netseam"
)

// A Resolver looks up names. *[net.Resolver] is one. LookupNetIP is called with the
// network "ip", never with a literal address, and with international names in
// their ASCII form. It must return soon after ctx has ended: nobody waits for it
// in the background. The order of its answer is kept.
//
// It may have more of the methods of [net.Resolver], which are then used too:
// LookupAddr for [Getnameinfo], LookupCNAME for [AICanonName], LookupPort for the
// names of services. Without LookupAddr and LookupCNAME it knows no such names;
// services are then those of [net.DefaultResolver].
//
// Trio: trio.abc.HostnameResolver.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

type (
	addrResolver interface {
		LookupAddr(ctx context.Context, addr string) (names []string, err error)
	}
	nameResolver interface {
		LookupCNAME(ctx context.Context, host string) (string, error)
	}
	portResolver interface {
		LookupPort(ctx context.Context, network, service string) (port int, err error)
	}
)

var _ interface {
	Resolver
	addrResolver
	nameResolver
	portResolver
} = (*net.Resolver)(nil)

type resolverKey struct{}

// WithResolver returns a ctx under which this package, and those above it, look up
// names with r instead of [net.DefaultResolver]; a nil r means the latter again.
// It is meant for tests and for programs with name servers of their own.
//
// Trio: trio.socket.set_custom_hostname_resolver.
func WithResolver(ctx context.Context, r Resolver) context.Context {
	return context.WithValue(ctx, resolverKey{}, r)
}

func resolverOf(ctx context.Context) Resolver {
	if r, ok := ctx.Value(resolverKey{}).(Resolver); ok {
		return r
	}
	if host := netseam.From(ctx); host != nil {
		return host
	}
	return net.DefaultResolver
}

// A Factory opens sockets in place of [New]: with options set, in another network
// namespace, or connected to something else altogether. To have an ordinary one, it
// calls New with WithSocketFactory(ctx, nil).
//
// Trio: trio.abc.SocketFactory.
type Factory func(ctx context.Context, family, typ, proto int) (*Socket, error)

type factoryKey struct{}

// WithSocketFactory returns a ctx under which [New], and what is built on it, opens
// sockets with f; a nil f means the system again. Sockets that are accepted,
// adopted or made as a [Pair] do not come from it.
//
// Trio: trio.socket.set_custom_socket_factory.
func WithSocketFactory(ctx context.Context, f Factory) context.Context {
	return context.WithValue(ctx, factoryKey{}, f)
}

// HasSocketFactory reports whether ctx comes from [WithSocketFactory].
func HasSocketFactory(ctx context.Context) bool { return factoryOf(ctx) != nil }

func factoryOf(ctx context.Context) Factory {
	f, _ := ctx.Value(factoryKey{}).(Factory)
	return f
}
