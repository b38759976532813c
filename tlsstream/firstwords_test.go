package tlsstream

import (
	"context"
	"errors"
	"testing"
	"time"

	"trigo"
	"trigo/trigotest"
)

// counting counts the sends that reach a transport, which takes room of them.
type counting struct {
	trigo.Stream
	sends, room int
}

func (c *counting) SendAll(ctx context.Context, p []byte) error {
	if c.sends++; c.sends > c.room {
		<-ctx.Done()
		return &trigo.OpError{Op: "send", Err: trigo.CancelError(ctx)}
	}
	return c.Stream.SendAll(ctx, p)
}

// asked is a transport that can be asked what it takes at once.
type asked struct{ counting }

func (a *asked) Itself() any { return a }

func (a *asked) SendNow(p []byte) (int, error) {
	if a.sends++; a.sends > a.room {
		return 0, nil
	}
	return len(p), a.Stream.SendAll(context.Background(), p)
}

// What ends the handshake of a client and the first piece of what it has to say
// are one send, if the transport can be asked.
func TestFirstWordsGoOutWithTheHandshake(t *testing.T) {
	bubble(t, func(t *testing.T) {
		client, server := unshaken(t, memoryTransport, clientConfig13(), nil)
		transport := &asked{counting{Stream: client.gate.transport, room: 100}}
		client.gate.transport = transport
		words := make([]byte, sendChunk)
		err, err2 := both(func() error { return client.SendAll(t.Context(), words) },
			func() error { return receiveFull(t.Context(), server, words) })
		wantIs(t, "send", err, nil)
		wantIs(t, "receive", err2, nil)
		if transport.sends != 2 {
			t.Errorf("%d sends, want the hello and one more", transport.sends)
		}
	})
}

// A SendAll that is cancelled anywhere in the handshake, or in what goes out with
// the end of it, tells how much will arrive.
func TestSweepFirstWords(t *testing.T) {
	sweep(t, func(ctx context.Context, s *trigotest.Sweep, client, server *Stream) error {
		a, b := s.Usable(client, server)
		s.Peer(func(ctx context.Context) error { return receiveFull(ctx, b, make([]byte, 5)) })
		return a.SendAll(ctx, []byte("hello"))
	})
}

// While the transport takes nothing, a SendAll that is tried again and again adds
// no more than one piece to what waits to be sent; and nothing to a transport that
// cannot be asked.
func TestCancelledFirstWordsDoNotPileUp(t *testing.T) {
	for name, c := range map[string]struct {
		prompt bool
		sent   []int64 // by each SendAll of five bytes
		want   string
	}{
		"asked":     {true, []int64{5, 0, 0}, "hello again"},
		"not asked": {false, []int64{0, 0, 0}, " again"},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				client, server := unshaken(t, memoryTransport, clientConfig13(), nil)
				transport := &asked{counting{Stream: client.gate.transport, room: 1}} // the hello
				client.gate.transport = &transport.counting
				if c.prompt {
					client.gate.transport = transport
				}
				received := make(chan string, 1)
				go func() {
					got, err := receiveAll(t.Context(), server)
					wantIs(t, "receive", err, nil)
					received <- got
				}()
				for _, want := range c.sent {
					ctx, cancel := context.WithTimeout(t.Context(), time.Second)
					err := client.SendAll(ctx, []byte("hello"))
					cancel()
					wantIs(t, "send", err, context.DeadlineExceeded)
					if op, _ := errors.AsType[*trigo.OpError](err); op.N != want {
						t.Errorf("%d bytes were sent, want %d", op.N, want)
					}
				}
				transport.room = 100
				sendString(t, client, " again")
				mustClose(t, client)
				if got := <-received; got != c.want {
					t.Errorf("received %q", got)
				}
			})
		})
	}
}

// What such a SendAll has counted is sent by Close, also where that does no handshake.
func TestCloseSendsCancelledFirstWords(t *testing.T) {
	eachMode(t, func(t *testing.T, opts *Options) {
		bubble(t, func(t *testing.T) {
			client, server := unshaken(t, memoryTransport, clientConfig13(), opts)
			transport := &asked{counting{Stream: client.gate.transport, room: 1}} // the hello
			client.gate.transport = transport
			received := make(chan string, 1)
			go func() {
				got, err := receiveAll(t.Context(), server)
				wantIs(t, "receive", err, nil)
				received <- got
			}()
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			err := client.SendAll(ctx, []byte("hello"))
			wantIs(t, "send", err, context.DeadlineExceeded)
			transport.room = 100
			mustClose(t, client)
			op, _ := errors.AsType[*trigo.OpError](err)
			if got, want := <-received, "hello"[:op.N]; got != want {
				t.Errorf("received %q, want %q", got, want)
			}
		})
	})
}
