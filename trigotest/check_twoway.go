package trigotest

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"slices"

	"trigo"
)

// streams makes two connected streams.
func streams[S trigo.Stream](ctx context.Context, b *bench, maker StreamMaker[S]) (x, y S) {
	b.t.Helper()
	b.ok(b.start("making a pair of streams", func(*call) (err error) {
		x, y, err = maker(ctx)
		return err
	}))
	b.ends = append(b.ends, x, y)
	return x, y
}

// twoWayChecks are those in which both directions take part.
func twoWayChecks[S trigo.Stream](maker StreamMaker[S]) []check {
	return []check{
		{"data flows both ways at once", func(ctx context.Context, b *bench) {
			x, y := streams(ctx, b, maker)
			checkDuplex(ctx, b, x, y)
		}},
		{"one end sends while it receives", func(ctx context.Context, b *bench) {
			x, y := streams(ctx, b, maker)
			received := b.receive(ctx, x, 1)
			b.waits(received)
			sent := b.send(ctx, x, []byte("x"))
			b.gets(b.receive(ctx, y, 1), "x")
			b.ok(sent)
			sent = b.send(ctx, y, []byte("y"))
			b.gets(received, "y")
			b.ok(sent)
		}},
		{"closing one end ends the other", func(ctx context.Context, b *bench) {
			x, y := streams(ctx, b, maker)
			closing := b.close(ctx, x)
			b.eof(b.receive(ctx, y, 1))
			b.ok(b.close(ctx, y))
			b.ok(closing)
		}},
	}
}

func twoWayCloggedChecks[S trigo.Stream](maker StreamMaker[S]) []check {
	return []check{
		{"clogged: close wakes both halves", func(ctx context.Context, b *bench) {
			x, _ := streams(ctx, b, maker)
			b.empty(ctx, x)
			received := b.receive(ctx, x, 1)
			sending := b.send(ctx, x, block)
			b.waits(received)
			b.waits(sending)
			b.closeInAMoment(ctx, x)
			b.fails(received, trigo.ErrClosed)
			b.fails(sending, trigo.ErrClosed)
		}},
		{"clogged: a cancelled receive leaves a send alone", func(ctx context.Context, b *bench) {
			x, y := streams(ctx, b, maker)
			b.empty(ctx, x)
			scope, cancel := context.WithCancelCause(ctx)
			received := b.receive(scope, x, 1)
			sending := b.send(ctx, x, block)
			b.waits(sending)
			cancel(errDead)
			if b.finish(received) != nil { // else more came of what clogs the stream
				b.cancelled(scope, received)
			}
			b.waits(sending)
			b.drainFor(ctx, y, sending)
		}},
		{"clogged: a cancelled send leaves a receive alone", func(ctx context.Context, b *bench) {
			x, y := streams(ctx, b, maker)
			b.empty(ctx, x)
			scope, cancel := context.WithCancelCause(ctx)
			received := b.receive(ctx, x, 1)
			sending := b.send(scope, x, block)
			b.waits(sending)
			cancel(errDead)
			b.cancelled(scope, sending)
			b.settle() // or what comes now would hide a cancel
			sent := b.send(ctx, y, []byte("y"))
			b.ok(received) // of that, or of what clogs the stream
			b.drainFor(ctx, x, sent)
		}},
	}
}

// empty receives what there is to receive.
func (b *bench) empty(ctx context.Context, to trigo.ReceiveStream) {
	b.t.Helper()
	scope, cancel := context.WithCancel(ctx)
	drained := b.start("receiving what clogs the stream", func(*call) error {
		buf := make([]byte, 64<<10)
		for {
			if _, err := receiveSome(scope, to, buf); err != nil {
				return err
			}
		}
	})
	b.settle()
	cancel()
	b.cancelled(scope, drained)
}

// checkDuplex sends a MiB of noise each way, in chunks of all sizes.
func checkDuplex(ctx context.Context, b *bench, x, y trigo.Stream) {
	const size, largest = 1 << 20, 16 << 10
	there := make([]byte, size)
	rand.NewChaCha8([32]byte{1}).Read(there)
	back := bytes.Clone(there)
	slices.Reverse(back)

	sendIn := func(what string, s trigo.SendStream, data []byte, seed uint64) *call {
		return b.start(what, func(*call) error {
			rng := rand.New(rand.NewPCG(seed, 0))
			for len(data) > 0 {
				n := min(1+rng.IntN(largest), len(data))
				if err := s.SendAll(ctx, data[:n]); err != nil {
					return err
				}
				data = data[n:]
			}
			return nil
		})
	}
	receiveIn := func(what string, r trigo.ReceiveStream, seed uint64) *call {
		return b.start(what, func(c *call) error {
			rng := rand.New(rand.NewPCG(seed, 0))
			buf := make([]byte, largest)
			for len(c.data) < size {
				p, err := receiveSome(ctx, r, buf[:1+rng.IntN(largest)])
				if err != nil {
					return err
				}
				c.data = append(c.data, p...)
			}
			return nil
		})
	}
	calls := []*call{
		sendIn("sending a MiB there", x, there, 1), sendIn("sending a MiB back", y, back, 2),
		receiveIn("receiving a MiB there", y, 3), receiveIn("receiving a MiB back", x, 4),
	}
	for _, c := range calls {
		b.ok(c)
	}
	if !bytes.Equal(calls[2].data, there) || !bytes.Equal(calls[3].data, back) {
		b.t.Fatalf("what was received is not what was sent")
	}
}

// halfCloseChecks are those of SendEOF.
func halfCloseChecks[S trigo.HalfCloseableStream](maker StreamMaker[S]) []check {
	return []check{
		{"SendEOF ends one direction", func(ctx context.Context, b *bench) {
			x, y := streams(ctx, b, maker)
			for _, way := range [][2]trigo.HalfCloseableStream{{x, y}, {y, x}} {
				from, to := way[0], way[1]
				sent := b.start("SendAll and SendEOF", func(*call) error {
					return errors.Join(from.SendAll(ctx, []byte("x")), from.SendEOF(ctx))
				})
				b.settle()
				b.gets(b.receive(ctx, to, 1), "x")
				b.eof(b.receive(ctx, to, 1))
				b.eof(b.receive(ctx, to, 1))
				b.ok(sent)
			}
		}},
		{"sends after SendEOF are closed", func(ctx context.Context, b *bench) {
			x, _ := streams(ctx, b, maker)
			b.ok(b.sendEOF(ctx, x))
			b.fails(b.send(ctx, x, []byte("x")), trigo.ErrClosed)
			b.fails(b.send(ctx, x, nil), trigo.ErrClosed)
		}},
		{"SendEOF again is silent", func(ctx context.Context, b *bench) {
			x, y := streams(ctx, b, maker)
			for range 3 {
				b.ok(b.sendEOF(ctx, x))
			}
			b.eof(b.receive(ctx, y, 1))
		}},
		{"wait to send returns after SendEOF", func(ctx context.Context, b *bench) {
			x, _ := streams(ctx, b, maker)
			b.ok(b.sendEOF(ctx, x))
			b.fails(b.wait(ctx, x), nil, trigo.ErrClosed)
		}},
		{"SendEOF with a dead ctx does nothing", func(ctx context.Context, b *bench) {
			x, y := streams(ctx, b, maker)
			dead := b.dead()
			b.cancelled(dead, b.sendEOF(dead, x))
			sent := b.send(ctx, x, []byte("x"))
			b.gets(b.receive(ctx, y, 1), "x")
			b.ok(sent)
		}},
		{"SendEOF leaves a receive alone", func(ctx context.Context, b *bench) {
			x, y := streams(ctx, b, maker)
			received := b.receive(ctx, x, 1)
			b.waits(received)
			b.ok(b.sendEOF(ctx, x))
			b.eof(b.receive(ctx, y, 1))
			b.waits(received)
			sent := b.send(ctx, y, []byte("y"))
			b.gets(received, "y")
			b.ok(sent)
		}},
		{"close after SendEOF", func(ctx context.Context, b *bench) {
			x, y := streams(ctx, b, maker)
			b.ok(b.sendEOF(ctx, x))
			b.ok(b.close(ctx, x))
			b.eof(b.receive(ctx, y, 1))
			b.sendersSayClosed(ctx, x)
			b.fails(b.receive(ctx, x, 1), trigo.ErrClosed)
			b.fails(b.sendEOF(ctx, x), nil, trigo.ErrClosed)
			b.ok(b.close(ctx, x))
		}},
	}
}

func halfCloseCloggedChecks[S trigo.HalfCloseableStream](maker StreamMaker[S]) []check {
	return []check{
		{"clogged: SendEOF beside a send is busy", func(ctx context.Context, b *bench) {
			x, y := streams(ctx, b, maker)
			sending := b.send(ctx, x, block)
			b.waits(sending)
			b.fails(b.sendEOF(ctx, x), trigo.ErrBusy)
			b.drainFor(ctx, y, sending)
		}},
		{"clogged: SendEOF beside a waiter is busy", func(ctx context.Context, b *bench) {
			x, y := streams(ctx, b, maker)
			waiting := b.wait(ctx, x)
			b.waits(waiting)
			b.fails(b.sendEOF(ctx, x), trigo.ErrBusy)
			b.drainFor(ctx, y, waiting)
		}},
	}
}
