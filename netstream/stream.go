package netstream

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync/atomic"

	"trigo"
	"trigo/internal/fdstream"
	"trigo/internal/netseam"
	"trigo/internal/pollio"
)

// A Stream is a connected TCP or Unix socket. It is a
// [trigo.HalfCloseableStream]; what its methods have in common with those of
// any stream is said there.
//
// TCP_NODELAY is on, as in package net. Close discards what the peer sent and
// was not received yet; if there is any, the kernel resets the connection and
// the peer may lose the last bytes sent to it: see [trigo.LingeringClose].
//
// Trio: trio.SocketStream.
type Stream struct {
	s     fdstream.Stream // without a descriptor on a network that is not the kernel's
	low   lowLevel        // the same descriptor as a socket
	lowat atomic.Bool     // TCP_NOTSENT_LOWAT was set
	extra *extra          // nil for most: a server may have a great many streams
}

// extra is what only some streams have to keep.
type extra struct {
	virtual       netseam.Conn // of a network that is not the kernel's
	local, remote net.Addr     // where package net has none, or not those that were asked for
	report        *DialReport
}

var (
	_ trigo.HalfCloseableStream = (*Stream)(nil)
	_ trigo.Aborter             = (*Stream)(nil)
)

// conn is what *net.TCPConn and *net.UnixConn share.
type conn interface {
	net.Conn
	pollio.Source
	CloseWrite() error
}

// FromConn returns a stream over c, which must be a *net.TCPConn or a
// *net.UnixConn of the network "unix". The stream owns c: its deadlines are the
// stream's, and using c beside the stream is a race for its bytes. For any
// other c the error Is [errors.ErrUnsupported] and c is left alone.
func FromConn(c net.Conn) (*Stream, error) {
	s, err := newStream(c, nil)
	if err != nil {
		return nil, &trigo.OpError{Op: "adopt", Layer: fmt.Sprintf("%T", c), Err: err}
	}
	return s, nil
}

// newStream makes the stream of FromConn. extra is the stream's; nil is none.
func newStream(c net.Conn, extra *extra) (*Stream, error) {
	switch t := c.(type) {
	case *net.TCPConn:
	case hasSocket:
		return newSocketStream(t.Socket(), extra), nil
	case *net.UnixConn:
		if t.LocalAddr().Network() != "unix" {
			return nil, fmt.Errorf("a socket of network %s is no stream: %w", t.LocalAddr().Network(), errors.ErrUnsupported)
		}
	default:
		return nil, fmt.Errorf("neither a TCP nor a Unix connection: %w", errors.ErrUnsupported)
	}
	s := &Stream{extra: extra}
	if err := s.s.Own(c.(conn), s); err != nil {
		return nil, err
	}
	return s, nil
}

// isVirtual reports whether the stream is on a network that is not the kernel's.
func (s *Stream) isVirtual() bool { return s.s.FD() == nil }

// conn returns the connection of package net, or what takes its place.
func (s *Stream) conn() conn { return s.s.FD().Source().(conn) }

// SendAll sends all of p. It waits while the kernel's buffer is full. It
// returns [trigo.ErrBroken] when the peer has reset the connection or no longer
// receives, [trigo.ErrClosed] after [Stream.SendEOF] too. A cancelled SendAll
// has sent the first N bytes of p ([trigo.OpError]), and the stream is usable.
func (s *Stream) SendAll(ctx context.Context, p []byte) error {
	if s.isVirtual() {
		return s.extra.virtual.SendAll(ctx, p)
	}
	return s.s.SendAll(ctx, p)
}

// WaitSendAllMightNotBlock waits until the kernel would take some bytes. From
// the first call on, a TCP stream keeps little unsent data in the kernel
// (TCP_NOTSENT_LOWAT, 16 KiB), so that what is sent next is sent soon; senders
// that never call it keep the whole buffer. It returns when the peer is gone.
func (s *Stream) WaitSendAllMightNotBlock(ctx context.Context) error {
	if s.isVirtual() {
		return s.extra.virtual.WaitSendAllMightNotBlock(ctx)
	}
	if !s.lowat.Load() && s.lowat.CompareAndSwap(false, true) {
		setNotSentLowat(s.conn())
	}
	return s.s.WaitSendAllMightNotBlock(ctx)
}

// SendEOF ends the sending half (shutdown(2) with SHUT_WR); receiving goes on.
// It never waits.
func (s *Stream) SendEOF(ctx context.Context) error {
	if s.isVirtual() {
		return s.extra.virtual.SendEOF(ctx)
	}
	return s.s.SendEOF(ctx, s.closeWrite)
}

// ReceiveSome receives at least one byte. It returns [io.EOF] once the peer has
// ended its sending half, [trigo.ErrBroken] once the connection was reset or
// timed out; either stays. A cancelled ReceiveSome took no byte.
func (s *Stream) ReceiveSome(ctx context.Context, p []byte) (int, error) {
	if s.isVirtual() {
		return s.extra.virtual.ReceiveSome(ctx, p)
	}
	return s.s.ReceiveSome(ctx, p)
}

// Close closes the socket and wakes every call that waits on it, with
// [trigo.ErrClosed]. It never waits; ctx makes no difference. The kernel goes on
// sending what SendAll took. The error, if any, is what close(2) said, and the
// socket is closed all the same.
func (s *Stream) Close(ctx context.Context) error {
	if s.isVirtual() {
		return s.extra.virtual.Close(ctx)
	}
	return s.s.Close(ctx)
}

// Abort closes the socket such that a TCP peer gets a reset (RST) and not an
// end of file. Bytes not yet sent are dropped. A Unix socket has no reset: its
// peer sees one only if it had sent bytes that were not received, else an end
// of file.
func (s *Stream) Abort() error {
	if s.isVirtual() {
		return s.extra.virtual.Abort()
	}
	if t, ok := s.conn().(interface{ SetLinger(sec int) error }); ok {
		t.SetLinger(0) // fails only if closed already, and then it is too late
	}
	return s.s.Close(context.Background())
}

// LocalAddr returns the address of this end, as it was when the stream was
// made. It works on a closed stream too.
func (s *Stream) LocalAddr() net.Addr {
	if s.extra != nil && s.extra.local != nil {
		return s.extra.local
	}
	return s.conn().LocalAddr() // package net keeps it
}

// RemoteAddr returns the address of the peer, as it was when the stream was
// made. It works when the peer is gone. A peer that was gone before, as that of a
// connection which another process hands over can be, has a nameless address.
func (s *Stream) RemoteAddr() net.Addr {
	if s.extra != nil && s.extra.remote != nil {
		return s.extra.remote
	}
	if peer := s.conn().RemoteAddr(); peer != nil {
		return peer
	}
	if s.LocalAddr().Network() == "unix" {
		return unixAddr("")
	}
	return new(net.TCPAddr)
}

// DialReport returns how the connection came about, or nil if it was not
// dialled by [DialTCP].
func (s *Stream) DialReport() *DialReport {
	if s.extra == nil {
		return nil
	}
	return s.extra.report
}

// Underlying returns the *net.TCPConn or *net.UnixConn, for [trigo.As]. It is
// good for socket options; its deadlines belong to the stream.
func (s *Stream) Underlying() any {
	if s.isVirtual() {
		return s.extra.virtual
	}
	return s.conn()
}

// FD returns the descriptor for packages of this module that move bytes in
// other ways. It is nil where there is none: on a network that is not the
// kernel's.
func (s *Stream) FD() *pollio.FD { return s.s.FD() }

// Itself, [Stream.ReceiveBy] and [Stream.SendBy] are for packages of this module
// that have the kernel move the bytes. It returns s, or nil on a network that is
// not the kernel's. A type that embeds the stream has these methods too, and is
// told by what this one returns that they are not its own.
func (s *Stream) Itself() any {
	if s.isVirtual() {
		return nil
	}
	return s
}

// ReceiveBy is a ReceiveSome with op in the place of the system call. See
// [Stream.Itself].
func (s *Stream) ReceiveBy(ctx context.Context, op func(sysfd int) error) error {
	if s.isVirtual() {
		return errors.ErrUnsupported
	}
	return s.s.ReceiveBy(ctx, op)
}

// SendBy is a SendAll with op, which adds to moved what it has sent, in the place
// of the system call. See [Stream.Itself].
func (s *Stream) SendBy(ctx context.Context, op func(sysfd int) error, moved *int) error {
	if s.isVirtual() {
		return errors.ErrUnsupported
	}
	return s.s.SendBy(ctx, op, moved)
}

// SendNow sends what the kernel takes of p at once, perhaps nothing, and returns how
// much that was. It never waits, so it takes no ctx. It counts as a sender, and its
// errors are those of SendAll. See [Stream.Itself].
func (s *Stream) SendNow(p []byte) (int, error) {
	if s.isVirtual() {
		return 0, nil
	}
	return s.s.SendNow(p)
}

// String names the stream by its peer: "tcp 192.0.2.1:443". The accepted end of
// a Unix socket has a nameless peer and is named by its own address.
func (s *Stream) String() string {
	peer := s.RemoteAddr()
	if peer.Network() == "unix" && (peer.String() == "" || peer.String() == "@") {
		return layerName(s.LocalAddr())
	}
	return layerName(peer)
}

// layerName names an address in errors.
func layerName(a net.Addr) string { return a.Network() + " " + a.String() }
