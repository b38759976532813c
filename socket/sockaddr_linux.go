package socket

import (
	"encoding/binary"
	"strconv"

	"golang.org/x/sys/unix"
)

const (
	afVsock   = unix.AF_VSOCK
	afNetlink = unix.AF_NETLINK
	afPacket  = unix.AF_PACKET

	maxFamily    = 1<<16 - 1
	unixPathRoom = 108
	hasAbstract  = true
)

func putHeader(b []byte, family, n int) { binary.NativeEndian.PutUint16(b, uint16(family)) }

func headerFamily(b []byte) int { return int(binary.NativeEndian.Uint16(b)) }

func (a VsockAddr) encode(family int, sa *sockaddr) error {
	if family != afVsock {
		return &AddrError{a, family, "a vsock address is not for a " + familyName(family) + " socket"}
	}
	b := sa.set(afVsock, unix.SizeofSockaddrVM)
	clear(b)
	binary.NativeEndian.PutUint32(b[2:], a.Port)
	binary.NativeEndian.PutUint32(b[6:], a.CID)
	return nil
}

func (a NetlinkAddr) encode(family int, sa *sockaddr) error {
	if family != afNetlink {
		return &AddrError{a, family, "a netlink address is not for a " + familyName(family) + " socket"}
	}
	b := sa.set(afNetlink, unix.SizeofSockaddrNetlink)
	clear(b)
	binary.NativeEndian.PutUint32(b[2:], a.PID)
	binary.NativeEndian.PutUint32(b[6:], a.Groups)
	return nil
}

func (a PacketAddr) encode(family int, sa *sockaddr) error {
	switch {
	case family != afPacket:
		return &AddrError{a, family, "a packet address is not for a " + familyName(family) + " socket"}
	case len(a.Hardware) > 8:
		return &AddrError{a, family, "a hardware address of more than 8 bytes"}
	}
	b := sa.set(afPacket, unix.SizeofSockaddrLinklayer)
	clear(b)
	binary.BigEndian.PutUint16(b, a.Protocol)
	binary.NativeEndian.PutUint32(b[2:], uint32(a.Interface))
	binary.NativeEndian.PutUint16(b[6:], a.HardwareType)
	b[8], b[9] = a.PacketType, byte(len(a.Hardware))
	copy(b[10:], a.Hardware)
	return nil
}

// platformAddr returns an address of the families that only Linux has.
func (sa *sockaddr) platformAddr() Addr {
	b := sa.buf[headerLen:]
	switch f := sa.family(); {
	case f == afVsock && sa.n >= 12:
		return VsockAddr{CID: binary.NativeEndian.Uint32(b[6:]), Port: binary.NativeEndian.Uint32(b[2:])}
	case f == afNetlink && sa.n >= unix.SizeofSockaddrNetlink:
		return NetlinkAddr{PID: binary.NativeEndian.Uint32(b[2:]), Groups: binary.NativeEndian.Uint32(b[6:])}
	case f == afPacket && sa.n >= 12:
		return PacketAddr{
			Protocol:     binary.BigEndian.Uint16(b),
			Interface:    int(int32(binary.NativeEndian.Uint32(b[2:]))),
			HardwareType: binary.NativeEndian.Uint16(b[6:]),
			PacketType:   b[8],
			Hardware:     string(b[10 : 10+min(8, b[9])]),
		}
	}
	return nil
}

func familyName(family int) string {
	switch family {
	case unix.AF_UNSPEC:
		return "unspecified"
	case unix.AF_INET:
		return "IPv4"
	case unix.AF_INET6:
		return "IPv6"
	case unix.AF_UNIX:
		return "unix"
	case unix.AF_VSOCK:
		return "vsock"
	case unix.AF_NETLINK:
		return "netlink"
	case unix.AF_PACKET:
		return "packet"
	case unix.AF_BLUETOOTH:
		return "bluetooth"
	case unix.AF_CAN:
		return "can"
	case unix.AF_ALG:
		return "alg"
	case unix.AF_XDP:
		return "xdp"
	}
	return "family " + strconv.Itoa(family)
}
