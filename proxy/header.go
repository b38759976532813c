package proxy

import (
	"context"
	"fmt"
	"net"

	"trigo"
)

// A Header is what a proxy says, by the PROXY protocol, before it passes a
// connection on: from where the connection came to the proxy, and to which
// address.
type Header struct {
	Version int  // of the protocol, 1 or 2
	Local   bool // the proxy speaks for itself, as in a health check; version 2 only

	// Source and Destination are of the same type: *net.TCPAddr, *net.UDPAddr
	// or *net.UnixAddr. Both are nil if they are not known, and if Local.
	Source, Destination net.Addr

	TLVs []TLV // what else there is to know; version 2 only
}

// A TLV is one more piece of information in a [Header] of version 2: the name
// that a TLS client asked for, an identifier of a network, and so on.
type TLV struct {
	Type  byte
	Value []byte
}

// HeaderFor returns the header for passing on an accepted stream: its peer is
// the source, its own address the destination. They are those of the outermost
// layer of s that has addresses (see [trigo.As]); without one they are not
// known.
func HeaderFor(s any, version int) *Header {
	h := &Header{Version: version}
	a, ok := trigo.As[interface {
		LocalAddr() net.Addr
		RemoteAddr() net.Addr
	}](s)
	if ok {
		h.Source, h.Destination = a.RemoteAddr(), a.LocalAddr()
	}
	return h
}

// SendHeader sends h as the first bytes of s. It waits as SendAll does, and not
// for an answer: there is none. Addresses that the version cannot express, and
// pairs that are not of one kind, go out as not known.
func SendHeader(ctx context.Context, s trigo.SendStream, h *Header) error {
	p, err := h.encode()
	if err == nil {
		err = s.SendAll(ctx, p)
	}
	return fail("send proxy header", describe(s), err)
}

func (h *Header) encode() ([]byte, error) {
	switch h.Version {
	case 1:
		return h.encodeV1()
	case 2:
		return h.encodeV2()
	}
	return nil, fmt.Errorf("the protocol has no version %d", h.Version)
}

// AcceptHeader receives the header at the beginning of s, of either version. It
// takes the header and not a byte beyond.
//
// Anybody who connects can claim anything in a header: call this only for
// peers that are known to be proxies, and for these always, for a connection
// without a header is [ErrProtocol]. It waits for the peer, so call it in the
// handler of a connection, not in the loop that accepts, and give ctx a
// deadline.
//
// A header of version 1 has up to 107 bytes, one of version 2 up to 64 KiB. If
// it carries a checksum, that is verified.
func AcceptHeader(ctx context.Context, s trigo.ReceiveStream) (*Header, error) {
	h, err := receiveHeader(ctx, s)
	if err != nil {
		return nil, fail("accept proxy header", describe(s), err)
	}
	return h, nil
}

func receiveHeader(ctx context.Context, r trigo.ReceiveStream) (*Header, error) {
	var first [1]byte
	if err := receiveFull(ctx, r, first[:]); err != nil {
		return nil, err
	}
	switch first[0] {
	case lineV1.begin[0]:
		line, err := lineV1.receive(ctx, r, first[:])
		if err != nil {
			return nil, err
		}
		return parseV1(string(line))
	case signatureV2[0]:
		p, err := receiveV2(ctx, r)
		if err != nil {
			return nil, err
		}
		return parseV2(p)
	}
	return nil, violation("no header: the connection begins with %q", first)
}
