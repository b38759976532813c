package socket

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"trigo"
)

// Hints say what [Getaddrinfo] is to look for. The zero value, and nil, is
// everything.
type Hints struct {
	Family int // AF_INET, AF_INET6, or 0 for both
	Type   int // SOCK_STREAM, SOCK_DGRAM, SOCK_RAW, or 0 for all
	Proto  int // IPPROTO_TCP and the like, or 0
	Flags  AIFlags
}

// AIFlags are the switches of [Getaddrinfo].
type AIFlags int

const (
	AIPassive     AIFlags = 1 << iota // an empty host is the wildcard, and not the loopback
	AICanonName                       // the first result has the canonical name of the host
	AINumericHost                     // the host is an address; never look it up
	AINumericServ                     // the port is a number; never look it up
	AIV4Mapped                        // for AF_INET6: if there is no IPv6 address, IPv4 ones as ::ffff:a.b.c.d
	AIAll                             // with AIV4Mapped: IPv4 ones too, if there is an IPv6 one
	AIAddrConfig                      // of a name, only families that this machine has addresses of, other than the loopback
)

// AddrInfo is one way to reach a host.
type AddrInfo struct {
	Family, Type, Proto int    // for [New]
	CanonName           string // of the first result, if it was asked for
	Addr                netip.AddrPort
}

// Getaddrinfo returns what a host and a port stand for: an entry for each address and
// each type of socket that hints admit. The host is a name, an address, or
// empty; the port a number, the name of a service, or empty for 0. One of them must be
// given.
//
// What is numeric is never looked up. Names may be international ones (IDNA 2008
// with the mappings of UTS 46, so that "faß.de" is not "fass.de"). [WithResolver]
// changes who is asked. A name that does not exist, or is not numeric where it must
// be, is a [*net.DNSError] with IsNotFound.
//
// It waits for the resolver, until ctx ends, and for nothing else; a cancelled call
// had no effect. Even for what is numeric a dead ctx is an error.
//
// Trio: trio.socket.getaddrinfo.
func Getaddrinfo(ctx context.Context, host, port string, hints *Hints) ([]AddrInfo, error) {
	var h Hints
	if hints != nil {
		h = *hints
	}
	found, err := getaddrinfo(ctx, host, port, &h)
	if err != nil {
		return nil, &trigo.OpError{Op: "look up", Layer: net.JoinHostPort(host, port), Err: err}
	}
	return found, nil
}

// service is a type of socket and its usual protocol.
type service struct {
	typ, proto int
	network    string // the table that has the names of its ports
}

var services = []service{
	{syscall.SOCK_STREAM, syscall.IPPROTO_TCP, "tcp"},
	{syscall.SOCK_DGRAM, syscall.IPPROTO_UDP, "udp"},
	{syscall.SOCK_RAW, 0, ""},
}

func knownType(typ int) bool {
	return slices.ContainsFunc(services, func(s service) bool { return s.typ == typ })
}

func getaddrinfo(ctx context.Context, host, port string, h *Hints) ([]AddrInfo, error) {
	switch {
	case ctx.Err() != nil:
		return nil, trigo.CancelError(ctx)
	case h.Family != 0 && !isIP(h.Family):
		return nil, fmt.Errorf("family %d has no names: %w", h.Family, syscall.EAFNOSUPPORT)
	case h.Type != 0 && !knownType(h.Type):
		return nil, fmt.Errorf("type %d: %w", h.Type, syscall.ESOCKTNOSUPPORT)
	case host == "" && port == "":
		return nil, notFound("neither a host nor a port", "")
	case host == "" && h.Flags&AICanonName != 0:
		return nil, notFound("no host to have a canonical name", "")
	}
	ports, err := h.ports(ctx, port)
	if err != nil {
		return nil, err
	}
	addrs, err := h.addrs(ctx, host)
	if err != nil {
		return nil, err
	}
	var all []AddrInfo
	for _, a := range addrs {
		family := afInet6
		if a.Is4() {
			family = afInet
		}
		for _, p := range ports {
			all = append(all, AddrInfo{Family: family, Type: p.typ, Proto: p.proto, Addr: netip.AddrPortFrom(a, p.port)})
		}
	}
	if h.Flags&AICanonName != 0 {
		if all[0].CanonName, err = canonName(ctx, host); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func notFound(why, name string) error {
	return &net.DNSError{Err: why, Name: name, IsNotFound: true}
}

type typedPort struct {
	service
	port uint16
}

// ports returns the port for each type of socket asked for.
func (h *Hints) ports(ctx context.Context, text string) (ports []typedPort, err error) {
	number, err := strconv.ParseUint(text, 10, 16)
	numeric := err == nil || text == ""
	switch {
	case !numeric && errors.Is(err, strconv.ErrRange):
		return nil, notFound("no such port", text)
	case !numeric && h.Flags&AINumericServ != 0:
		return nil, notFound("not a numeric port", text)
	}
	var missing error
	for _, s := range services {
		if h.Type != 0 && s.typ != h.Type || h.Proto != 0 && s.proto != 0 && s.proto != h.Proto {
			continue
		}
		if h.Proto != 0 {
			s.proto = h.Proto
		}
		port := uint16(number)
		if !numeric {
			if s.network == "" {
				continue
			}
			if port, err = lookupPort(ctx, s.network, text); err != nil {
				if isCancelled(ctx) {
					return nil, trigo.CancelError(ctx)
				}
				missing = err
				continue
			}
		}
		ports = append(ports, typedPort{s, port})
	}
	switch {
	case len(ports) > 0:
		return ports, nil
	case missing != nil:
		return nil, missing
	}
	return nil, notFound("no such service for this type of socket", text)
}

func lookupPort(ctx context.Context, network, name string) (uint16, error) {
	r, ok := resolverOf(ctx).(portResolver)
	if !ok {
		r = net.DefaultResolver
	}
	port, err := r.LookupPort(ctx, network, name)
	return uint16(port), err
}

var (
	loopbacks = []netip.Addr{netip.IPv6Loopback(), netip.AddrFrom4([4]byte{127, 0, 0, 1})}
	wildcards = []netip.Addr{netip.IPv4Unspecified(), netip.IPv6Unspecified()}
)

// addrs returns the addresses of a host in the families asked for.
func (h *Hints) addrs(ctx context.Context, host string) ([]netip.Addr, error) {
	literal, err := netip.ParseAddr(host)
	var all []netip.Addr
	switch {
	case host == "" && h.Flags&AIPassive != 0:
		all = wildcards
	case host == "":
		all = loopbacks
	case err == nil:
		all = []netip.Addr{literal}
	case h.Flags&AINumericHost != 0:
		return nil, notFound("not a numeric address", host)
	default:
		if all, err = LookupHost(ctx, host); err != nil {
			return nil, err
		}
		if h.Flags&AIAddrConfig != 0 {
			all = configured(all)
		}
	}
	if all = h.inFamily(all); len(all) == 0 {
		return nil, notFound("no address of this family", host)
	}
	return all, nil
}

func (h *Hints) inFamily(all []netip.Addr) (fit []netip.Addr) {
	if h.Family == 0 {
		return all
	}
	var mapped []netip.Addr
	for _, a := range all {
		switch {
		case a.Is4() == (h.Family == afInet):
			fit = append(fit, a)
		case h.Family == afInet6:
			mapped = append(mapped, netip.AddrFrom16(a.As16()))
		case a.Is4In6():
			fit = append(fit, a.Unmap())
		}
	}
	if h.Flags&AIV4Mapped != 0 && (len(fit) == 0 || h.Flags&AIAll != 0) {
		fit = append(fit, mapped...)
	}
	return fit
}

// configured drops the families that this machine has no address of. If it
// cannot know, or that would leave nothing, it drops none.
func configured(all []netip.Addr) []netip.Addr {
	own, err := net.InterfaceAddrs()
	if err != nil {
		return all
	}
	var has4, has6 bool
	for _, o := range own {
		prefix, err := netip.ParsePrefix(o.String())
		switch a := prefix.Addr(); {
		case err != nil, a.IsLoopback():
		case a.Is4():
			has4 = true
		case !a.IsLinkLocalUnicast():
			has6 = true
		}
	}
	if !has4 && !has6 {
		return all
	}
	return slices.DeleteFunc(slices.Clone(all), func(a netip.Addr) bool { return a.Is4() && !has4 || a.Is6() && !has6 })
}

// canonName returns the canonical name of host, or what comes closest. Its only error
// is a cancel.
func canonName(ctx context.Context, host string) (string, error) {
	if _, err := netip.ParseAddr(host); err == nil {
		return host, nil
	}
	name, err := asciiName(host)
	if err != nil {
		return host, nil
	}
	if r, ok := resolverOf(ctx).(nameResolver); ok {
		canon, err := r.LookupCNAME(ctx, name)
		switch {
		case err == nil && canon != "":
			return strings.TrimSuffix(canon, "."), nil
		case err != nil && isCancelled(ctx):
			return "", trigo.CancelError(ctx)
		}
	}
	return name, nil
}
