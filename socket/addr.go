package socket

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
)

// Addr is the address of a socket. Its types are those of this package:
// [IPAddr], [UnixAddr], [VsockAddr], [NetlinkAddr], [PacketAddr], [RawAddr] and,
// as an argument only, [HostAddr]. All can be compared with ==.
type Addr interface {
	// Family is the address family, or 0 if it is not decided yet.
	Family() int
	String() string

	// encode writes the address as a socket of the family wants it, or says
	// what is wrong with it.
	encode(family int, sa *sockaddr) error
}

// IPAddr is the address of a socket of the family AF_INET or AF_INET6. An IPv4
// address can be used with a socket of either family.
type IPAddr struct {
	netip.AddrPort
	FlowInfo uint32 // AF_INET6 only: traffic class and flow label
}

// IP returns the address of an IP socket.
func IP(a netip.AddrPort) IPAddr { return IPAddr{AddrPort: a} }

// HostAddr is an address to be looked up. It can be given wherever a socket takes
// an address, if its family is AF_INET or AF_INET6; the first address found is
// taken.
//
// An empty host is the wildcard for [Socket.Bind] and the loopback for all else;
// "<broadcast>" is 255.255.255.255. An empty port is 0. A socket of AF_INET6
// without IPV6_V6ONLY takes IPv4 addresses too. Numeric hosts and ports are
// never looked up.
type HostAddr struct {
	Host     string // a name or an address, with its zone if it needs one
	Port     string // a number or the name of a service
	FlowInfo uint32
}

// UnixAddr is the address of a socket of the family AF_UNIX: a path, or on Linux
// a name in the abstract namespace, which has no file. The zero value is that of
// a socket that is not bound.
type UnixAddr struct {
	Name     string
	Abstract bool // of Name; without a Name, Bind has the system choose one
}

// VsockAddr is the address of a socket of the family AF_VSOCK, between a virtual
// machine and its host (Linux).
type VsockAddr struct {
	CID  uint32 // the machine; unix.VMADDR_CID_ANY and the like
	Port uint32
}

// NetlinkAddr is the address of a socket of the family AF_NETLINK (Linux).
type NetlinkAddr struct {
	PID    uint32 // 0 is the kernel
	Groups uint32 // a bit for each multicast group
}

// PacketAddr is the address of a socket of the family AF_PACKET (Linux).
type PacketAddr struct {
	Protocol     uint16 // of Ethernet, in the order of the machine: unix.ETH_P_ALL
	Interface    int    // its index
	HardwareType uint16
	PacketType   uint8  // of a packet received: unix.PACKET_OUTGOING and the like
	Hardware     string // the bytes of a [net.HardwareAddr]
}

// RawAddr is an address of any family, in the form of the kernel.
type RawAddr struct {
	AddrFamily int
	Data       string // the bytes of the sockaddr that follow the family
}

// Family is AF_INET or AF_INET6, by the address.
func (a IPAddr) Family() int {
	if a.Addr().Is4() {
		return afInet
	}
	return afInet6
}

// Family is 0: any IP family.
func (a HostAddr) Family() int { return 0 }

// Family is AF_UNIX.
func (a UnixAddr) Family() int { return afUnix }

// Family is AF_VSOCK.
func (a VsockAddr) Family() int { return afVsock }

// Family is AF_NETLINK.
func (a NetlinkAddr) Family() int { return afNetlink }

// Family is AF_PACKET.
func (a PacketAddr) Family() int { return afPacket }

// Family is the one given.
func (a RawAddr) Family() int { return a.AddrFamily }

func (a HostAddr) String() string { return net.JoinHostPort(a.Host, a.Port) }

// String returns the path, or the abstract name after an @.
func (a UnixAddr) String() string {
	if a.Abstract {
		return "@" + a.Name
	}
	return a.Name
}

func (a VsockAddr) String() string { return fmt.Sprintf("vsock:%d:%d", a.CID, a.Port) }

func (a NetlinkAddr) String() string { return fmt.Sprintf("netlink:%d:%#x", a.PID, a.Groups) }

func (a PacketAddr) String() string {
	return fmt.Sprintf("packet:%#04x:%d:%v", a.Protocol, a.Interface, net.HardwareAddr(a.Hardware))
}

func (a RawAddr) String() string {
	return "family " + strconv.Itoa(a.AddrFamily) + fmt.Sprintf(":%x", a.Data)
}

// AddrError is the error of an address that cannot be used: one of the wrong
// type for the family of the socket, a path that is too long. No system call
// was made.
type AddrError struct {
	Addr   Addr // as it was given; may be nil
	Family int  // of the socket
	Reason string
}

func (e *AddrError) Error() string {
	if e.Addr == nil {
		return "no address"
	}
	return fmt.Sprintf("address %q: %s", e.Addr.String(), e.Reason)
}
