package tlsstream

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"net"
	"time"

	"trigo"
)

// How crypto/tls is made to work without doing any I/O.
//
// The problem. A tls.Conn reads and writes a net.Conn when it likes, for as long
// as it likes, and remembers most errors for ever. A ctx cannot get in between:
// a cancelled write leaves half a record on the wire, which only the same bytes
// can complete; a cancelled handshake closes the connection; and since it reads
// ahead, bytes that follow the end of TLS are lost in its buffer, while an end
// of the transport between two records looks to its caller like close_notify.
//
// The rule. The net.Conn of our tls.Conn is an engine's memory and nothing else:
//
//   - Write only gathers (outbox.go). It cannot fail and cannot wait. The calls
//     of the Stream carry the bytes to the transport, under their ctx, many
//     records at a time. A cancelled one leaves the rest for the next.
//   - Read opens the gate to one record at a time, out of bytes that calls of
//     the Stream have received before. So whatever follows the end of TLS
//     is still ours, and the raw end of the transport is never shown to
//     crypto/tls at all: io.EOF from it can only mean close_notify.
//   - A Read that finds nothing fails with an error that is Temporary. On the
//     reading side crypto/tls does not remember those, and keeps the part of a
//     record that it has. The Stream receives more and reads again. To hold every
//     part of a record back until the rest is there was tried: it copies more,
//     and took a third longer to move 1 MiB. Only what has filled a small buffer
//     is held back, because there the rest is near.
//   - There are two ways past the buffers, because to copy 16 KiB twice is a good
//     part of what a record of that size costs. A long record is received into
//     the memory of crypto/tls, by a Read under the ctx of the ReceiveSome that is
//     under way. The error of a receive there is passed through crypto/tls as a
//     Temporary one, and what came behind the record is put aside. And a message
//     of one record goes from crypto/tls to the transport, as far as that takes it
//     without waiting (outbox.go).
//
// During a handshake that last point does not hold: crypto/tls remembers every
// error of a handshake, Temporary or not. So the handshake runs in a goroutine
// (handshake.go), and there a Read that finds nothing receives more, under the
// ctx of a caller that waits, or parks until there is one.
//
// Rejected: a fork of crypto/tls, which somebody would have to keep up to date;
// its QUIC interface, which has no record layer; deadlines on a real net.Conn,
// which there is none of on most transports, and after which a tls.Conn cannot
// write any more; handing it more than a record at a time, which would save a
// copy of the ciphertext and lose the bytes behind close_notify.

// gate is the net.Conn of a tls.Conn. Its reading side belongs to whoever holds
// the receiving half of the Stream, and during the handshake to the handshake.
type gate struct {
	out  outbox
	more func() error // brings more bytes, in Read; nil after the handshake

	transport trigo.Stream
	straight  context.Context // of the call that lets Read receive by itself; nil if it is not to
	buf       *buffer         // received and not yet let through; nil if there is nothing
	spare     *buffer         // a tiny one, for the next wait; nil if there is none

	header    [recordHeader]byte // of the current record, or piece of one
	headed    uint8              // bytes of header still to be let through
	tag       uint8              // a record is at least this much longer than what is in it
	full      bool               // the last receive filled its buffer
	pastHello bool               // the peer has sent something else than handshake messages
	left      int32              // bytes behind header still to be let through
	uncut     int32              // bytes of the record behind those
	last      int32              // length of the current record, or the last one
	piece     int32              // the record is let through in pieces of this length
	plain     int32              // crypto/tls keeps no more decrypted bytes than this
}

const (
	recordHeader    = 5
	recordHandshake = 22
	aeadTag         = 16

	// maxHello is the length above which a record of the first handshake
	// messages is let through as several. As long as the connection lives,
	// crypto/tls keeps a buffer for the longest record that it has read; on a
	// server that would be the client's hello, with its post-quantum key. It
	// begins with 576 bytes, and stays with them if no record is longer. A
	// message may come in any number of records. It is halved, and halved again,
	// because the buffer that it is put together in grows by doubling.
	maxHello = 512
)

// Read lets crypto/tls have some of one record. See the top of this file.
func (g *gate) Read(p []byte) (int, error) {
	for !g.open() {
		switch {
		case g.straight != nil && g.buf == nil:
			return g.receive(p)
		case g.more == nil:
			g.plain = 0
			return 0, errStarved
		}
		if err := g.more(); err != nil {
			return 0, err
		}
	}
	n := copy(p, g.header[recordHeader-g.headed:])
	g.headed -= uint8(n)
	if b := g.buf; b != nil {
		m := copy(p[n:], b.space[b.r:min(b.w, b.r+int(g.left))])
		b.r += m
		g.left -= int32(m)
		n += m
		g.drop()
	}
	g.passed()
	return n, nil
}

// passed is what Read does last.
func (g *gate) passed() {
	if g.left == 0 && g.headed == 0 {
		g.plain = int32(binary.BigEndian.Uint16(g.header[3:])) - int32(g.tag)
	}
}

// goStraight reports whether Read is to receive into the memory of crypto/tls, and
// not into a buffer first: for long records that come one by one, to a caller with
// room for one. To wait with such a buffer would cost more memory than to wait
// within crypto/tls, which keeps as much anyway.
func (g *gate) goStraight(room int) bool {
	return g.buf == nil && !g.full && g.last > helloBuffer && room >= maxPlaintext
}

// receive is Read without a buffer in between. crypto/tls is shown nothing of what
// came behind the record: that is put aside.
func (g *gate) receive(p []byte) (int, error) {
	g.plain = 0
	if g.left > 0 {
		p = p[:min(len(p), int(g.left))]
	}
	n, err := g.transport.ReceiveSome(g.straight, p)
	if n == 0 {
		return 0, untold{err}
	}
	g.full = n == len(p)
	switch {
	case g.left > 0:
		g.left -= int32(n)
	case n < recordHeader:
		g.putAside(p[:n])
		return 0, errStarved
	default:
		copy(g.header[:], p)
		g.last = int32(binary.BigEndian.Uint16(g.header[3:]))
		whole := recordHeader + int(g.last)
		if n > whole {
			g.putAside(p[whole:n])
			n = whole
		}
		g.left = int32(whole - n)
	}
	g.passed()
	return n, nil
}

// putAside keeps p for later. There must be no buffer.
func (g *gate) putAside(p []byte) {
	g.buf = getBuffer(len(p))
	g.buf.add(p)
}

// open reports whether there is something that Read can return: a part of the
// current record, or the header of the next one, which it takes then.
func (g *gate) open() bool {
	switch {
	case g.headed > 0:
		return true
	case g.left > 0:
		return g.buf != nil
	case g.uncut > 0:
		g.begin()
		return true
	case g.buf == nil || len(g.buf.bytes()) < recordHeader || g.cutShort():
		return false
	}
	copy(g.header[:], g.buf.bytes())
	g.buf.r += recordHeader
	g.drop()
	// Until another kind of record comes, nothing is encrypted.
	g.pastHello = g.pastHello || g.header[0] != recordHandshake
	g.uncut = int32(binary.BigEndian.Uint16(g.header[3:]))
	g.last = g.uncut
	g.piece = g.uncut
	for !g.pastHello && g.piece > maxHello {
		g.piece = (g.piece + 1) / 2
	}
	g.begin()
	return true
}

// cutShort reports whether there is only the beginning of the next record
// because a small buffer had no room for more. The rest is there by now, or on
// its way, and crypto/tls allocates for each piece of a record that it reads.
func (g *gate) cutShort() bool {
	b := g.buf.bytes()
	return g.full && len(g.buf.space) <= smallBuffer &&
		len(b) < recordHeader+int(binary.BigEndian.Uint16(b[3:]))
}

// begin begins the next piece of a record, which mostly is all of it.
func (g *gate) begin() {
	n := min(g.piece, g.uncut)
	g.uncut -= n
	g.headed, g.left = recordHeader, n
	binary.BigEndian.PutUint16(g.header[3:], uint16(n))
}

// leaveHandshake is told that the handshake is done.
func (g *gate) leaveHandshake(version uint16) {
	g.more, g.plain, g.tag = nil, 0, aeadTag
	if version == tls.VersionTLS13 {
		g.tag++ // the type of the record
	}
}

// took is told that crypto/tls gave n decrypted bytes of at most size.
func (g *gate) took(n, size int) {
	if g.plain -= int32(n); n < size {
		g.plain = 0
	}
}

// atBorder reports whether the bytes received so far end with a whole record.
func (g *gate) atBorder() bool {
	return g.buf == nil && g.headed == 0 && g.left == 0 && g.uncut == 0
}

// rest returns a copy of what was received behind the current record.
func (g *gate) rest() []byte {
	if g.buf == nil {
		return []byte{}
	}
	return append([]byte{}, g.buf.bytes()...)
}

// drop gives an empty buffer back. A tiny one stays: somebody is going to wait with
// it soon.
func (g *gate) drop() {
	b := g.buf
	switch {
	case b.r < b.w:
		return
	case len(b.space) == tinyBuffer && g.spare == nil:
		b.r, b.w = 0, 0
		g.spare = b
	default:
		putBuffer(b)
	}
	g.buf = nil
}

// get is getBuffer for a wait.
func (g *gate) get(size int) *buffer {
	if b := g.spare; b != nil && size == tinyBuffer {
		g.spare = nil
		return b
	}
	return getBuffer(size)
}

// fill waits for more bytes from the transport, once Read has let through what
// it could. room is how much the caller has room for. A cancelled fill took none.
func (g *gate) fill(ctx context.Context, room int) error {
	size := g.waitingSize(room)
	b := g.buf
	switch {
	case b == nil:
		b = g.get(size)
	case len(b.space) < size:
		b = getBuffer(size)
		b.w = copy(b.space, g.buf.bytes())
		putBuffer(g.buf)
	case b.r > 0:
		b.w = copy(b.space, b.bytes())
		b.r = 0
	}
	g.buf = b
	n, err := g.transport.ReceiveSome(ctx, b.space[b.w:])
	b.w += n
	g.full = b.w == len(b.space)
	g.drop()
	return err
}

// waitingSize returns the size of the buffer to wait with. It is small, and with
// what crypto/tls keeps anyway no more than a tls.Conn waits with; the next
// message is expected to be about as long as the last. There is room for a record
// of any length if the caller waits with as much itself, and for more than one
// when the current record needs it, or the last receive had more to give.
func (g *gate) waitingSize(room int) int {
	rest := int(g.left + g.uncut)
	switch {
	case g.full || rest > helloBuffer:
		return readAhead
	case g.last > helloBuffer && room >= maxPlaintext:
		return recordBuffer
	case g.more != nil || rest > smallBuffer:
		return helloBuffer
	case g.last > tinyBuffer-recordHeader:
		return smallBuffer
	}
	return tinyBuffer
}

// Write gathers what crypto/tls wants to send.
func (g *gate) Write(p []byte) (int, error) {
	g.out.write(p, g.transport)
	return len(p), nil
}

// starved is the error of a Read that has no record to offer.
type starved struct{}

func (starved) Error() string   { return "no record here yet" }
func (starved) Timeout() bool   { return true }
func (starved) Temporary() bool { return true }

var errStarved net.Error = starved{}

// untold is an error of the transport that crypto/tls is not to remember, nor to
// understand.
type untold struct{ error }

func (untold) Timeout() bool   { return true }
func (untold) Temporary() bool { return true }

// Close is called by crypto/tls when the ctx of a handshake ends. The transport
// is not its to close.
func (g *gate) Close() error { return nil }

func (g *gate) LocalAddr() net.Addr  { return transportAddr{g.transport} }
func (g *gate) RemoteAddr() net.Addr { return transportAddr{g.transport} }

func (g *gate) SetDeadline(time.Time) error     { return nil }
func (g *gate) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline is called by crypto/tls before its close_notify, which it need
// not fear to wait for here, and behind it, with a time that has come: nothing is to
// be written any more. It writes all the same when it answers a key update, and
// behind the end of TLS nobody could tell that from what follows. Told of an error it
// would not take the new keys, so it is told of none.
func (g *gate) SetWriteDeadline(t time.Time) error {
	if !t.After(time.Now()) {
		g.out.end()
	}
	return nil
}

// transportAddr is the address of the peer as far as crypto/tls is concerned:
// it names a session by it when there is no other name.
type transportAddr struct{ transport trigo.Stream }

func (transportAddr) Network() string  { return "trigo" }
func (a transportAddr) String() string { return describe(a.transport) }
