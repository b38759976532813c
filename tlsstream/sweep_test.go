package tlsstream

import (
	"context"
	"crypto/tls"
	"errors"
	"os"
	"testing"

	"trigo"
	"trigo/trigotest"
)

// swept is a scenario over two streams that are not shaken yet.
type swept func(ctx context.Context, s *trigotest.Sweep, client, server *Stream) error

func sweep(t *testing.T, scenario swept) {
	eachVersion(t, func(t *testing.T, config *tls.Config) {
		for name, c := range map[string]struct {
			maker  transportMaker
			layers int // of TLS
		}{
			"memory":     {memoryTransport, 1},
			"lockstep":   {lockstepTransport, 1},
			"TLS in TLS": {memoryTransport, 2},
		} {
			t.Run(name, func(t *testing.T) {
				identity()
				trigotest.SweepCancel(t, func(ctx context.Context, s *trigotest.Sweep) error {
					a, b, _ := c.maker(ctx)
					a = s.Wrap(a)
					for range c.layers {
						a, b = Client(a, config, nil), Server(b, serverConfig(), nil)
						s.Close(a)
						s.Close(b)
					}
					return scenario(ctx, s, a.(*Stream), b.(*Stream))
				}, &trigotest.SweepOptions{Bubble: true})
			})
		}
	})
}

// drain receives everything and ends the other direction too.
func drain(server *Stream) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		if _, err := receiveAll(ctx, server); err != nil {
			return err
		}
		return server.SendEOF(ctx)
	}
}

// together runs a and b under ctx at the same time.
func together(ctx context.Context, a, b func(ctx context.Context) error) error {
	errA, errB := both(func() error { return a(ctx) }, func() error { return b(ctx) })
	return errors.Join(errA, errB)
}

// A handshake that was cancelled anywhere is completed by the next call.
func TestSweepHandshake(t *testing.T) {
	sweep(t, func(ctx context.Context, s *trigotest.Sweep, client, server *Stream) error {
		s.Peer(server.Handshake)
		s.Check(func(ctx context.Context) error { return together(ctx, client.Handshake, server.Handshake) })
		return client.Handshake(ctx)
	})
}

// What a cancelled send and receive say went over is what went over.
func TestSweepConversation(t *testing.T) {
	sweep(t, func(ctx context.Context, s *trigotest.Sweep, client, server *Stream) error {
		a, b := s.Usable(client, server)
		s.Peer(server.Handshake)
		if err := client.Handshake(ctx); err != nil {
			return err
		}
		s.Peer(func(ctx context.Context) error {
			p := make([]byte, 5)
			if err := receiveFull(ctx, b, p); err != nil {
				return err
			}
			return b.SendAll(ctx, p)
		})
		if err := a.SendAll(ctx, []byte("hello")); err != nil {
			return err
		}
		return receiveFull(ctx, a, make([]byte, 5))
	})
}

func TestSweepUnwrap(t *testing.T) {
	sweep(t, func(ctx context.Context, s *trigotest.Sweep, client, server *Stream) error {
		unwrap := func(stream *Stream) func(ctx context.Context) error {
			return func(ctx context.Context) error {
				if stream.Transport() == nil {
					return nil // done already
				}
				_, _, err := stream.Unwrap(ctx)
				return err
			}
		}
		s.Peer(unwrap(server))
		s.Check(func(ctx context.Context) error { return together(ctx, unwrap(client), unwrap(server)) })
		return unwrap(client)(ctx)
	})
}

func TestSweepClose(t *testing.T) {
	sweep(t, func(ctx context.Context, s *trigotest.Sweep, client, server *Stream) error {
		s.Closed(client)
		s.Peer(drain(server))
		return client.Close(ctx)
	})
}

func TestSweepHalfClose(t *testing.T) {
	sweep(t, func(ctx context.Context, s *trigotest.Sweep, client, server *Stream) error {
		s.Peer(drain(server))
		s.Check(func(ctx context.Context) error { // whatever was cut, it can be completed
			return together(ctx, func(ctx context.Context) error {
				if err := client.SendEOF(ctx); err != nil {
					return err
				}
				_, err := receiveAll(ctx, client)
				return err
			}, drain(server))
		})
		if err := client.SendAll(ctx, []byte("x")); err != nil {
			return err
		}
		return client.SendEOF(ctx)
	})
}

// out is a transport that is out of time for a while.
type out struct {
	trigo.Stream
	time bool
}

func (o *out) SendAll(ctx context.Context, p []byte) error {
	if o.time {
		return &trigo.OpError{Op: "send", Err: os.ErrDeadlineExceeded}
	}
	return o.Stream.SendAll(ctx, p)
}

// Where it is not a cancel that has kept a send of the lower TLS from its end, the
// upper goes on too.
func TestSendInTLSInTLSAfterATimeout(t *testing.T) {
	bubble(t, func(t *testing.T) {
		lower, lowerServer := pair(t, memoryTransport, clientConfig13(), nil)
		client, server := Client(lower, clientConfig13(), nil), Server(lowerServer, serverConfig(), nil)
		if err := shakeBoth(t.Context(), client, server); err != nil {
			t.Fatal(err)
		}
		transport := &out{lower.gate.transport, true}
		lower.gate.transport = transport
		wantIs(t, "send", client.SendAll(t.Context(), []byte("hello")), os.ErrDeadlineExceeded)
		transport.time = false
		wantIs(t, "send nothing", client.SendAll(t.Context(), nil), nil)
		receiveString(t, server, "hello")
	})
}
