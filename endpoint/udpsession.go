package endpoint

import (
	"context"
	"io"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"trigo"
	"trigo/netstream"
)

// # One socket, many peers
//
// The datagrams of all peers come to one socket, so whoever receives one must see to
// it that it gets to the right session. There is no goroutine for that: of those
// who wait, a session for its next datagram or Accept for the next peer, one
// receives for all. It puts what is not for it into the queue of its owner, until
// it has something for itself, and then hands the turn on. So it is the ctx of a
// caller that everything happens under, and nobody has to be told to stop.
//
// A session whose queue is full loses datagrams, as it would if the socket had a
// buffer of its own.

const (
	sessionQueue = 128 // datagrams
	acceptQueue  = 128 // new peers
)

// sessions is a UDP socket that makes a connection of each peer.
type sessions struct {
	udp  *netstream.UDP
	idle time.Duration
	turn chan struct{} // held by the one who receives for all
	buf  []byte        // of the holder of the turn

	arrivals  chan *session
	accepting atomic.Bool
	cancel    canceller     // of an Accept that receives
	shut      chan struct{} // closed by Close: no new peers
	sending   chan struct{} // held by the session that sends

	mu     sync.Mutex
	peers  map[netip.AddrPort]*session // those that have not ended
	open   int                         // sessions that are not closed
	closed bool
}

func newSessions(u *netstream.UDP, idle time.Duration) *sessions {
	return &sessions{
		udp: u, idle: idle,
		turn:     make(chan struct{}, 1),
		buf:      make([]byte, maxDatagram),
		arrivals: make(chan *session, acceptQueue),
		shut:     make(chan struct{}),
		sending:  make(chan struct{}, 1),
		peers:    make(map[netip.AddrPort]*session),
	}
}

// Accept waits for a datagram from somebody new.
func (l *sessions) Accept(ctx context.Context) (trigo.Stream, error) {
	fail := func(err error) (trigo.Stream, error) {
		return nil, &trigo.OpError{Op: "accept", Layer: l.String(), Err: err}
	}
	if !l.accepting.CompareAndSwap(false, true) {
		return fail(trigo.ErrBusy)
	}
	defer l.accepting.Store(false)
	switch {
	case isClosed(l.shut):
		return fail(trigo.ErrClosed)
	case ctx.Err() != nil:
		return fail(trigo.CancelError(ctx))
	}
	for {
		select {
		case s := <-l.arrivals:
			return s, nil
		default:
		}
		select {
		case s := <-l.arrivals:
			return s, nil
		case <-l.shut:
			return fail(trigo.ErrClosed)
		case <-ctx.Done():
			return fail(trigo.CancelError(ctx))
		case l.turn <- struct{}{}:
		}
		err := l.receive(ctx, l.shut, &l.cancel, func() bool { return len(l.arrivals) > 0 })
		<-l.turn
		switch {
		case err == nil:
		case isClosed(l.shut):
			return fail(trigo.ErrClosed)
		default:
			return nil, err
		}
	}
}

// receive receives for all until enough says so, ctx ends or stop is closed, which
// shutting tells of by calling what is in cancel. Its caller has the turn.
func (l *sessions) receive(ctx context.Context, stop <-chan struct{}, cancel *canceller, enough func() bool) error {
	ctx, end := context.WithCancel(ctx)
	defer end()
	cancel.Store(&end)
	defer cancel.Store(nil)
	if isClosed(stop) { // before there was anything to call
		return trigo.ErrClosed
	}
	for !enough() {
		n, from, err := l.udp.ReceiveFrom(ctx, l.buf)
		if err != nil {
			return err
		}
		l.deliver(from, l.buf[:n])
	}
	return nil
}

// A canceller is what ends the receiving that somebody does for all.
type canceller = atomic.Pointer[context.CancelFunc]

func wake(c *canceller) {
	if end := c.Load(); end != nil {
		(*end)()
	}
}

// deliver puts a datagram into the queue of its session, which it makes if need be.
func (l *sessions) deliver(from netip.AddrPort, p []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.peers[from]
	if s == nil {
		if l.closed || len(l.arrivals) == cap(l.arrivals) {
			return
		}
		s = &session{of: l, peer: from, queue: make(chan []byte, sessionQueue), shut: make(chan struct{})}
		l.peers[from] = s
		l.open++
		l.arrivals <- s
	}
	s.touch()
	if len(p) == 0 {
		return
	}
	select {
	case s.queue <- slices.Clone(p):
	default:
	}
}

// Close ends listening. The sessions go on, and the socket is closed with the last
// of them. Those that nobody accepted are closed.
func (l *sessions) Close(ctx context.Context) error {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return nil
	}
	l.closed = true
	close(l.shut)
	l.mu.Unlock()
	wake(&l.cancel)
	for {
		select {
		case s := <-l.arrivals:
			s.Close(ctx)
			continue
		default:
		}
		break
	}
	return l.closeIfUnused(ctx)
}

// forget is called when a session has been closed.
func (l *sessions) forget(ctx context.Context, s *session) error {
	l.mu.Lock()
	l.open--
	l.remove(s)
	l.mu.Unlock()
	return l.closeIfUnused(ctx)
}

// remove lets the next datagram of the peer begin a new session. Called with mu
// held.
func (l *sessions) remove(s *session) {
	if l.peers[s.peer] == s {
		delete(l.peers, s.peer)
	}
}

func (l *sessions) closeIfUnused(ctx context.Context) error {
	l.mu.Lock()
	unused := l.closed && l.open == 0
	l.mu.Unlock()
	if unused {
		return l.udp.Close(ctx)
	}
	return nil
}

// Addr returns the address of the socket.
func (l *sessions) Addr() net.Addr { return net.UDPAddrFromAddrPort(l.udp.LocalAddr()) }

func (l *sessions) String() string { return l.udp.String() }

// Underlying returns the socket.
func (l *sessions) Underlying() any { return l.udp }

// A session is a peer of a UDP socket as a stream. Its end is a silence.
type session struct {
	of    *sessions
	peer  netip.AddrPort
	queue chan []byte
	rest  leftover
	shut  chan struct{}
	once  sync.Once

	cancel canceller // of a ReceiveSome that receives for all

	last  time.Time // when something was sent or received; with the mutex of sessions
	ended bool      // likewise

	receiving, sending atomic.Bool
}

var _ trigo.Stream = (*session)(nil)

// touch is called with the mutex of sessions held.
func (s *session) touch() { s.last = time.Now() }

// SendAll sends p as one datagram; see datagrams.SendAll.
func (s *session) SendAll(ctx context.Context, p []byte) error {
	if !s.sending.CompareAndSwap(false, true) {
		return s.fail("send", trigo.ErrBusy)
	}
	defer s.sending.Store(false)
	switch {
	case isClosed(s.shut):
		return s.fail("send", trigo.ErrClosed)
	case ctx.Err() != nil:
		return s.fail("send", trigo.CancelError(ctx))
	case len(p) == 0:
		return nil
	}
	return datagramError(s.of.send(ctx, p, s))
}

// send sends for a session. Sessions take turns, which are short.
func (l *sessions) send(ctx context.Context, p []byte, s *session) error {
	l.mu.Lock()
	s.touch()
	l.mu.Unlock()
	select {
	case l.sending <- struct{}{}:
	case <-s.shut:
		return s.fail("send", trigo.ErrClosed)
	case <-ctx.Done():
		return s.fail("send", trigo.CancelError(ctx))
	}
	defer func() { <-l.sending }()
	return l.udp.SendTo(ctx, p, s.peer)
}

// WaitSendAllMightNotBlock returns at once.
func (s *session) WaitSendAllMightNotBlock(ctx context.Context) error {
	switch {
	case isClosed(s.shut):
		return s.fail("wait to send", trigo.ErrClosed)
	case ctx.Err() != nil:
		return s.fail("wait to send", trigo.CancelError(ctx))
	case s.sending.Load():
		return s.fail("wait to send", trigo.ErrBusy)
	}
	return nil
}

// ReceiveSome receives one datagram, or the rest of one. The end is io.EOF, when
// nothing has been sent or received for the time that the listener allows.
func (s *session) ReceiveSome(ctx context.Context, p []byte) (int, error) {
	if len(p) == 0 {
		return 0, io.ErrShortBuffer
	}
	if !s.receiving.CompareAndSwap(false, true) {
		return 0, s.fail("receive", trigo.ErrBusy)
	}
	defer s.receiving.Store(false)
	for looked := false; ; looked = true {
		switch {
		case isClosed(s.shut):
			return 0, s.fail("receive", trigo.ErrClosed)
		case ctx.Err() != nil:
			return 0, s.fail("receive", trigo.CancelError(ctx))
		}
		if n := s.rest.take(p); n > 0 {
			return n, nil
		}
		select {
		case s.rest = <-s.queue:
			continue
		default:
		}
		left, ended := s.silence(looked)
		if ended {
			return 0, io.EOF
		}
		if left == 0 {
			left = look
		}
		if err := s.await(ctx, left); err != nil {
			return 0, err
		}
	}
}

// look is how long a look into the socket may take, where something may have been for a
// while if nobody received.
const look = 100 * time.Millisecond

// silence returns how long the session may still be silent, and ends it when that
// is over and somebody has looked into the socket.
func (s *session) silence(looked bool) (left time.Duration, ended bool) {
	s.of.mu.Lock()
	defer s.of.mu.Unlock()
	left = s.of.idle - time.Since(s.last)
	if left <= 0 && looked && len(s.queue) == 0 {
		s.ended = true
		s.of.remove(s)
	}
	return max(left, 0), s.ended
}

// await waits until there may be something to look at.
func (s *session) await(ctx context.Context, limit time.Duration) error {
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	select {
	case s.rest = <-s.queue:
	case <-s.shut:
	case <-limited.Done():
	case s.of.turn <- struct{}{}:
		err := s.of.receive(limited, s.shut, &s.cancel, func() bool { return len(s.queue) > 0 })
		<-s.of.turn
		if err != nil && limited.Err() == nil && !isClosed(s.shut) {
			return datagramError(err)
		}
	}
	return nil
}

// Close ends the session. Its peer is told nothing: UDP has no word for it.
func (s *session) Close(ctx context.Context) (err error) {
	s.once.Do(func() {
		close(s.shut)
		wake(&s.cancel)
		err = s.of.forget(ctx, s)
	})
	return err
}

func (s *session) fail(op string, err error) error {
	return &trigo.OpError{Op: op, Layer: s.String(), Err: err}
}

func (s *session) String() string       { return "udp " + s.peer.String() }
func (s *session) LocalAddr() net.Addr  { return s.of.Addr() }
func (s *session) RemoteAddr() net.Addr { return net.UDPAddrFromAddrPort(s.peer) }

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
