package tlsstream

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"runtime"
	"testing"
	"time"

	"trigo"
	"trigo/trigotest"
)

// pieces is a transport that delivers bytes in pieces, and then the end.
type pieces struct {
	trigo.Stream
	data []byte
	size int
}

func (p *pieces) ReceiveSome(_ context.Context, buf []byte) (int, error) {
	if len(p.data) == 0 {
		return 0, io.EOF
	}
	n := copy(buf[:min(len(buf), p.size)], p.data)
	p.data = p.data[n:]
	return n, nil
}

// FuzzGate: whatever arrives, in pieces of any size, the gate lets through the
// same records in the same order, but for long hellos, which become several; it
// never offers more than a record; and it knows whether the bytes end where a
// record does.
func FuzzGate(f *testing.F) {
	f.Add([]byte{22, 3, 1, 0, 2, 7, 7, 21, 3, 3, 0, 0, 23}, 1, 5)
	f.Add(append([]byte{23, 3, 3, 0xff, 0xff}, make([]byte, 70000)...), 4096, 600)
	f.Add(append([]byte{22, 3, 1, 2, 1}, make([]byte, 600)...), 4096, 600)
	f.Add(append([]byte{22, 3, 1, 2, 1}, make([]byte, 400)...), 100, 3)
	f.Add(append([]byte{20, 3, 1, 0, 0, 22, 3, 1, 2, 1}, make([]byte, 600)...), 1024, 1024)
	f.Add(append([]byte{22, 3, 1, 8, 0}, make([]byte, tinyBuffer-recordHeader)...), 4096, 600)
	f.Add([]byte("GET / HTTP/1.1\r\n\r\n"), 3, 1000)
	f.Fuzz(func(t *testing.T, data []byte, size, read int) {
		if size < 1 || read < 1 || read > 1<<17 {
			t.Skip("no such sizes")
		}
		want, border, whole := recut(data)
		g := gate{transport: &pieces{data: data, size: size}}
		var got []byte
		for p := make([]byte, read); ; {
			n, err := g.Read(p)
			if err == nil {
				if n == 0 || len(border) > 0 && len(got)+n > border[0] {
					t.Fatalf("Read returned %d bytes from %d on, and the record ends at %d", n, len(got), border[0])
				}
				got = append(got, p[:n]...)
				if len(border) > 0 && len(got) == border[0] {
					border = border[1:]
				}
				continue
			}
			if err != errStarved {
				t.Fatal(err)
			}
			if err := g.fill(t.Context(), 0); err == io.EOF && !g.open() {
				break // and nothing is held back any more
			}
			if g.buf != nil && len(g.buf.space) > readAhead {
				t.Fatalf("a buffer of %d bytes", len(g.buf.space))
			}
		}
		got = append(got, g.rest()...)
		if !bytes.Equal(got, want) {
			t.Errorf("%d bytes came out, want %d, or they are others", len(got), len(want))
		}
		if g.atBorder() != whole {
			t.Errorf("at a border: %v, want %v", g.atBorder(), whole)
		}
	})
}

// recut returns data as the gate is to let it through, where the records in
// that end, and whether the last one is complete.
func recut(data []byte) (out []byte, border []int, whole bool) {
	hellos := true
	for len(data) >= recordHeader {
		n := int(binary.BigEndian.Uint16(data[3:]))
		hellos = hellos && data[0] == recordHandshake
		piece := n
		for hellos && piece > maxHello {
			piece = (piece + 1) / 2
		}
		sizes := []int{min(n, piece)}
		for n -= piece; n > 0; n -= piece {
			sizes = append(sizes, min(n, piece))
		}
		head := data[:3]
		data = data[recordHeader:]
		for _, size := range sizes {
			out = binary.BigEndian.AppendUint16(append(out, head...), uint16(size))
			border = append(border, len(out)+size)
			out = append(out, data[:min(size, len(data))]...)
			if size > len(data) {
				return out, border, false
			}
			data = data[size:]
		}
	}
	return append(out, data...), border, len(data) == 0
}

// FuzzServer feeds bytes to a whole server, as a client would. It must say that
// the stream is broken, in no time, and with nothing left.
func FuzzServer(f *testing.F) {
	f.Add(clientHello(f), 100)
	f.Add([]byte("GET / HTTP/1.1\r\n\r\n"), 100)
	f.Add([]byte{21, 3, 3, 0, 2, 2, 40}, 1)
	f.Add([]byte{0x80, 46, 1, 3, 1}, 5)
	config := serverConfig()
	f.Fuzz(func(t *testing.T, data []byte, size int) {
		if size < 1 {
			t.Skip("no such size")
		}
		a, b := trigotest.NewMemoryPair()
		s := Server(&pieces{Stream: b, data: data, size: size}, config, nil)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		before := runtime.NumGoroutine()
		_, err := s.ReceiveSome(ctx, make([]byte, 100))
		wantIs(t, "receive", err, trigo.ErrBroken)
		if n := s.gate.out.gathered(); n > maxAnswers {
			t.Errorf("%d bytes wait to be sent", n)
		}
		s.Abort()
		a.Close(ctx)
		for range 1000 { // the goroutine of the handshake is on its way out
			if runtime.NumGoroutine() <= before {
				return
			}
			runtime.Gosched()
		}
	})
}

// clientHello returns what a client sends first.
func clientHello(f *testing.F) []byte {
	a, b := trigotest.NewMemoryPair()
	client := Client(a, clientConfig13(), nil)
	ctx, cancel := context.WithCancel(f.Context())
	done := make(chan error)
	go func() { done <- client.Handshake(ctx) }()
	p := make([]byte, 64<<10)
	n, err := b.ReceiveSome(f.Context(), p)
	if err != nil {
		f.Fatal(err)
	}
	cancel()
	<-done
	client.Abort()
	return p[:n]
}
