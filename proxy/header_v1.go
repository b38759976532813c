package proxy

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// lineV1 is a header of version 1: one line of text.
var lineV1 = message{begin: "PROXY ", end: "\r\n", shortest: len("PROXY UNKNOWN\r\n"), longest: 107}

func (h *Header) encodeV1() ([]byte, error) {
	if h.Local || len(h.TLVs) > 0 {
		return nil, errors.New("version 1 has neither LOCAL nor TLVs")
	}
	from, fromPort, ok1 := tcpAddr(h.Source)
	to, toPort, ok2 := tcpAddr(h.Destination)
	if !ok1 || !ok2 {
		return []byte("PROXY UNKNOWN\r\n"), nil
	}
	family := "TCP4"
	if from.Is6() || to.Is6() {
		family, from, to = "TCP6", as6(from), as6(to)
	}
	return fmt.Appendf(nil, "PROXY %s %s %s %d %d\r\n", family, from, to, fromPort, toPort), nil
}

// tcpAddr returns what a *net.TCPAddr holds, without its zone.
func tcpAddr(a net.Addr) (addr netip.Addr, port uint16, ok bool) {
	t, ok := a.(*net.TCPAddr)
	if !ok || t == nil {
		return netip.Addr{}, 0, false
	}
	return plainAddr(t.IP, t.Port)
}

// plainAddr returns an address that has no zone and is IPv4 if it can be. An
// IP of nil is the unspecified address, as package net has it.
func plainAddr(ip net.IP, port int) (netip.Addr, uint16, bool) {
	if len(ip) == 0 {
		return netip.IPv6Unspecified(), uint16(port), true
	}
	addr, ok := netip.AddrFromSlice(ip)
	return addr.Unmap(), uint16(port), ok
}

// as6 returns an address as one of IPv6.
func as6(a netip.Addr) netip.Addr { return netip.AddrFrom16(a.As16()) }

// parseV1 reads a whole line.
func parseV1(line string) (*Header, error) {
	h := &Header{Version: 1}
	fields := strings.Split(strings.TrimSuffix(line, "\r\n"), " ")
	switch {
	case len(fields) >= 2 && fields[1] == "UNKNOWN":
		return h, nil // whatever follows
	case len(fields) != 6 || fields[1] != "TCP4" && fields[1] != "TCP6":
		return nil, violation("the header is %q", line)
	}
	is4 := fields[1] == "TCP4"
	source, err1 := parseAddrV1(fields[2], fields[4], is4)
	destination, err2 := parseAddrV1(fields[3], fields[5], is4)
	if err := errors.Join(err1, err2); err != nil {
		return nil, violation("the header is %q", line)
	}
	h.Source, h.Destination = source, destination
	return h, nil
}

func parseAddrV1(host, port string, is4 bool) (*net.TCPAddr, error) {
	addr, err := netip.ParseAddr(host)
	if err != nil || addr.Is4() != is4 || addr.Zone() != "" {
		return nil, ErrProtocol
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || len(port) > 1 && port[0] == '0' {
		return nil, ErrProtocol
	}
	return net.TCPAddrFromAddrPort(netip.AddrPortFrom(addr, uint16(n))), nil
}
