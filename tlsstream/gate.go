package tlsstream

import (
	"context"
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
//     record that it has. The Stream receives more and reads again. To hold a
//     part of a record back until the rest is there was tried: it copies more,
//     and took a third longer to move 1 MiB.
//
// During a handshake that last point does not hold: crypto/tls remembers every
// error of a handshake, Temporary or not. So the handshake runs in a goroutine
// (handshake.go), and there a Read that finds nothing parks. The goroutine
// computes, nothing else: the bytes are still moved by callers that wait.
//
// Rejected: a fork of crypto/tls, which somebody would have to keep up to date;
// its QUIC interface, which has no record layer; deadlines on a real net.Conn,
// which there is none of on most transports, and after which a tls.Conn cannot
// write any more; handing it more than a record at a time, which would save a
// copy of the ciphertext and lose the bytes behind close_notify.

// gate is the net.Conn of a tls.Conn. Its reading side belongs to whoever holds
// the receiving half of the Stream, and during the handshake to the handshake
// and the caller that feeds it, by turns.
type gate struct {
	out  outbox
	park func() error // waits for more to be received; nil after the handshake

	buf  []byte // received and not yet let through: buf[r:w]
	r, w int
	left int  // bytes of the current record still to be let through
	more bool // the last receive filled its buffer

	peer transportAddr
}

const recordHeader = 5

// Read lets crypto/tls have some of one record. See the top of this file.
func (g *gate) Read(p []byte) (int, error) {
	for !g.open() {
		if g.park == nil {
			return 0, errStarved
		}
		if err := g.park(); err != nil {
			return 0, err
		}
	}
	n := copy(p, g.buf[g.r:min(g.w, g.r+g.left)])
	g.r += n
	g.left -= n
	if g.r == g.w {
		g.drop()
	}
	return n, nil
}

// open reports whether there is something that Read can return: a part of the
// current record, or the header of the next one.
func (g *gate) open() bool {
	have := g.buf[g.r:g.w]
	if g.left > 0 {
		return len(have) > 0
	}
	if len(have) < recordHeader {
		return false
	}
	g.left = recordHeader + int(binary.BigEndian.Uint16(have[3:]))
	return true
}

// atBorder reports whether the bytes received so far end with a whole record.
func (g *gate) atBorder() bool { return g.r == g.w && g.left == 0 }

// rest returns a copy of what was received and not let through.
func (g *gate) rest() []byte { return append([]byte{}, g.buf[g.r:g.w]...) }

// drop gives the empty buffer back.
func (g *gate) drop() {
	putBuffer(g.buf)
	g.buf, g.r, g.w = nil, 0, 0
}

// fill waits for more bytes from the transport, once Read has let through what
// it could. A cancelled fill took none.
//
// What an idle connection waits with is small. A buffer for several records is
// used when the current record needs it, or when the last receive had more to
// give.
func (g *gate) fill(ctx context.Context, from trigo.ReceiveStream) error {
	if g.buf == nil {
		size := smallBuffer
		if g.more || g.left > size {
			size = readAhead
		}
		g.buf = getBuffer(size)
	} else if g.r > 0 { // a part of a header
		g.w = copy(g.buf, g.buf[g.r:g.w])
		g.r = 0
	}
	n, err := from.ReceiveSome(ctx, g.buf[g.w:])
	g.w += n
	g.more = g.w == len(g.buf)
	if g.r == g.w {
		g.drop()
	}
	return err
}

// Write gathers what crypto/tls wants to send.
func (g *gate) Write(p []byte) (int, error) {
	g.out.gather(p)
	return len(p), nil
}

// starved is the error of a Read that has no record to offer.
type starved struct{}

func (starved) Error() string   { return "no record here yet" }
func (starved) Timeout() bool   { return true }
func (starved) Temporary() bool { return true }

var errStarved net.Error = starved{}

// Close is called by crypto/tls when the ctx of a handshake ends. The transport
// is not its to close.
func (g *gate) Close() error { return nil }

func (g *gate) LocalAddr() net.Addr  { return g.peer }
func (g *gate) RemoteAddr() net.Addr { return g.peer }

// crypto/tls sets a deadline around its close_notify, which it need not fear to
// wait for here.
func (g *gate) SetDeadline(time.Time) error      { return nil }
func (g *gate) SetReadDeadline(time.Time) error  { return nil }
func (g *gate) SetWriteDeadline(time.Time) error { return nil }

// transportAddr is the address of the peer as far as crypto/tls is concerned:
// it names a session by it when there is no other name.
type transportAddr struct{ transport trigo.Stream }

func (transportAddr) Network() string  { return "trigo" }
func (a transportAddr) String() string { return describe(a.transport) }
