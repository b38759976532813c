package socket

import (
	"context"
	"net/netip"
	"os"
	"strconv"
	"strings"

	"trigo"
)

// NIFlags are the switches of [Getnameinfo].
type NIFlags int

const (
	NINumericHost NIFlags = 1 << iota // the address as it is, without a lookup
	NINumericServ                     // the port as a number
	NINameReqd                        // no name is an error, and not the address
	NIDgram                           // the names of services are those for UDP
	NINoFQDN                          // a name in the domain of this machine, without the domain
)

// Getnameinfo returns the name of the host at an address and that of the service at
// its port. What has no name is told as a number; with [NINameReqd] a host without one
// is a [*net.DNSError]. [WithResolver] changes who is asked.
//
// It waits for the resolver, until ctx ends, and not at all with [NINumericHost];
// the names of services are in a file. To be cancelled is an error also without
// [NINameReqd].
//
// Trio: trio.socket.getnameinfo.
func Getnameinfo(ctx context.Context, addr netip.AddrPort, flags NIFlags) (host, service string, err error) {
	if host, err = nameOf(ctx, addr, flags); err != nil {
		return "", "", &trigo.OpError{Op: "look up", Layer: addr.String(), Err: err}
	}
	service = strconv.Itoa(int(addr.Port()))
	if flags&NINumericServ == 0 {
		network := "tcp"
		if flags&NIDgram != 0 {
			network = "udp"
		}
		if name := serviceName(network, addr.Port()); name != "" {
			service = name
		}
	}
	return host, service, nil
}

func nameOf(ctx context.Context, addr netip.AddrPort, flags NIFlags) (string, error) {
	ip := addr.Addr()
	switch {
	case ctx.Err() != nil:
		return "", trigo.CancelError(ctx)
	case !ip.IsValid():
		return "", &AddrError{IP(addr), 0, "no IP address"}
	case flags&NINumericHost != 0 && flags&NINameReqd != 0:
		return "", notFound("a number was asked for", ip.String())
	case flags&NINumericHost != 0:
		return ip.String(), nil
	}
	var names []string
	var err error
	if r, ok := resolverOf(ctx).(addrResolver); ok {
		names, err = r.LookupAddr(ctx, ip.WithZone("").Unmap().String())
	}
	switch {
	case isCancelled(ctx) && err != nil:
		return "", trigo.CancelError(ctx)
	case len(names) > 0:
		return relative(strings.TrimSuffix(names[0], "."), flags), nil
	case flags&NINameReqd == 0:
		return ip.String(), nil
	case err == nil:
		err = notFound("no name", ip.String())
	}
	return "", err
}

func relative(name string, flags NIFlags) string {
	if flags&NINoFQDN == 0 {
		return name
	}
	self, err := os.Hostname()
	if err != nil {
		return name
	}
	if _, domain, ok := strings.Cut(self, "."); ok {
		return strings.TrimSuffix(name, "."+domain)
	}
	return name
}
