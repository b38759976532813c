package docs

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"syscall"
	"testing"

	"trigo"
	"trigo/channel"
	"trigo/file"
	"trigo/netstream"
	"trigo/nursery"
	"trigo/tlsstream"
	"trigo/tlsstream/devcert"
	"trigo/trigotest"
)

// What the examples of the page from-trio.md take for granted.

// TestMain runs the tests, or is the program that they start.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == "tls-echo" {
		check(echoOverTLS(context.Background()))
		return
	}
	trigotest.Main(m)
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

// cancelled is a ctx that is dead.
func cancelled() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

// echo sends back what it receives, and ends when its peer does.
func echo[S trigo.Stream](ctx context.Context, s S) error {
	for chunk, err := range trigo.Chunks(ctx, s) {
		if err != nil {
			return err
		}
		if err := s.SendAll(ctx, chunk); err != nil {
			return err
		}
	}
	return s.Close(ctx)
}

// receive returns what comes next.
func receive(ctx context.Context, s trigo.ReceiveStream) string {
	p := make([]byte, 100)
	n, err := s.ReceiveSome(ctx, p)
	check(err)
	return string(p[:n])
}

// withTCP calls f with the two ends of a TCP connection.
func withTCP(f func(ctx context.Context, a, b *netstream.Stream) error) {
	ctx := context.Background()
	listeners, err := netstream.ListenTCP(ctx, "127.0.0.1:0", nil)
	check(err)
	a, err := netstream.DialTCP(ctx, listeners[0].Addr().String(), nil)
	check(err)
	b, err := listeners[0].Accept(ctx)
	check(err)
	check(errors.Join(f(ctx, a, b), listeners[0].Close(ctx), a.Close(ctx), b.Close(ctx)))
}

// withDir calls f with the path of a new directory, which is gone afterwards.
func withDir(f func(ctx context.Context, dir file.Path) error) {
	check(file.TempDir(context.Background(), "", "from-trio", f))
}

// certificates are those of a server by the name of localhost, and of a client
// that trusts it.
func certificates() (server, client *tls.Config) {
	ca, err := devcert.NewAuthority()
	check(err)
	leaf, err := ca.Leaf(nil, "localhost")
	check(err)
	server = &tls.Config{Certificates: []tls.Certificate{leaf}}
	client = &tls.Config{RootCAs: ca.Pool(), ServerName: "localhost"}
	return server, client
}

// echoOverTLS is a program that speaks TLS on its standard input and output.
func echoOverTLS(ctx context.Context) error {
	stdio, err := file.Stdio(ctx)
	if err != nil {
		return err
	}
	config, _ := certificates()
	return echo(ctx, tlsstream.Server(stdio, config, nil))
}

// A busyListener is a listener that lacks descriptors the first time.
type busyListener struct {
	*netstream.Listener
	failed bool
}

func (l *busyListener) Accept(ctx context.Context) (*netstream.Stream, error) {
	if !l.failed {
		l.failed = true
		return nil, syscall.EMFILE
	}
	return l.Listener.Accept(ctx)
}

// inNursery opens a nursery and calls f in it.
func inNursery(f func(ctx context.Context, n *nursery.Nursery) error) {
	if err := nursery.Run(context.Background(), f); err != nil {
		fmt.Println(err)
	}
}

// A twoWay is a trigo.Channel, made of the ends of two.
type twoWay struct {
	*channel.Sender[string]
	from *channel.Receiver[string]
}

func (c twoWay) Receive(ctx context.Context) (string, error) { return c.from.Receive(ctx) }

func (c twoWay) Close(ctx context.Context) error {
	return errors.Join(c.Sender.Close(ctx), c.from.Close(ctx))
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func must[T any](v T, err error) T {
	check(err)
	return v
}
