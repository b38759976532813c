package tlsstream

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"testing"
	"time"

	"trigo"
	"trigo/netstream"
	"trigo/nursery"
	"trigo/tlsstream/devcert"
	"trigo/trigotest"
)

const testName = "trigo-test-1.example.org"

// identity is what all tests share: an authority, and a server that it vouches
// for.
var identity = sync.OnceValue(func() (id struct {
	ca   *devcert.Authority
	leaf tls.Certificate
	time time.Time
}) {
	var err error
	id.time = time.Now()
	if id.ca, err = devcert.NewAuthority(); err != nil {
		panic(err)
	}
	if id.leaf, err = id.ca.Leaf(nil, testName); err != nil {
		panic(err)
	}
	return id
})

// now is the time of the certificates: in a bubble the clock says 2000.
func now() time.Time { return identity().time }

func serverConfig() *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{identity().leaf}, Time: now}
}

func clientConfig13() *tls.Config {
	return &tls.Config{RootCAs: identity().ca.Pool(), ServerName: testName, Time: now}
}

func clientConfig12() *tls.Config {
	c := clientConfig13()
	c.MaxVersion = tls.VersionTLS12
	return c
}

// eachVersion runs f with a client that speaks TLS 1.3 and with one that does
// not.
func eachVersion(t *testing.T, f func(t *testing.T, client *tls.Config)) {
	t.Run("1.2", func(t *testing.T) { f(t, clientConfig12()) })
	t.Run("1.3", func(t *testing.T) { f(t, clientConfig13()) })
}

// eachMode runs f with and without HTTPSCompatible.
func eachMode(t *testing.T, f func(t *testing.T, opts *Options)) {
	t.Run("strict", func(t *testing.T) { f(t, nil) })
	t.Run("https", func(t *testing.T) { f(t, &Options{HTTPSCompatible: true}) })
}

type transportMaker = func(ctx context.Context) (a, b trigo.Stream, err error)

func memoryTransport(context.Context) (a, b trigo.Stream, err error) {
	a, b = trigotest.NewMemoryPair()
	return a, b, nil
}

func lockstepTransport(context.Context) (a, b trigo.Stream, err error) {
	a, b = trigotest.NewLockstepPair()
	return a, b, nil
}

func tcpTransport(ctx context.Context) (a, b trigo.Stream, err error) {
	ls, err := netstream.ListenTCP(ctx, "127.0.0.1:0", nil)
	if err != nil {
		return nil, nil, err
	}
	defer trigo.CloseForcefully(ls[0])
	x, err := netstream.DialTCP(ctx, ls[0].Addr().String(), nil)
	if err != nil {
		return nil, nil, err
	}
	y, err := ls[0].Accept(ctx)
	if err != nil {
		return nil, nil, err
	}
	return x, y, nil
}

func unixTransport(dir string) transportMaker {
	n := 0
	return func(ctx context.Context) (a, b trigo.Stream, err error) {
		n++
		path := fmt.Sprintf("%s/%d", dir, n)
		l, err := netstream.ListenUnix(ctx, path, nil)
		if err != nil {
			return nil, nil, err
		}
		defer trigo.CloseForcefully(l)
		x, err := netstream.DialUnix(ctx, path)
		if err != nil {
			return nil, nil, err
		}
		y, err := l.Accept(ctx)
		if err != nil {
			return nil, nil, err
		}
		return x, y, nil
	}
}

// shakenPair puts TLS on what maker makes and does the handshake.
func shakenPair(ctx context.Context, maker transportMaker, config *tls.Config, opts *Options) (client, server *Stream, err error) {
	a, b, err := maker(ctx)
	if err != nil {
		return nil, nil, err
	}
	client, server = Client(a, config, opts), Server(b, serverConfig(), opts)
	return client, server, shakeBoth(ctx, client, server)
}

func shakeBoth(ctx context.Context, client, server *Stream) error {
	return nursery.Run(ctx, func(ctx context.Context, n *nursery.Nursery) error {
		n.Go(server.Handshake)
		return client.Handshake(ctx)
	})
}

// both runs a and b at the same time, waits for both, and returns their errors.
func both(a, b func() error) (errA, errB error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		errB = b()
	}()
	errA = a()
	<-done
	return errA, errB
}

// pair is shakenPair for a test that closes both ends.
func pair(t *testing.T, maker transportMaker, config *tls.Config, opts *Options) (client, server *Stream) {
	t.Helper()
	client, server, err := shakenPair(t.Context(), maker, config, opts)
	if client != nil {
		t.Cleanup(func() { client.Abort(); server.Abort() })
	}
	if err != nil {
		t.Fatal(err)
	}
	return client, server
}

// unshaken is pair without the handshake.
func unshaken(t *testing.T, maker transportMaker, config *tls.Config, opts *Options) (client, server *Stream) {
	t.Helper()
	a, b, err := maker(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	client, server = Client(a, config, opts), Server(b, serverConfig(), opts)
	t.Cleanup(func() { client.Abort(); server.Abort() })
	return client, server
}

// receiveAll receives until the end.
func receiveAll(ctx context.Context, s trigo.ReceiveStream) (string, error) {
	var all []byte
	for chunk, err := range trigo.Chunks(ctx, s) {
		if err != nil {
			return string(all), err
		}
		all = append(all, chunk...)
	}
	return string(all), nil
}

// receiveString receives exactly len(want) bytes, which must be want.
func receiveString(t *testing.T, s trigo.ReceiveStream, want string) {
	t.Helper()
	got := make([]byte, len(want))
	for n := 0; n < len(got); {
		m, err := s.ReceiveSome(t.Context(), got[n:])
		if err != nil {
			t.Fatalf("after %q: %v, want %q", got[:n], err, want)
		}
		n += m
	}
	if string(got) != want {
		t.Fatalf("received %q, want %q", got, want)
	}
}

func sendString(t *testing.T, s trigo.SendStream, text string) {
	t.Helper()
	if err := s.SendAll(t.Context(), []byte(text)); err != nil {
		t.Fatal(err)
	}
}

func receiveError(ctx context.Context, s trigo.ReceiveStream) error {
	_, err := s.ReceiveSome(ctx, make([]byte, 1))
	return err
}

// wantIs wants err to be of all the kinds; a nil kind wants success.
func wantIs(t *testing.T, what string, err error, kinds ...error) {
	t.Helper()
	for _, kind := range kinds {
		if !errors.Is(err, kind) {
			t.Errorf("%s: %v, want %v", what, err, kind)
		}
	}
	if err != io.EOF && errors.Is(err, io.EOF) {
		t.Errorf("%s: wrapped io.EOF: %v", what, err)
	}
}

func mustClose(t *testing.T, s trigo.Resource) {
	t.Helper()
	if err := s.Close(t.Context()); err != nil {
		t.Errorf("close: %v", err)
	}
}

func socketDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "t")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}
