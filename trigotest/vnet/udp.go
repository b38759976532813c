package vnet

import (
	"bytes"
	"cmp"
	"context"
	"math/rand/v2"
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

// UDPSocket opens a socket for the packages of trigo; programs open theirs with
// netstream.ListenUDP, netstream.DialUDP or socket.New under [Host.Context].
func (h *Host) UDPSocket() netseam.Socket {
	return &udpSocket{host: h, dice: make(map[netip.AddrPort]*rand.Rand), changed: make(chan struct{}, 1)}
}

// udpSocket is a UDP socket. Everything in it is guarded by the network.
type udpSocket struct {
	host      *Host
	locals    []netip.AddrPort // what it is bound to: two, if dual
	peer      netip.AddrPort   // the only one it receives from, if valid
	in        []datagram       // by the time of arrival
	dice      map[netip.AddrPort]*rand.Rand
	sent      int
	closed    bool
	mute      bool // its sending side is shut down,
	deaf      bool // or its receiving side
	receiving bool
	changed   chan struct{} // one token: look again
}

type datagram struct {
	at   time.Time
	from netip.AddrPort
	host *Host // that it comes from
	seq  int   // of all that its sender has sent
	data []byte
}

func (s *udpSocket) Bind(local netip.AddrPort, dual bool) error {
	defer s.host.n.lock()()
	switch {
	case s.closed:
		return trigo.ErrClosed
	case len(s.locals) > 0:
		return syscall.EINVAL
	}
	h := s.host
	addrs, err := h.bind(local, dual, func(a netip.AddrPort) bool { return overlaps(h.udp, a) })
	if err != nil {
		return err
	}
	s.locals = addrs
	for _, a := range addrs {
		h.udp[a] = s
	}
	h.n.sockets = append(h.n.sockets, s)
	return nil
}

func (s *udpSocket) Listen(int) error { return syscall.EOPNOTSUPP }

func (s *udpSocket) Accept(context.Context) (netseam.Socket, error) { return nil, syscall.EOPNOTSUPP }

func (s *udpSocket) Connect(ctx context.Context, remote netip.AddrPort) error {
	defer s.host.n.lock()()
	cancelled := s.host.n.look(ctx)
	switch {
	case s.closed:
		return trigo.ErrClosed
	case cancelled != nil:
		return cancelled
	}
	remote = destination(remote)
	if _, err := s.sourceTo(remote.Addr()); err != nil {
		return err
	}
	s.peer = remote
	return nil
}

// Send never waits. That what it sends arrives is not promised: not even that
// anybody is there.
func (s *udpSocket) Send(ctx context.Context, p []byte, to netip.AddrPort, _ netseam.Flags) (int, error) {
	defer s.host.n.lock()()
	cancelled := s.host.n.look(ctx)
	if !to.IsValid() {
		to = s.peer
	}
	to = destination(to)
	switch {
	case s.closed:
		return 0, trigo.ErrClosed
	case cancelled != nil:
		return 0, cancelled
	case s.mute:
		return 0, syscall.EPIPE
	case !to.IsValid():
		return 0, syscall.EDESTADDRREQ
	case len(p) > 65507:
		return 0, syscall.EMSGSIZE
	}
	from, err := s.sourceTo(to.Addr())
	if err != nil {
		return 0, err
	}
	s.post(p, from, to)
	return len(p), nil
}

// post sets a datagram on its way.
func (s *udpSocket) post(p []byte, from, to netip.AddrPort) {
	n, flow := s.host.n, flowName(from, to)
	n.note(flow, "sends a datagram of %s", plural(len(p)))
	peer := s.host.peer(to.Addr())
	if peer == nil || peer.socketAt(to) == nil {
		n.note(flow, "finds nobody")
		return
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
		return
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
	at := link.leave(time.Now(), len(p)).Add(delay)
	for range copies {
		s.sent++
		peer.socketAt(to).arrive(datagram{at, from, s.host, s.sent, bytes.Clone(p)})
	}
}

// sourceTo returns the address that a datagram for an address comes from.
func (s *udpSocket) sourceTo(to netip.Addr) (netip.AddrPort, error) {
	local := s.local()
	ip := local.Addr()
	if len(s.locals) > 1 || ip.IsUnspecified() && ip.Is4() == to.Is4() {
		ip = netip.Addr{} // any that fits
	}
	src, err := s.host.source(ip, to)
	return netip.AddrPortFrom(src, local.Port()), err
}

// local returns the address, not valid if there is none.
func (s *udpSocket) local() netip.AddrPort {
	if len(s.locals) == 0 {
		return netip.AddrPort{}
	}
	return s.locals[0]
}

func (h *Host) socketAt(addr netip.AddrPort) *udpSocket {
	if s := h.udp[addr]; s != nil {
		return s
	}
	return h.udp[netip.AddrPortFrom(wildcard(addr.Addr()), addr.Port())]
}

// arrive puts a datagram into its place.
func (s *udpSocket) arrive(d datagram) {
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

func (s *udpSocket) Receive(ctx context.Context, p []byte, how netseam.Flags) (n int, from netip.AddrPort, err error) {
	err = s.await(ctx, func(there bool) (bool, error) {
		switch {
		case there:
			d := s.in[0]
			n, from = len(d.data), d.from
			copy(p, d.data)
			if !how.Peek {
				s.in = s.in[1:]
				s.host.n.note(flowName(d.from, s.local()), "delivers a datagram of %s", plural(n))
			}
			return true, nil
		case s.deaf:
			return true, nil
		case how.DontWait:
			return true, trigo.ErrWouldBlock
		}
		return false, nil
	})
	return n, from, err
}

// there reports whether a datagram has arrived. It drops those of strangers.
func (s *udpSocket) there() bool {
	for len(s.in) > 0 && !time.Now().Before(s.in[0].at) {
		if !s.peer.IsValid() || s.in[0].from == s.peer {
			return true
		}
		s.in = s.in[1:]
	}
	return false
}

// await calls try, with the network locked, until it is done, and waits in
// between. It tells it whether a datagram is there.
func (s *udpSocket) await(ctx context.Context, try func(there bool) (done bool, err error)) error {
	defer s.host.n.lock()()
	cancelled := s.host.n.look(ctx)
	switch {
	case s.closed:
		return trigo.ErrClosed
	case cancelled != nil:
		return cancelled
	case s.receiving:
		return trigo.ErrBusy
	}
	s.receiving = true
	defer func() { s.receiving = false }()
	for {
		if s.closed {
			return trigo.ErrClosed
		}
		if done, err := try(s.there()); done {
			return err
		}
		if cancelled != nil {
			return cancelled
		}
		var next time.Time
		if len(s.in) > 0 {
			next = s.in[0].at
		}
		cancelled = s.host.n.park(ctx, s.changed, next)
	}
}

func (s *udpSocket) Shutdown(receiving, sending bool) error {
	defer s.host.n.lock()()
	switch {
	case s.closed:
		return trigo.ErrClosed
	case !s.peer.IsValid():
		return syscall.ENOTCONN
	}
	s.mute = s.mute || sending
	s.deaf = s.deaf || receiving
	signal(s.changed)
	return nil
}

func (s *udpSocket) DidShutdownWrite() bool {
	defer s.host.n.lock()()
	return s.mute
}

func (s *udpSocket) Readable() bool {
	defer s.host.n.lock()()
	return !s.closed && (s.there() || s.deaf)
}

func (s *udpSocket) WaitReadable(ctx context.Context) error {
	return s.await(ctx, func(there bool) (bool, error) { return there || s.deaf, nil })
}

func (s *udpSocket) WaitWritable(ctx context.Context) error {
	if s.Closed() {
		return trigo.ErrClosed
	}
	return trigo.CancelError(ctx)
}

func (s *udpSocket) LocalAddr() netip.AddrPort {
	defer s.host.n.lock()()
	if s.peer.IsValid() {
		if a, err := s.sourceTo(s.peer.Addr()); err == nil {
			return a
		}
	}
	return s.local()
}

func (s *udpSocket) RemoteAddr() netip.AddrPort {
	defer s.host.n.lock()()
	return s.peer
}

// Close loses what is in the socket.
func (s *udpSocket) Close() {
	n := s.host.n
	defer n.lock()()
	if s.closed {
		return
	}
	s.closed = true
	for _, a := range s.locals {
		delete(s.host.udp, a)
	}
	n.sockets = slices.DeleteFunc(n.sockets, func(o *udpSocket) bool { return o == s })
	signal(s.changed)
}

func (s *udpSocket) Closed() bool {
	defer s.host.n.lock()()
	return s.closed
}

func (s *udpSocket) Conn() netseam.Conn         { return nil }
func (s *udpSocket) Listener() netseam.Listener { return nil }

// onPartition loses the datagrams that are on their way through a partition.
func (s *udpSocket) onPartition(a, b *Host, parted bool) {
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
