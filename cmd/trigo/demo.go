package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"time"

	"trigo"
	"trigo/netstream"
	"trigo/nursery"
	"trigo/relay"
)

// demo pushes data through client -> relay -> echo service and back, all over
// TCP on loopback, and checks every byte.
func demo(ctx context.Context, o *options, out *console) error {
	var report relay.Report
	var hash [sha256.Size]byte
	counters := new(relay.Counters)
	began := time.Now()
	err := withMeter(ctx, out, meterStyle(o.progress, false), counters, func(ctx context.Context) error {
		return nursery.Run(ctx, func(ctx context.Context, n *nursery.Nursery) error {
			echo, err := demoServer(ctx, n, echoAll)
			if err != nil {
				return err
			}
			finished := make(chan struct{})
			front, err := demoServer(ctx, n, func(ctx context.Context, s *netstream.Stream) error {
				defer close(finished)
				upstream, err := netstream.DialTCP(ctx, echo, nil)
				if err != nil {
					return err
				}
				report, err = relay.Run(ctx, s, upstream, o.relay(counters))
				return err
			})
			if err != nil {
				return err
			}
			if hash, err = pushAndCheck(ctx, front, int(o.demoSize)); err != nil {
				return err
			}
			select {
			case <-finished:
			case <-ctx.Done():
				return trigo.CancelError(ctx)
			}
			n.Cancel(nil) // the servers
			return nil
		})
	})
	if f := relaying(err); f != nil {
		return f
	}
	_, err = fmt.Printf(`client -> relay -> echo -> relay -> client, over tcp on loopback
  a->b  %s
  b->a  %s
  sha256 %x
ok: %s came back in %s, every byte as it was sent
`, demoLine(report.AToB), demoLine(report.BToA), hash, human(int(o.demoSize)), brief(time.Since(began)))
	return err
}

func demoLine(d relay.Direction) string {
	return fmt.Sprintf("%-9s %v  %s/s  end: %v", human(d.Bytes), brief(d.Duration),
		human(float64(d.Bytes)/max(d.Duration, 1).Seconds()), d.End)
}

// demoServer serves on a free port until the nursery ends, and returns its
// address.
func demoServer(ctx context.Context, n *nursery.Nursery, handler func(context.Context, *netstream.Stream) error) (string, error) {
	listeners, err := netstream.ListenTCP(ctx, "127.0.0.1:0", nil)
	if err != nil {
		return "", err
	}
	n.Go(func(ctx context.Context) error {
		return trigo.ServeListeners(ctx, handler, listeners, nil)
	})
	return listeners[0].Addr().String(), nil
}

// echoAll sends back what it receives, and then the end.
func echoAll(ctx context.Context, s *netstream.Stream) error {
	for chunk, err := range trigo.Chunks(ctx, s) {
		if err == nil {
			err = s.SendAll(ctx, chunk)
		}
		if err != nil {
			return err
		}
	}
	return s.SendEOF(ctx)
}

// pushAndCheck sends size bytes of noise to address, compares what comes back
// with them, and returns its hash.
func pushAndCheck(ctx context.Context, address string, size int) (hash [sha256.Size]byte, err error) {
	s, err := netstream.DialTCP(ctx, address, nil)
	if err != nil {
		return hash, err
	}
	defer trigo.CloseForcefully(s)
	err = nursery.Run(ctx, func(ctx context.Context, n *nursery.Nursery) error {
		n.Go(func(ctx context.Context) error {
			noise, buf := newNoise(), make([]byte, 256<<10)
			for left := size; left > 0; {
				p := buf[:min(left, len(buf))]
				noise.Read(p)
				if err := s.SendAll(ctx, p); err != nil {
					return err
				}
				left -= len(p)
			}
			return s.SendEOF(ctx)
		})
		noise, want, sum, got := newNoise(), make([]byte, 64<<10), sha256.New(), 0
		for chunk, err := range trigo.Chunks(ctx, s) {
			if err != nil {
				return err
			}
			p := want[:len(chunk)]
			io.ReadFull(noise, p)
			if !bytes.Equal(chunk, p) {
				return fmt.Errorf("what came back differs from what was sent, after %d bytes", got)
			}
			sum.Write(chunk)
			got += len(chunk)
		}
		if got != size {
			return fmt.Errorf("%d bytes came back, of %d", got, size)
		}
		sum.Sum(hash[:0])
		return nil
	})
	return hash, err
}

// newNoise returns a source of bytes, the same ones each time.
func newNoise() *rand.ChaCha8 { return rand.NewChaCha8(sha256.Sum256([]byte("trigo demo"))) }
