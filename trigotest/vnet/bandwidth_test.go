package vnet_test

import (
	"context"
	"fmt"
	"io"
	"slices"
	"testing"
	"time"

	"trigo/netstream"
	"trigo/nursery"
	"trigo/trigotest/vnet"
)

// receiveEnd receives until the end of file.
func receiveEnd(ctx context.Context, s *netstream.Stream) (n int, err error) {
	p := make([]byte, 10_000)
	for {
		m, err := s.ReceiveSome(ctx, p)
		n += m
		if err == io.EOF {
			return n, nil
		}
		if err != nil {
			return n, err
		}
	}
}

// carry sends n bytes over each of some connections at once, and says how long
// that took them all.
func carry(t *testing.T, n int, way func(s, r *netstream.Stream) (from, to *netstream.Stream), pairs ...[2]*netstream.Stream) time.Duration {
	t.Helper()
	began := time.Now()
	err := nursery.Run(t.Context(), func(ctx context.Context, nur *nursery.Nursery) error {
		for i, pair := range pairs {
			from, to := way(pair[0], pair[1])
			nur.Go(func(ctx context.Context) error {
				elapse(t, time.Duration(i)) // not in the same instant
				if err := from.SendAll(ctx, make([]byte, n)); err != nil {
					return err
				}
				return from.SendEOF(ctx)
			})
			nur.Go(func(ctx context.Context) error {
				got, err := receiveEnd(ctx, to)
				if got != n {
					t.Errorf("received %d bytes of %d, %v", got, n, err)
				}
				return err
			})
		}
		return nil
	})
	wantErr(t, "it", err, nil)
	return time.Since(began)
}

func there(s, r *netstream.Stream) (from, to *netstream.Stream) { return s, r }

func TestABandwidthTakesItsTime(t *testing.T) {
	link := vnet.Link{Latency: 10 * time.Millisecond, Bandwidth: 1_000_000}
	inWorld(t, link, func(t *testing.T, w *world) {
		a, b := w.connect(t)
		if d := carry(t, 1_000_000, there, [2]*netstream.Stream{a, b}); d != 1010*time.Millisecond {
			t.Errorf("a megabyte at a megabyte a second, and the latency, took %v", d)
		}
	})
}

func TestConnectionsShareABandwidth(t *testing.T) {
	link := vnet.Link{Latency: 10 * time.Millisecond, Bandwidth: 1_000_000}
	inWorld(t, link, func(t *testing.T, w *world) {
		l := w.listen(t)
		var pairs [][2]*netstream.Stream
		for range 2 {
			a, err := netstream.DialTCP(w.atClient, serverAddress, nil)
			wantErr(t, "dial", err, nil)
			defer a.Close(t.Context())
			b, err := l.Accept(t.Context())
			wantErr(t, "accept", err, nil)
			defer b.Close(t.Context())
			pairs = append(pairs, [2]*netstream.Stream{a, b})
		}
		if d := carry(t, 500_000, there, pairs...); d < 1010*time.Millisecond || d > 1020*time.Millisecond {
			t.Errorf("two halves of a megabyte took %v", d)
		}
		turn := false
		both := func(s, r *netstream.Stream) (from, to *netstream.Stream) {
			if turn = !turn; turn {
				return s, r
			}
			return r, s
		}
		// The first pair has sent its end of file: so two new connections.
		for i := range pairs {
			pairs[i][0].Close(t.Context())
			pairs[i][1].Close(t.Context())
			a, err := netstream.DialTCP(w.atClient, serverAddress, nil)
			wantErr(t, "dial", err, nil)
			defer a.Close(t.Context())
			b, err := l.Accept(t.Context())
			wantErr(t, "accept", err, nil)
			defer b.Close(t.Context())
			pairs[i] = [2]*netstream.Stream{a, b}
		}
		if d := carry(t, 500_000, both, pairs...); d < 510*time.Millisecond || d > 520*time.Millisecond {
			t.Errorf("half a megabyte in each direction took %v", d)
		}
	})
}

func TestDatagramsQueueForABandwidth(t *testing.T) {
	inWorld(t, vnet.Link{Latency: time.Second, Bandwidth: 1000}, func(t *testing.T, w *world) {
		a, b, to := w.sockets(t)
		began := time.Now()
		var want []string
		for i := range 50 {
			text := fmt.Sprintf("%0100d", i)
			want = append(want, text)
			wantErr(t, "send", a.SendTo(t.Context(), []byte(text), to), nil)
		}
		took(t, "sending", began, 0)
		p := make([]byte, 100)
		var got []string
		for i := range want {
			n, _, err := b.ReceiveFrom(t.Context(), p)
			wantErr(t, "receive", err, nil)
			got = append(got, string(p[:n]))
			took(t, fmt.Sprint("datagram ", i), began, time.Second+time.Duration(i+1)*100*time.Millisecond)
		}
		if !slices.Equal(got, want) {
			t.Errorf("received %q", got)
		}
	})
}

func TestAHealedPartitionSendsAtItsBandwidth(t *testing.T) {
	inWorld(t, vnet.Link{Latency: time.Millisecond, Bandwidth: 10_000}, func(t *testing.T, w *world) {
		a, b := w.connect(t)
		w.Partition(w.client, w.server)
		wantErr(t, "send", a.SendAll(t.Context(), make([]byte, 50_000)), nil)
		elapse(t, time.Hour)
		w.Heal(w.client, w.server)
		began := time.Now()
		p := make([]byte, 50_000)
		for got := 0; got < len(p); {
			n, err := b.ReceiveSome(t.Context(), p)
			wantErr(t, "receive", err, nil)
			got += n
		}
		if d := time.Since(began); d < 5*time.Second || d > 5300*time.Millisecond {
			t.Errorf("50 kB at 10 kB/s took %v", d)
		}
	})
}

// Or the order in which goroutines run within an instant would be seen.
func TestWhatCarriesNoBytesPassesByTheLine(t *testing.T) {
	inWorld(t, vnet.Link{Latency: time.Second, Bandwidth: 1000}, func(t *testing.T, w *world) {
		l := w.listen(t)
		var near, far [2]*netstream.Stream
		for i := range near {
			var err error
			near[i], err = netstream.DialTCP(w.atClient, serverAddress, nil)
			wantErr(t, "dial", err, nil)
			defer near[i].Close(t.Context())
			far[i], err = l.Accept(t.Context())
			wantErr(t, "accept", err, nil)
			defer far[i].Close(t.Context())
		}
		began := time.Now()
		wantErr(t, "send", near[0].SendAll(t.Context(), make([]byte, 5000)), nil)
		wantErr(t, "SendEOF", near[0].SendEOF(t.Context()), nil)
		wantErr(t, "SendEOF", near[1].SendEOF(t.Context()), nil)
		wantReceived(t, far[1], "", io.EOF)
		took(t, "the end of the other connection", began, time.Second)
		n, err := receiveEnd(t.Context(), far[0])
		if n != 5000 || err != nil {
			t.Errorf("received %d, %v", n, err)
		}
		took(t, "the end behind the bytes", began, 6*time.Second)
	})
}
