package vnet_test

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"trigo"
	"trigo/netstream"
	"trigo/trigotest"
	"trigo/trigotest/vnet"
)

func TestMain(m *testing.M) { trigotest.Main(m) }

var bubble = &trigotest.CheckOptions{Bubble: true}

// world is two hosts on a network.
type world struct {
	*vnet.Network
	client, server *vnet.Host
	atClient       context.Context
	atServer       context.Context
}

const serverAddress = "10.0.0.2:80"

func newWorld(ctx context.Context, seed uint64, l vnet.Link) *world {
	n := vnet.New(seed)
	w := &world{Network: n, client: n.Host("client", "10.0.0.1", "fd00::1"), server: n.Host("server", "10.0.0.2", "fd00::2")}
	n.Link(w.client, w.server, l)
	w.atClient, w.atServer = w.client.Context(ctx), w.server.Context(ctx)
	return w
}

// listen listens on the server.
func (w *world) listen(t *testing.T) *netstream.Listener {
	t.Helper()
	ls, err := netstream.ListenTCP(w.atServer, serverAddress, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { trigo.CloseForcefully(ls[0]) })
	return ls[0]
}

// connect makes a connection.
func (w *world) connect(t *testing.T) (a, b *netstream.Stream) {
	t.Helper()
	a, b, err := w.pair()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { trigo.CloseForcefully(a); trigo.CloseForcefully(b) })
	return a, b
}

func (w *world) pair() (a, b *netstream.Stream, err error) {
	ls, err := netstream.ListenTCP(w.atServer, serverAddress, nil)
	if err != nil {
		return nil, nil, err
	}
	defer trigo.CloseForcefully(ls[0])
	if a, err = netstream.DialTCP(w.atClient, serverAddress, nil); err != nil {
		return nil, nil, err
	}
	b, err = ls[0].Accept(w.atServer)
	return a, b, err
}

// inWorld runs a test in a bubble with two hosts.
func inWorld(t *testing.T, l vnet.Link, test func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { test(t, newWorld(t.Context(), 1, l)) })
}

func wantErr(t *testing.T, what string, err, want error) {
	t.Helper()
	if want == nil && err != nil || !errors.Is(err, want) {
		t.Errorf("%s: got %v, want %v", what, err, want)
	}
}

func wantReceived(t *testing.T, r trigo.ReceiveStream, want string, end error) {
	t.Helper()
	var got []byte
	p := make([]byte, 100)
	for len(got) < len(want) || want == "" {
		n, err := r.ReceiveSome(t.Context(), p)
		got = append(got, p[:n]...)
		if err != nil {
			if end == nil || !errors.Is(err, end) || end == io.EOF && err != io.EOF {
				t.Errorf("received %q and %v, want %q and %v", got, err, want, end)
			}
			return
		}
	}
	if string(got) != want || end != nil && want == "" {
		t.Errorf("received %q, want %q, %v", got, want, end)
	}
}

// elapse lets time go by, in a bubble.
func elapse(t *testing.T, d time.Duration) {
	select {
	case <-time.After(d):
	case <-t.Context().Done():
	}
}

// took wants the time since began to be exactly this.
func took(t *testing.T, what string, began time.Time, want time.Duration) {
	t.Helper()
	if d := time.Since(began); d != want {
		t.Errorf("%s took %v, want %v", what, d, want)
	}
}
