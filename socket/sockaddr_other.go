//go:build !linux

package socket

import (
	"runtime"
	"strconv"
	"syscall"
)

// The numbers of Linux, for families that only Linux has.
const (
	afVsock   = 40
	afNetlink = 16
	afPacket  = 17

	maxFamily    = 1<<8 - 1
	unixPathRoom = 104
	hasAbstract  = false
)

func putHeader(b []byte, family, n int) { b[0], b[1] = byte(n), byte(family) }

func headerFamily(b []byte) int { return int(b[1]) }

func linuxOnly(a Addr, family int) error {
	return &AddrError{a, family, runtime.GOOS + " has no such addresses"}
}

func (a VsockAddr) encode(family int, sa *sockaddr) error   { return linuxOnly(a, family) }
func (a NetlinkAddr) encode(family int, sa *sockaddr) error { return linuxOnly(a, family) }
func (a PacketAddr) encode(family int, sa *sockaddr) error  { return linuxOnly(a, family) }

func (sa *sockaddr) platformAddr() Addr { return nil }

func familyName(family int) string {
	switch family {
	case syscall.AF_INET:
		return "IPv4"
	case syscall.AF_INET6:
		return "IPv6"
	case syscall.AF_UNIX:
		return "unix"
	}
	return "family " + strconv.Itoa(family)
}
