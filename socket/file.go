package socket

import (
	"net"
	"net/netip"
	"os"
	"syscall"
)

// file is the descriptor of a socket that this package opened. It is a
// net.Conn, so that the levels above need not tell it from those that package
// net made.
type file struct {
	*os.File
	sock *Socket
}

var _ net.Conn = (*file)(nil)

func (f *file) LocalAddr() net.Addr {
	a, err := f.sock.Getsockname()
	return f.netAddr(a, err)
}

func (f *file) RemoteAddr() net.Addr {
	a, err := f.sock.Getpeername()
	return f.netAddr(a, err)
}

// Socket returns the socket whose descriptor it is.
func (f *file) Socket() *Socket { return f.sock }

// CloseWrite ends the sending half.
func (f *file) CloseWrite() error { return f.sock.d.shutdown(syscall.SHUT_WR) }

// SetLinger is what it is for a net.TCPConn.
func (f *file) SetLinger(sec int) error { return f.sock.setLinger(sec) }

func (f *file) netAddr(a Addr, err error) net.Addr {
	if err != nil {
		a = nil
	}
	return NetAddr(f.sock, a)
}

// NetAddr returns an address of s as those who use package net know it. A nil a
// gives the nameless address of the family.
func NetAddr(s *Socket, a Addr) net.Addr {
	if isIP(s.family) {
		ip, _ := a.(IPAddr)
		addr := netip.AddrPortFrom(ip.Addr().Unmap(), ip.Port())
		switch s.typ {
		case syscall.SOCK_STREAM:
			return net.TCPAddrFromAddrPort(addr)
		case syscall.SOCK_DGRAM:
			return net.UDPAddrFromAddrPort(addr)
		}
		return &net.IPAddr{IP: addr.Addr().AsSlice(), Zone: addr.Addr().Zone()}
	}
	text := ""
	if a != nil {
		text = a.String()
	}
	network := familyName(s.family)
	if s.family == syscall.AF_UNIX {
		switch s.typ {
		case syscall.SOCK_STREAM:
			network = "unix"
		case syscall.SOCK_DGRAM:
			network = "unixgram"
		case syscall.SOCK_SEQPACKET:
			network = "unixpacket"
		}
	}
	return &net.UnixAddr{Name: text, Net: network}
}
