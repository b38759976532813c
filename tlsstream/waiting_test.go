package tlsstream

import (
	"bytes"
	"context"
	"slices"
	"testing"

	"trigo"
)

// ofCryptoTLS stands for one receive into the memory of crypto/tls.
const ofCryptoTLS = -1

// sizes notes with how much room a transport is asked to receive.
type sizes struct {
	trigo.Stream
	asked []int
}

func (s *sizes) ReceiveSome(ctx context.Context, p []byte) (int, error) {
	s.asked = append(s.asked, len(p))
	return s.Stream.ReceiveSome(ctx, p)
}

// A stream waits with a buffer for a message like the last. For a long record it
// waits with that of crypto/tls, if its caller waits with as much; then one receive
// brings it.
func TestWhatAStreamWaitsWith(t *testing.T) {
	bubble(t, func(t *testing.T) {
		client, server := pair(t, memoryTransport, clientConfig13(), nil)
		client.gate.transport = &sizes{Stream: client.gate.transport}
		for range 100 { // until crypto/tls makes records of the full length
			sendString(t, server, string(make([]byte, maxPlaintext)))
			if err := receiveFull(t.Context(), client, make([]byte, maxPlaintext)); err != nil {
				t.Fatal(err)
			}
		}
		for _, c := range []struct {
			message, room int
			want          []int // of this message
		}{
			{1, 1, []int{smallBuffer}}, // as the last was long, and the room is not
			{1, maxPlaintext, []int{tinyBuffer}},
			{300, 300, []int{tinyBuffer, readAhead - tinyBuffer}},
			{300, 300, []int{smallBuffer}},
			{maxPlaintext, maxPlaintext, []int{smallBuffer, readAhead - smallBuffer}},
			{maxPlaintext, maxPlaintext, []int{ofCryptoTLS}},
		} {
			transport := client.gate.transport.(*sizes)
			transport.asked = nil
			message := bytes.Repeat([]byte("x"), c.message)
			sendString(t, server, string(message))
			buf := make([]byte, c.room)
			n, err := client.ReceiveSome(t.Context(), buf)
			wantIs(t, "receive", err, nil)
			if !bytes.Equal(buf[:n], message) {
				t.Errorf("received %d bytes, want %d x", n, c.message)
			}
			if c.want[0] == ofCryptoTLS && len(transport.asked) == 1 && transport.asked[0] >= recordHeader+c.message {
				continue
			}
			if !slices.Equal(transport.asked, c.want) {
				t.Errorf("%d bytes into %d: receives of %d, want %d", c.message, c.room, transport.asked, c.want)
			}
			if client.gate.buf != nil {
				t.Error("an idle stream holds a buffer")
			}
		}
	})
}
