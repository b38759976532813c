package vnet

import (
	"bytes"
	"cmp"
	"context"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"time"

	"trigo"
	"trigo/internal/netseam"
)

// maxDatagrams is how many datagrams a socket keeps; what comes then is lost.
const maxDatagrams = 1000

// A PacketConn is a UDP socket on a [Host]. One sender and one receiver may use
// it at the same time.
type PacketConn struct {
	host  *Host
	local netip.AddrPort

	// Guarded by the network.
	in        []datagram // by the time of arrival
	dice      map[netip.AddrPort]*rand.Rand
	sent      int
	closed    bool
	receiving bool
	changed   chan struct{} // one token: look again
}

var _ netseam.PacketConn = (*PacketConn)(nil)

type datagram struct {
	at   time.Time
	from netip.AddrPort
	host *Host // that it comes from
	seq  int   // of all that its sender has sent
	data []byte
}

// UDP opens a UDP socket on an address of the host, "10.0.0.1:53" or
// "0.0.0.0:53"; port 0 is a free one. It is the way to UDP for programs that are
// written for it.
func (h *Host) UDP(ctx context.Context, address string) (*PacketConn, error) {
	local, err := netip.ParseAddrPort(address)
	if err != nil {
		return nil, opError("listen", "udp "+address, 0, err)
	}
	s, err := h.listenUDP(ctx, local)
	return s, opError("listen", "udp "+address, 0, err)
}

// ListenUDP is [Host.UDP] for the packages of trigo.
func (h *Host) ListenUDP(ctx context.Context, local netip.AddrPort) (netseam.PacketConn, error) {
	s, err := h.listenUDP(ctx, local)
	if err != nil {
		return nil, opError("listen", "udp "+local.String(), 0, err)
	}
	return s, nil
}

func (h *Host) listenUDP(ctx context.Context, local netip.AddrPort) (*PacketConn, error) {
	if err := trigo.CancelError(ctx); err != nil {
		return nil, err
	}
	h.n.mu.Lock()
	defer h.n.mu.Unlock()
	addr, err := h.bind(local, func(a netip.AddrPort) bool { return h.udp[a] != nil })
	if err != nil {
		return nil, err
	}
	s := &PacketConn{host: h, local: addr, dice: make(map[netip.AddrPort]*rand.Rand), changed: make(chan struct{}, 1)}
	h.udp[addr] = s
	h.n.sockets = append(h.n.sockets, s)
	return s, nil
}

// SendTo sends p to an address. It never waits. That it arrives is not promised:
// not even that anybody is there.
func (s *PacketConn) SendTo(ctx context.Context, p []byte, to netip.AddrPort) error {
	s.host.n.mu.Lock()
	defer s.host.n.mu.Unlock()
	return opError("send", s.String(), 0, s.sendTo(ctx, p, netip.AddrPortFrom(to.Addr().Unmap(), to.Port())))
}

func (s *PacketConn) sendTo(ctx context.Context, p []byte, to netip.AddrPort) error {
	switch {
	case s.closed:
		return trigo.ErrClosed
	case ctx.Err() != nil:
		return trigo.CancelError(ctx)
	case len(p) > 65507:
		return syscall.EMSGSIZE
	}
	src, err := s.host.source(s.local.Addr(), to.Addr())
	if err != nil {
		return err
	}
	if src.IsUnspecified() || !src.IsValid() {
		src, err = s.host.source(netip.Addr{}, to.Addr())
		if err != nil {
			return err
		}
	}
	n, from := s.host.n, netip.AddrPortFrom(src, s.local.Port())
	flow := flowName(from, to)
	n.note(flow, "sends a datagram of %s", plural(len(p)))
	peer := s.host.peer(to.Addr())
	if peer == nil || peer.socketAt(to) == nil {
		n.note(flow, "finds nobody")
		return nil
	}
	dice := s.dice[to]
	if dice == nil {
		dice = n.dice("udp " + flow)
		s.dice[to] = dice
	}
	link := n.between(s.host, peer)
	delay, arrives := n.travel(link, dice, flow)
	// All dice are thrown for every datagram, so that the fate of one does not
	// depend on the chances of another.
	reordered, doubled := dice.Float64() < link.Reorder, dice.Float64() < link.Duplicate
	if !arrives {
		return nil
	}
	if reordered {
		n.counts.Reordered++
		n.note(flow, "is delayed")
		delay += max(delay, time.Millisecond)
	}
	copies := 1
	if doubled {
		n.counts.Duplicated++
		n.note(flow, "is doubled")
		copies = 2
	}
	for range copies {
		s.sent++
		peer.socketAt(to).arrive(datagram{time.Now().Add(delay), from, s.host, s.sent, bytes.Clone(p)})
	}
	return nil
}

func (h *Host) socketAt(addr netip.AddrPort) *PacketConn {
	if s := h.udp[addr]; s != nil {
		return s
	}
	return h.udp[netip.AddrPortFrom(wildcard(addr.Addr()), addr.Port())]
}

// arrive puts a datagram into its place.
func (s *PacketConn) arrive(d datagram) {
	if len(s.in) >= maxDatagrams {
		s.host.n.counts.Lost++
		return
	}
	at, _ := slices.BinarySearchFunc(s.in, d, func(a, b datagram) int {
		return cmp.Or(a.at.Compare(b.at), strings.Compare(a.from.String(), b.from.String()), cmp.Compare(a.seq, b.seq))
	})
	s.in = slices.Insert(s.in, at, d)
	signal(s.changed)
}

// ReceiveFrom waits for a datagram and returns how long it is and who has sent
// it. What does not fit into p is lost. A cancelled call took none. It returns
// [trigo.ErrClosed] when the socket is or gets closed, [trigo.ErrBusy] while
// another call receives.
func (s *PacketConn) ReceiveFrom(ctx context.Context, p []byte) (int, netip.AddrPort, error) {
	d, err := s.receive(ctx)
	if err != nil {
		return 0, netip.AddrPort{}, opError("receive", s.String(), 0, err)
	}
	if len(p) == 0 && len(d.data) > 0 {
		return 0, d.from, io.ErrShortBuffer
	}
	return copy(p, d.data), d.from, nil
}

func (s *PacketConn) receive(ctx context.Context) (d datagram, err error) {
	mu := &s.host.n.mu
	mu.Lock()
	defer mu.Unlock()
	switch {
	case s.closed:
		return d, trigo.ErrClosed
	case ctx.Err() != nil:
		return d, trigo.CancelError(ctx)
	case s.receiving:
		return d, trigo.ErrBusy
	}
	s.receiving = true
	defer func() { s.receiving = false }()
	for {
		var due <-chan time.Time
		switch {
		case s.closed:
			return d, trigo.ErrClosed
		case len(s.in) > 0 && !time.Now().Before(s.in[0].at):
			d, s.in = s.in[0], s.in[1:]
			s.host.n.note(flowName(d.from, s.local), "delivers a datagram of %s", plural(len(d.data)))
			return d, nil
		case ctx.Err() != nil:
			return d, trigo.CancelError(ctx)
		}
		var timer *time.Timer
		if len(s.in) > 0 {
			timer = time.NewTimer(time.Until(s.in[0].at))
			due = timer.C
		}
		mu.Unlock()
		select {
		case <-s.changed:
		case <-due:
		case <-ctx.Done():
		}
		if timer != nil {
			timer.Stop()
		}
		mu.Lock()
	}
}

// Close closes the socket and wakes a ReceiveFrom that waits. It never waits
// itself. What is in it is lost.
func (s *PacketConn) Close(ctx context.Context) error {
	n := s.host.n
	n.mu.Lock()
	defer n.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	delete(s.host.udp, s.local)
	n.sockets = slices.DeleteFunc(n.sockets, func(o *PacketConn) bool { return o == s })
	signal(s.changed)
	return nil
}

// onPartition loses the datagrams that are on their way through a partition.
func (s *PacketConn) onPartition(a, b *Host, parted bool) {
	if !parted || s.host != a && s.host != b {
		return
	}
	now := time.Now()
	s.in = slices.DeleteFunc(s.in, func(d datagram) bool {
		lost := d.at.After(now) && d.host != s.host && (d.host == a || d.host == b)
		if lost {
			s.host.n.counts.Parted++
		}
		return lost
	})
}

// LocalAddr returns the address that the socket is bound to.
func (s *PacketConn) LocalAddr() net.Addr { return net.UDPAddrFromAddrPort(s.local) }

func (s *PacketConn) String() string { return "udp " + s.local.String() }
