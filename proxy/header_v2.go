package proxy

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"net"

	"trigo"
)

// A header of version 2: the signature, a byte with version and command, a
// byte with family and protocol, the length of what follows; then two
// addresses, then TLVs.
const (
	signatureV2 = "\r\n\r\n\x00\r\nQUIT\n"
	prefixV2    = len(signatureV2) + 4

	commandLocal = 0x20
	commandProxy = 0x21

	tlvChecksum = 0x03
)

// kindsV2 are the kinds of addresses, by the byte of family and protocol.
var kindsV2 = map[byte]struct {
	size  int // of one address, without its port
	port  int
	parse func(host []byte, port uint16) net.Addr
}{
	0x11: {4, 2, parseTCP},
	0x12: {4, 2, parseUDP},
	0x21: {16, 2, parseTCP},
	0x22: {16, 2, parseUDP},
	0x31: {108, 0, parseUnix("unix")},
	0x32: {108, 0, parseUnix("unixgram")},
}

func parseTCP(host []byte, port uint16) net.Addr {
	return &net.TCPAddr{IP: bytes.Clone(host), Port: int(port)}
}

func parseUDP(host []byte, port uint16) net.Addr {
	return &net.UDPAddr{IP: bytes.Clone(host), Port: int(port)}
}

// parseUnix makes a Unix address of a padded path. An abstract one, which
// begins with NUL, begins with @ in package net.
func parseUnix(network string) func([]byte, uint16) net.Addr {
	return func(path []byte, _ uint16) net.Addr {
		name := string(bytes.TrimRight(path, "\x00"))
		if name != "" && name[0] == 0 {
			name = "@" + name[1:]
		}
		return &net.UnixAddr{Name: name, Net: network}
	}
}

func (h *Header) encodeV2() ([]byte, error) {
	b := append([]byte(signatureV2), commandProxy)
	if h.Local {
		b[len(signatureV2)] = commandLocal
		b = append(b, 0, 0, 0)
	} else {
		kind, addresses := encodeAddrs(h.Source, h.Destination)
		b = append(b, kind, 0, 0)
		b = append(b, addresses...)
	}
	for _, t := range h.TLVs {
		if len(t.Value) > math.MaxUint16 {
			return nil, fmt.Errorf("a TLV of %d bytes", len(t.Value))
		}
		b = binary.BigEndian.AppendUint16(append(b, t.Type), uint16(len(t.Value)))
		b = append(b, t.Value...)
	}
	if len(b)-prefixV2 > math.MaxUint16 {
		return nil, fmt.Errorf("TLVs of %d bytes together", len(b)-prefixV2)
	}
	binary.BigEndian.PutUint16(b[prefixV2-2:], uint16(len(b)-prefixV2))
	return b, nil
}

// encodeAddrs returns two addresses as version 2 has them, and of which kind
// they are: 0, and none, if they are not of one kind.
func encodeAddrs(source, destination net.Addr) (kind byte, b []byte) {
	switch s := source.(type) {
	case *net.TCPAddr:
		if d, ok := destination.(*net.TCPAddr); ok && s != nil && d != nil {
			return encodeIP(1, s.IP, d.IP, s.Port, d.Port)
		}
	case *net.UDPAddr:
		if d, ok := destination.(*net.UDPAddr); ok && s != nil && d != nil {
			return encodeIP(2, s.IP, d.IP, s.Port, d.Port)
		}
	case *net.UnixAddr:
		if d, ok := destination.(*net.UnixAddr); ok && s != nil && d != nil {
			return encodeUnix(s, d)
		}
	}
	return 0, nil
}

func encodeIP(protocol byte, source, destination net.IP, sourcePort, destinationPort int) (byte, []byte) {
	from, p1, ok1 := plainAddr(source, sourcePort)
	to, p2, ok2 := plainAddr(destination, destinationPort)
	if !ok1 || !ok2 {
		return 0, nil
	}
	kind := 0x10 | protocol
	if from.Is6() || to.Is6() {
		kind, from, to = 0x20|protocol, as6(from), as6(to)
	}
	b := append(from.AsSlice(), to.AsSlice()...)
	return kind, binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(b, p1), p2)
}

func encodeUnix(source, destination *net.UnixAddr) (byte, []byte) {
	kind := byte(0x31)
	if source.Net == "unixgram" {
		kind = 0x32
	}
	size := kindsV2[kind].size
	b := make([]byte, 2*size)
	for i, a := range []*net.UnixAddr{source, destination} {
		if len(a.Name) > size {
			return 0, nil
		}
		path := b[i*size:]
		copy(path, a.Name)
		if path[0] == '@' {
			path[0] = 0
		}
	}
	return kind, b
}

// receiveV2 receives a header of version 2 whose first byte was received.
func receiveV2(ctx context.Context, r trigo.ReceiveStream) ([]byte, error) {
	p := make([]byte, prefixV2)
	p[0] = signatureV2[0]
	for n := 1; n < len(p); {
		k, err := r.ReceiveSome(ctx, p[n:])
		if err != nil {
			return nil, cut(err)
		}
		n += k
		if m := min(n, len(signatureV2)); string(p[:m]) != signatureV2[:m] {
			return nil, violation("no header: the connection begins with %q", clip(p[:n]))
		}
	}
	length := int(binary.BigEndian.Uint16(p[prefixV2-2:]))
	p = append(p, make([]byte, length)...)
	return p, receiveFull(ctx, r, p[prefixV2:])
}

// parseV2 reads a whole header.
func parseV2(p []byte) (*Header, error) {
	command, family, rest := p[len(signatureV2)], p[len(signatureV2)+1], p[prefixV2:]
	h := &Header{Version: 2}
	switch command {
	case commandProxy:
	case commandLocal:
		h.Local = true
		return h, nil // whatever follows
	default:
		return nil, violation("version and command are %#02x", command)
	}
	if family == 0 {
		if h.parseTLVs(p, prefixV2) != nil {
			h.TLVs = nil // addresses in disguise, which are to be skipped
		}
		return h, nil
	}
	kind, known := kindsV2[family]
	if !known {
		return h, nil // nor is it known where TLVs would begin
	}
	size := 2 * (kind.size + kind.port)
	if len(rest) < size {
		return nil, violation("%d bytes for two addresses of %d together", len(rest), size)
	}
	hosts, ports := rest[:2*kind.size], append(bytes.Clone(rest[2*kind.size:size]), 0, 0, 0, 0)
	h.Source = kind.parse(hosts[:kind.size], binary.BigEndian.Uint16(ports))
	h.Destination = kind.parse(hosts[kind.size:], binary.BigEndian.Uint16(ports[2:]))
	return h, h.parseTLVs(p, prefixV2+size)
}

// parseTLVs reads what follows from start.
func (h *Header) parseTLVs(p []byte, start int) error {
	for at := start; at < len(p); {
		rest := p[at:]
		if len(rest) < 3 || len(rest)-3 < int(binary.BigEndian.Uint16(rest[1:])) {
			return violation("a TLV is cut off")
		}
		t := TLV{Type: rest[0], Value: rest[3 : 3+binary.BigEndian.Uint16(rest[1:])]}
		if t.Type == tlvChecksum && !checksumHolds(p, at+3, t.Value) {
			return violation("the checksum is wrong")
		}
		h.TLVs = append(h.TLVs, t)
		at += 3 + len(t.Value)
	}
	return nil
}

// checksumHolds reports whether sum, which stands at p[at:], is the CRC32c of
// the header with zeros in its place.
func checksumHolds(p []byte, at int, sum []byte) bool {
	if len(sum) != crc32.Size {
		return false
	}
	p = bytes.Clone(p)
	clear(p[at : at+crc32.Size])
	return crc32.Checksum(p, crc32.MakeTable(crc32.Castagnoli)) == binary.BigEndian.Uint32(sum)
}
