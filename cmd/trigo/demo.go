package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"time"

	"trigo"
	"trigo/netstream"
	"trigo/nursery"
	"trigo/proxy"
	"trigo/relay"
	"trigo/signals"
	"trigo/tlsstream"
	"trigo/tlsstream/devcert"
)

// runDemo pushes data through TLS, within a connection that an HTTP proxy has
// made, within TLS to that proxy, to an echo service and back, and checks every
// byte. All of it runs in this process, over TCP on loopback.
func runDemo(o *options, out *console) error {
	if err := o.takes(0, 0, "demo [--size 64M]"); err != nil {
		return err
	}
	return signals.Shutdown(context.Background(), func(ctx context.Context) error {
		d := demonstration{options: o}
		began := time.Now()
		err := withMeter(ctx, out, meterStyle(o.progress, false), &d.counters, d.run)
		if f := relaying(err); f != nil {
			return f
		}
		_, err = fmt.Printf(`client
%sproxy, for the tunnel
  a->b  %s
  b->a  %s
sha256 %x
ok: %s came back in %s, every byte as it was sent
`, d.tree, demoLine(d.report.AToB), demoLine(d.report.BToA), d.hash, human(int(o.size)), brief(time.Since(began)))
		return err
	})
}

func demoLine(d relay.Direction) string {
	return fmt.Sprintf("%-9s %v  %s/s  end: %v", human(d.Bytes), brief(d.Duration),
		human(float64(d.Bytes)/max(d.Duration, 1).Seconds()), d.End)
}

const demoSite, demoProxy = "site.example", "proxy.example"

// demonstration is one run of the demo.
type demonstration struct {
	*options
	ca       *devcert.Authority
	counters relay.Counters

	site   string        // where it listens: the proxy knows the name
	tunnel chan struct{} // closed when the proxy has closed the tunnel
	report relay.Report  // of the tunnel

	tree string // the layers of the client's stream
	hash [sha256.Size]byte
}

func (d *demonstration) run(ctx context.Context) (err error) {
	if d.ca, err = devcert.NewAuthority(); err != nil {
		return err
	}
	d.tunnel = make(chan struct{})
	return nursery.Run(ctx, func(ctx context.Context, n *nursery.Nursery) error {
		if d.site, err = d.serve(ctx, n, demoSite, echoAll); err != nil {
			return err
		}
		proxyAddress, err := d.serve(ctx, n, demoProxy, d.forward)
		if err != nil {
			return err
		}
		if err := d.pushThrough(ctx, proxyAddress); err != nil {
			return err
		}
		select {
		case <-d.tunnel:
		case <-ctx.Done():
			return trigo.CancelError(ctx)
		}
		n.Cancel(nil) // the servers
		return nil
	})
}

// serve serves TLS on a free port until the nursery ends, and returns its
// address.
func (d *demonstration) serve(ctx context.Context, n *nursery.Nursery, name string, handler func(context.Context, *tlsstream.Stream) error) (string, error) {
	leaf, err := d.ca.Leaf(nil, name)
	if err != nil {
		return "", err
	}
	config := &tls.Config{Certificates: []tls.Certificate{leaf}}
	return nursery.Start(ctx, n, func(ctx context.Context, started func(string)) error {
		return tlsstream.ServeTCP(ctx, "127.0.0.1:0", config, handler, &tlsstream.ServeTCPOptions{
			Ready: func(ls []*tlsstream.Listener) {
				l, _ := trigo.As[*netstream.Listener](ls[0])
				started(l.Addr().String())
			},
		})
	})
}

// forward is the proxy.
func (d *demonstration) forward(ctx context.Context, client *tlsstream.Stream) error {
	defer close(d.tunnel)
	request, err := proxy.AcceptConnect(ctx, client)
	if err != nil {
		return err
	}
	if request.Target != demoSite+":443" {
		return request.Refuse(ctx, 403)
	}
	site, err := netstream.DialTCP(ctx, d.site, nil)
	if err != nil {
		return request.Refuse(ctx, 502)
	}
	if err := request.Accept(ctx); err != nil {
		return err
	}
	d.report, err = relay.Run(ctx, client, site, d.options.relay(&d.counters))
	return err
}

// pushThrough is the client: TLS to the proxy, a tunnel, TLS to the site.
func (d *demonstration) pushThrough(ctx context.Context, address string) error {
	outer, err := tlsstream.DialTCP(ctx, address, d.config(demoProxy), nil)
	if err != nil {
		return err
	}
	defer trigo.CloseForcefully(outer)
	if err := proxy.Connect(ctx, outer, demoSite+":443", nil); err != nil {
		return err
	}
	inner := tlsstream.Client(outer, d.config(demoSite), nil)
	if err := inner.Handshake(ctx); err != nil {
		return err
	}
	indent := "  "
	for layer := range trigo.Layers(inner) {
		if text, ok := layer.(fmt.Stringer); ok {
			d.tree += indent + firstLayer(text.String()) + "\n"
			indent += "  "
		}
	}
	if d.hash, err = pushAndCheck(ctx, inner, int(d.size)); err != nil {
		return err
	}
	return inner.Close(ctx)
}

func (d *demonstration) config(name string) *tls.Config {
	return &tls.Config{RootCAs: d.ca.Pool(), ServerName: name}
}

// firstLayer leaves those below out, which follow in a line of their own.
func firstLayer(name string) string {
	first, _, _ := strings.Cut(name, " over ")
	return first
}

// echoAll sends back what it receives, and then the end.
func echoAll(ctx context.Context, s *tlsstream.Stream) error {
	for chunk, err := range trigo.Chunks(ctx, s) {
		if err == nil {
			err = s.SendAll(ctx, chunk)
		}
		if err != nil {
			return err
		}
	}
	return s.Close(ctx)
}

// pushAndCheck sends size bytes of noise, compares what comes back with them, and
// returns its hash.
func pushAndCheck(ctx context.Context, s trigo.HalfCloseableStream, size int) (hash [sha256.Size]byte, err error) {
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
