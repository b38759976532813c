package vnet

import (
	"cmp"
	"context"
	"net"
	"net/netip"
	"syscall"
	"time"

	"trigo"
	"trigo/internal/netseam"
)

const maxBacklog = 4096

// bindTCP takes an address, for a listener that does not listen yet; n.mu is
// held.
func (h *Host) bindTCP(local netip.AddrPort, dual bool) (*listener, error) {
	addrs, err := h.bind(local, dual, func(a netip.AddrPort) bool { return overlaps(h.tcp, a) })
	if err != nil {
		return nil, err
	}
	l := &listener{host: h, addrs: addrs, deaf: true, changed: make(chan struct{}, 1)}
	for _, a := range addrs {
		h.tcp[a] = l
	}
	return l, nil
}

// listenerAt returns who listens for connections to addr; n.mu is held.
func (h *Host) listenerAt(addr netip.AddrPort) *listener {
	l := h.tcp[addr]
	if l == nil {
		l = h.tcp[netip.AddrPortFrom(wildcard(addr.Addr()), addr.Port())]
	}
	if l == nil || l.deaf {
		return nil
	}
	return l
}

// listener is a listening socket. Everything in it is guarded by the network.
type listener struct {
	host    *Host
	addrs   []netip.AddrPort // two, if dual
	deaf    bool             // bound, but does not listen
	backlog int
	pending []*end // of the accepting side
	closed  bool
	busy    bool
	changed chan struct{} // one token: look again
}

func (l *listener) listen(backlog int) {
	l.deaf = false
	l.backlog = min(cmp.Or(backlog, maxBacklog), maxBacklog)
}

func (l *listener) Accept(ctx context.Context) (netseam.Conn, error) {
	e, err := l.accept(ctx)
	if err != nil {
		return nil, &trigo.OpError{Op: "accept", Layer: l.String(), Err: err}
	}
	return e, nil
}

func (l *listener) accept(ctx context.Context) (e *end, err error) {
	err = l.await(ctx, func() { e, l.pending = l.pending[0], l.pending[1:] })
	return e, err
}

// await waits until a connection can be accepted, and calls then, with the
// network locked.
func (l *listener) await(ctx context.Context, then func()) error {
	defer l.host.n.lock()()
	cancelled := l.host.n.look(ctx)
	switch {
	case l.closed:
		return trigo.ErrClosed
	case cancelled != nil:
		return cancelled
	case l.busy:
		return trigo.ErrBusy
	}
	l.busy = true
	defer func() { l.busy = false }()
	for {
		switch {
		case l.closed:
			return trigo.ErrClosed
		case l.deaf:
			return syscall.EINVAL
		case len(l.pending) > 0:
			then()
			return nil
		case cancelled != nil:
			return cancelled
		}
		cancelled = l.host.n.park(ctx, l.changed, time.Time{})
	}
}

func (l *listener) Close(ctx context.Context) error {
	defer l.host.n.lock()()
	l.shut()
	return nil
}

// shut gives the address back; n.mu is held.
func (l *listener) shut() {
	if l.closed {
		return
	}
	l.closed = true
	for _, a := range l.addrs {
		delete(l.host.tcp, a)
	}
	l.hush()
}

// hush ends the listening, and resets those that wait.
func (l *listener) hush() {
	l.deaf = true
	for _, e := range l.pending {
		e.abort()
	}
	l.pending = nil
	signal(l.changed)
}

func (l *listener) Addr() net.Addr         { return net.TCPAddrFromAddrPort(l.addrs[0]) }
func (l *listener) Socket() netseam.Socket { return &tcpSocket{host: l.host, bound: l} }

func (l *listener) String() string { return "tcp " + l.addrs[0].String() }

// signal leaves a token in a channel with room for one.
func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
