package socket

import (
	"encoding/binary"
	"net/netip"
	"strings"
	"syscall"
)

const (
	afInet  = syscall.AF_INET
	afInet6 = syscall.AF_INET6
	afUnix  = syscall.AF_UNIX
)

// sockaddr is an address as the kernel has it: a header that tells the family,
// then what the family puts there. The layouts below are the same wherever
// there are sockets; only headers differ (header_*.go).
type sockaddr struct {
	n   uint32 // bytes of buf that count
	buf [maxSockaddr]byte
}

const (
	headerLen   = 2
	maxSockaddr = 128 // as sockaddr_storage
)

// set makes room for n bytes of a family and returns those after the header.
func (sa *sockaddr) set(family, n int) []byte {
	sa.n = uint32(n)
	putHeader(sa.buf[:], family, n)
	return sa.buf[headerLen:n]
}

func (a IPAddr) encode(family int, sa *sockaddr) error {
	if !isIP(family) {
		return &AddrError{a, family, "an IP address is not for a " + familyName(family) + " socket"}
	}
	return sa.putIP(family, a.AddrPort, a.FlowInfo)
}

// putIP writes the address for a socket of an IP family. The zone must be that
// of an interface.
func (sa *sockaddr) putIP(family int, a netip.AddrPort, flowInfo uint32) error {
	ip := a.Addr()
	switch {
	case !ip.IsValid():
		return &AddrError{IPAddr{a, flowInfo}, family, "no IP address"}
	case family == afInet:
		if ip = ip.Unmap(); !ip.Is4() {
			return &AddrError{IPAddr{a, flowInfo}, family, "an IPv6 address is not for an IPv4 socket"}
		}
		b := sa.set(afInet, 16)
		binary.BigEndian.PutUint16(b, a.Port())
		four := ip.As4()
		copy(b[2:], four[:])
		clear(b[6:])
		return nil
	}
	scope, err := zoneIndex(ip.Zone())
	if err != nil {
		return &AddrError{IPAddr{a, flowInfo}, family, err.Error()}
	}
	b := sa.set(afInet6, 28)
	binary.BigEndian.PutUint16(b, a.Port())
	binary.BigEndian.PutUint32(b[2:], flowInfo)
	sixteen := ip.As16() // an IPv4 address is mapped
	copy(b[6:], sixteen[:])
	binary.NativeEndian.PutUint32(b[22:], scope)
	return nil
}

func (a HostAddr) encode(family int, sa *sockaddr) error {
	if !isIP(family) {
		return &AddrError{a, family, "a host is not an address for a " + familyName(family) + " socket"}
	}
	return &AddrError{a, family, "not looked up"}
}

// encode refuses what does not fit into the kernel's structure. Paths end with
// a zero byte there, abstract names begin with one.
func (a UnixAddr) encode(family int, sa *sockaddr) error {
	const room = unixPathRoom
	switch {
	case family != afUnix:
		return &AddrError{a, family, "a Unix address is not for a " + familyName(family) + " socket"}
	case a.Abstract && !hasAbstract:
		return &AddrError{a, family, "this system has no abstract names"}
	case len(a.Name) >= room:
		return &AddrError{a, family, "longer than the system allows"}
	case a.Abstract && a.Name == "":
		sa.set(afUnix, headerLen) // the system chooses
		return nil
	case a.Abstract:
		b := sa.set(afUnix, headerLen+1+len(a.Name))
		b[0] = 0
		copy(b[1:], a.Name)
		return nil
	case a.Name == "":
		return &AddrError{a, family, "an empty path"}
	case strings.IndexByte(a.Name, 0) >= 0:
		return &AddrError{a, family, "a path with a zero byte"}
	}
	b := sa.set(afUnix, headerLen+len(a.Name)+1)
	copy(b, a.Name)
	b[len(a.Name)] = 0
	return nil
}

// encode lets any address through to any socket: AF_UNSPEC has its uses.
func (a RawAddr) encode(family int, sa *sockaddr) error {
	if len(a.Data) > maxSockaddr-headerLen || a.AddrFamily < 0 || a.AddrFamily > maxFamily {
		return &AddrError{a, family, "longer than the system allows"}
	}
	copy(sa.set(a.AddrFamily, headerLen+len(a.Data)), a.Data)
	return nil
}

// addrPort returns an IP address, or the zero value.
func (sa *sockaddr) addrPort() (a netip.AddrPort, flowInfo uint32) {
	if sa.n < headerLen {
		return a, 0
	}
	b := sa.buf[headerLen:]
	switch sa.family() {
	case afInet:
		if sa.n >= 8 {
			ip := netip.AddrFrom4([4]byte(b[2:6]))
			return netip.AddrPortFrom(ip, binary.BigEndian.Uint16(b)), 0
		}
	case afInet6:
		if sa.n >= 28 {
			ip := netip.AddrFrom16([16]byte(b[6:22]))
			if scope := binary.NativeEndian.Uint32(b[22:]); scope != 0 {
				ip = ip.WithZone(zoneName(scope))
			}
			return netip.AddrPortFrom(ip, binary.BigEndian.Uint16(b)), binary.BigEndian.Uint32(b[2:])
		}
	}
	return a, 0
}

func (sa *sockaddr) family() int { return headerFamily(sa.buf[:]) }

// addr returns any address, or nil if there is none: that of a peer that the
// kernel does not name.
func (sa *sockaddr) addr() Addr {
	if sa.n < headerLen {
		return nil
	}
	rest := sa.buf[headerLen:min(sa.n, maxSockaddr)]
	switch sa.family() {
	case afInet, afInet6:
		if a, flowInfo := sa.addrPort(); a.IsValid() {
			return IPAddr{a, flowInfo}
		}
	case afUnix:
		return unixAddr(rest)
	}
	if a := sa.platformAddr(); a != nil {
		return a
	}
	return RawAddr{sa.family(), string(rest)}
}

func unixAddr(b []byte) UnixAddr {
	if len(b) == 0 {
		return UnixAddr{}
	}
	if b[0] == 0 && hasAbstract {
		return UnixAddr{Name: string(b[1:]), Abstract: true}
	}
	for i, c := range b {
		if c == 0 {
			b = b[:i]
			break
		}
	}
	return UnixAddr{Name: string(b)}
}
