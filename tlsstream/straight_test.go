package tlsstream

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"trigo"
	"trigo/netstream"
	"trigo/trigotest"
)

// What a transport takes at once goes there without a stop in the outbox. When it
// takes only a part of a record, or none, the rest follows, and a SendAll that is
// cancelled meanwhile has told what arrives.
func TestMessagesThatTheTransportTakesInPart(t *testing.T) {
	eachVersion(t, func(t *testing.T, config *tls.Config) {
		client, server := pair(t, tcpTransport, config, nil)
		for _, s := range []*Stream{client, server} {
			socket, _ := trigo.As[*net.TCPConn](s)
			socket.SetWriteBuffer(64 << 10)
			socket.SetReadBuffer(256 << 10) // more than a segment over loopback, or it crawls
		}
		sent := make([]byte, 2<<20)
		rand.Read(sent)
		full := make(chan struct{})
		received := make(chan []byte)
		go func() {
			defer close(received)
			<-full
			got, err := receiveAll(t.Context(), server)
			wantIs(t, "receive", err, nil)
			received <- []byte(got)
		}()
		cancelled := 0
		for rest := sent; len(rest) > 0; {
			// Nobody receives until the first of these has filled the kernel.
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
			n := min(len(rest), 1+len(rest)%maxPlaintext)
			err := client.SendAll(ctx, rest[:n])
			cancel()
			if err != nil {
				op, ok := errors.AsType[*trigo.OpError](err)
				if !ok || !errors.Is(err, context.DeadlineExceeded) {
					t.Fatal(err)
				}
				n = int(op.N)
				if cancelled++; cancelled == 10 {
					close(full)
				}
			}
			rest = rest[n:]
		}
		if cancelled < 10 {
			t.Fatalf("%d sends had to wait, want 10 at least", cancelled)
		}
		mustClose(t, client)
		if !bytes.Equal(<-received, sent) {
			t.Error("what was received is not what was sent")
		}
	})
}

// The kernel tells of a reset once. Whichever send is told, and on whatever way,
// SendAll says so, and goes on saying it.
func TestResetOfATransportThatIsSentToStraight(t *testing.T) {
	client, server := pair(t, tcpTransport, clientConfig13(), nil)
	under, _ := trigo.As[*netstream.Stream](server)
	under.Abort()
	var first error
	for first == nil {
		first = client.SendAll(t.Context(), []byte("x"))
	}
	wantIs(t, "send", first, trigo.ErrBroken)
	second := client.SendAll(t.Context(), []byte("x"))
	if second == nil || errors.Unwrap(second).Error() != errors.Unwrap(first).Error() {
		t.Errorf("%v, and then %v", first, second)
	}
}

// FuzzGateStraight: the same records come through if crypto/tls receives by itself,
// and never more than one, whatever the transport brings at once.
func FuzzGateStraight(f *testing.F) {
	f.Add([]byte{23, 3, 3, 0, 2, 7, 7, 21, 3, 3, 0, 0, 23}, 1, 600)
	f.Add(append([]byte{23, 3, 3, 0xff, 0xff}, make([]byte, 70000)...), 4096, 600)
	f.Add(append([]byte{23, 3, 3, 0, 200}, make([]byte, 1000)...), 1000, 517)
	f.Add([]byte{23, 3, 3, 0, 0, 23, 3, 3, 0, 0, 23, 3}, 12, 12)
	f.Fuzz(func(t *testing.T, data []byte, size, read int) {
		if size < 1 || read < 1 || read > 1<<17 {
			t.Skip("no such sizes")
		}
		g := gate{transport: &pieces{data: data, size: size}, pastHello: true}
		var border []int // where the records end
		for at := 0; at+recordHeader <= len(data); {
			at += recordHeader + int(binary.BigEndian.Uint16(data[at+3:]))
			border = append(border, at)
		}
		var got []byte
		for p, end := make([]byte, read), false; !end; {
			g.straight = t.Context()
			n, err := g.Read(p)
			g.straight = nil
			next := len(got) + n
			switch err := err.(type) {
			case nil:
				for len(border) > 0 && border[0] <= len(got) {
					border = border[1:]
				}
				if n == 0 || len(border) == 0 || next > border[0] {
					t.Fatalf("Read returned %d bytes from %d on, and records end at %d", n, len(got), border)
				}
				got = append(got, p[:n]...)
			case starved: // the beginning of a header
				end = g.fill(t.Context(), 0) == io.EOF && !g.open()
			case untold:
				end = true
			default:
				t.Fatal(err)
			}
		}
		if got = append(got, g.rest()...); !bytes.Equal(got, data) {
			t.Errorf("%d bytes came out of %d, or they are others", len(got), len(data))
		}
		if whole := len(data) == 0 || len(border) > 0 && border[len(border)-1] == len(data); g.atBorder() != whole {
			t.Errorf("at a border: %v, want %v", g.atBorder(), whole)
		}
	})
}

// The answer to a key update, which is longer than the record of a very short message,
// does not go past the outbox behind that: whoever sent the message may be done, and
// the transport in use by the next call.
func TestOneRecordGoesPastTheOutbox(t *testing.T) {
	memory, _ := trigotest.NewMemoryPair()
	transport := &asked{counting{Stream: memory, room: 100}}
	var out outbox
	if !out.open(1, transport) {
		t.Fatal("there is no way past an empty outbox")
	}
	out.write(make([]byte, recordHeader+1+1+aeadTag), transport)
	out.write(make([]byte, recordHeader+5+1+aeadTag), transport)
	if transport.sends != 1 {
		t.Errorf("%d records went past, want one", transport.sends)
	}
	if out.shut() {
		t.Error("nothing is left to send")
	}
}
