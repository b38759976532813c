package vnet

import (
	"cmp"
	"context"
	"net"
	"net/netip"

	"trigo"
	"trigo/internal/netseam"
)

const maxBacklog = 4096

// ListenTCP listens on one address, as bind(2) and listen(2) do. It is there for
// the packages of trigo; programs listen with netstream.ListenTCP under
// [Host.Context].
func (h *Host) ListenTCP(ctx context.Context, local netip.AddrPort, backlog int) (netseam.Listener, error) {
	if err := trigo.CancelError(ctx); err != nil {
		return nil, err
	}
	h.n.mu.Lock()
	defer h.n.mu.Unlock()
	addr, err := h.bind(local, func(a netip.AddrPort) bool { return h.tcp[a] != nil })
	if err != nil {
		return nil, err
	}
	l := &listener{host: h, addr: addr, backlog: min(cmp.Or(backlog, maxBacklog), maxBacklog), changed: make(chan struct{}, 1)}
	h.tcp[addr] = l
	return l, nil
}

// listenerAt returns who listens for connections to addr; n.mu is held.
func (h *Host) listenerAt(addr netip.AddrPort) *listener {
	if l := h.tcp[addr]; l != nil {
		return l
	}
	return h.tcp[netip.AddrPortFrom(wildcard(addr.Addr()), addr.Port())]
}

// listener is a listening socket. Everything in it is guarded by the network.
type listener struct {
	host    *Host
	addr    netip.AddrPort
	backlog int
	pending []*end // of the accepting side
	closed  bool
	busy    bool
	changed chan struct{} // one token: look again
}

func (l *listener) Accept(ctx context.Context) (netseam.Conn, error) {
	e, err := l.accept(ctx)
	if err != nil {
		return nil, &trigo.OpError{Op: "accept", Layer: l.String(), Err: err}
	}
	return e, nil
}

func (l *listener) accept(ctx context.Context) (*end, error) {
	mu := &l.host.n.mu
	mu.Lock()
	defer mu.Unlock()
	switch {
	case l.closed:
		return nil, trigo.ErrClosed
	case ctx.Err() != nil:
		return nil, trigo.CancelError(ctx)
	case l.busy:
		return nil, trigo.ErrBusy
	}
	l.busy = true
	defer func() { l.busy = false }()
	for {
		switch {
		case l.closed:
			return nil, trigo.ErrClosed
		case len(l.pending) > 0:
			e := l.pending[0]
			l.pending = l.pending[1:]
			return e, nil
		case ctx.Err() != nil:
			return nil, trigo.CancelError(ctx)
		}
		mu.Unlock()
		select {
		case <-l.changed:
		case <-ctx.Done():
		}
		mu.Lock()
	}
}

func (l *listener) Close(ctx context.Context) error {
	l.host.n.mu.Lock()
	defer l.host.n.mu.Unlock()
	if l.closed {
		return nil
	}
	l.closed = true
	delete(l.host.tcp, l.addr)
	for _, e := range l.pending {
		e.abort()
	}
	l.pending = nil
	signal(l.changed)
	return nil
}

func (l *listener) Addr() net.Addr { return net.TCPAddrFromAddrPort(l.addr) }
func (l *listener) String() string { return "tcp " + l.addr.String() }

// signal leaves a token in a channel with room for one.
func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
