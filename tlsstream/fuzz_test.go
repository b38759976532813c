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
// same bytes in the same order; it never offers more than a record; and it knows
// whether they end where a record does.
func FuzzGate(f *testing.F) {
	f.Add([]byte{22, 3, 1, 0, 2, 7, 7, 21, 3, 3, 0, 0, 23}, 1, 5)
	f.Add(append([]byte{23, 3, 3, 0xff, 0xff}, make([]byte, 70000)...), 4096, 600)
	f.Add([]byte("GET / HTTP/1.1\r\n\r\n"), 3, 1000)
	f.Fuzz(func(t *testing.T, data []byte, size, read int) {
		if size < 1 || read < 1 || read > 1<<17 {
			t.Skip("no such sizes")
		}
		var g gate
		from := &pieces{data: data, size: size}
		var got []byte
		border := 0 // offset of the end of the current record
		for p := make([]byte, read); ; {
			n, err := g.Read(p)
			if err == nil {
				got = append(got, p[:n]...)
				if start := len(got) - n; start == border { // a record begins
					border += recordHeader + int(binary.BigEndian.Uint16(data[border+3:]))
				}
				if n == 0 || len(got) > border {
					t.Fatalf("Read returned %d bytes, up to %d, and the record ends at %d", n, len(got), border)
				}
				continue
			}
			if err != errStarved {
				t.Fatal(err)
			}
			if err := g.fill(t.Context(), from); err == io.EOF {
				break
			}
			if len(g.buf) > readAhead {
				t.Fatalf("a buffer of %d bytes", len(g.buf))
			}
		}
		got = append(got, g.rest()...)
		if !bytes.Equal(got, data) {
			t.Errorf("%d bytes came out of %d, or others", len(got), len(data))
		}
		if g.atBorder() != (len(data) == border) {
			t.Errorf("at a border: %v; %d bytes, the last record ends at %d", g.atBorder(), len(data), border)
		}
	})
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
