package vnet_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"trigo"
	"trigo/netstream"
	"trigo/trigotest/vnet"
)

// sockets opens a UDP socket on each host.
func (w *world) sockets(t *testing.T) (a, b *netstream.UDP, to netip.AddrPort) {
	t.Helper()
	a, err := netstream.ListenUDP(w.atClient, "10.0.0.1:0")
	wantErr(t, "client", err, nil)
	b, err = netstream.ListenUDP(w.atServer, ":53")
	wantErr(t, "server", err, nil)
	t.Cleanup(func() { a.Close(t.Context()); b.Close(t.Context()) })
	return a, b, netip.MustParseAddrPort("10.0.0.2:53")
}

// receiveAll receives until nothing came for a minute.
func receiveAll(t *testing.T, s *netstream.UDP) (got []string) {
	t.Helper()
	for {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		p := make([]byte, 100)
		n, _, err := s.ReceiveFrom(ctx, p)
		cancel()
		if err != nil {
			wantErr(t, "receive", err, context.DeadlineExceeded)
			return got
		}
		got = append(got, string(p[:n]))
	}
}

func TestDatagramsKeepTheirBoundsAndTheirSender(t *testing.T) {
	inWorld(t, vnet.Link{Latency: time.Second}, func(t *testing.T, w *world) {
		a, b, to := w.sockets(t)
		began := time.Now()
		for _, text := range []string{"one", "", "three"} {
			wantErr(t, "send", a.SendTo(t.Context(), []byte(text), to), nil)
		}
		for _, want := range []string{"one", "", "th"} {
			p := make([]byte, 100)
			var wantErr error
			if want == "th" {
				p, wantErr = p[:2], io.ErrShortBuffer // the rest is lost
			}
			n, from, err := b.ReceiveFrom(t.Context(), p)
			if !errors.Is(err, wantErr) || string(p[:n]) != want || from.String() != "10.0.0.1:49152" {
				t.Errorf("received %q from %v, %v; want %q", p[:n], from, err, want)
			}
		}
		took(t, "it", began, time.Second)
	})
}

func TestLossDuplicationAndReordering(t *testing.T) {
	const n = 200
	run := func(seed uint64, l vnet.Link) (got []string, counts vnet.Counts) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t.Context(), seed, l)
			a, b, to := w.sockets(t)
			for i := range n {
				wantErr(t, "send", a.SendTo(t.Context(), fmt.Appendf(nil, "%03d", i), to), nil)
				elapse(t, time.Millisecond)
			}
			got = receiveAll(t, b)
			counts = w.Counts()
		})
		return got, counts
	}
	lat := 10 * time.Millisecond
	got, c := run(1, vnet.Link{Latency: lat, Loss: 0.25})
	if len(got)+c.Lost != n || c.Lost < 20 || c.Lost > 80 || !slices.IsSorted(got) {
		t.Errorf("loss: %d of %d received, %+v", len(got), n, c)
	}
	got, c = run(1, vnet.Link{Latency: lat, Duplicate: 0.25})
	if len(got) != n+c.Duplicated || c.Duplicated < 20 || len(slices.Compact(slices.Clone(got))) != n {
		t.Errorf("duplication: %d of %d received, %+v", len(got), n, c)
	}
	got, c = run(1, vnet.Link{Latency: lat, Reorder: 0.25})
	if len(got) != n || c.Reordered < 20 || slices.IsSorted(got) {
		t.Errorf("reordering: %d of %d received, sorted: %v, %+v", len(got), n, slices.IsSorted(got), c)
	}
	all := vnet.Link{Latency: lat, Jitter: lat, Loss: 0.1, Duplicate: 0.1, Reorder: 0.1}
	one, _ := run(1, all)
	same, _ := run(1, all)
	other, _ := run(2, all)
	if !slices.Equal(one, same) || slices.Equal(one, other) {
		t.Error("the fate of the datagrams is not that of the seed")
	}
}

func TestAPartitionLosesDatagrams(t *testing.T) {
	inWorld(t, vnet.Link{Latency: 10 * time.Millisecond}, func(t *testing.T, w *world) {
		a, b, to := w.sockets(t)
		send := func(text string) { wantErr(t, "send", a.SendTo(t.Context(), []byte(text), to), nil) }
		send("arrived")
		elapse(t, 10*time.Millisecond)
		send("under way")
		w.Partition(w.client, w.server)
		send("too late")
		w.Heal(w.client, w.server)
		send("after")
		if got := receiveAll(t, b); !slices.Equal(got, []string{"arrived", "after"}) {
			t.Errorf("received %q", got)
		}
		if c := w.Counts(); c.Parted != 2 {
			t.Errorf("counts: %+v", c)
		}
	})
}

func TestTheEndsOfAUDPSocket(t *testing.T) {
	inWorld(t, vnet.Link{}, func(t *testing.T, w *world) {
		a, b, to := w.sockets(t)
		_, err := netstream.ListenUDP(w.atServer, "0.0.0.0:53")
		wantErr(t, "a port that is taken", err, syscall.EADDRINUSE)
		wantErr(t, "too long", a.SendTo(t.Context(), make([]byte, 70_000), to), syscall.EMSGSIZE)
		wantErr(t, "to nobody", a.SendTo(t.Context(), []byte("x"), netip.MustParseAddrPort("10.0.0.2:54")), nil)

		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { _, _, err := b.ReceiveFrom(ctx, make([]byte, 1)); done <- err }()
		synctest.Wait()
		_, _, err = b.ReceiveFrom(t.Context(), make([]byte, 1))
		wantErr(t, "a second receiver", err, trigo.ErrBusy)
		cancel()
		wantErr(t, "the cancelled receiver", <-done, context.Canceled)
		wantErr(t, "send under a dead ctx", a.SendTo(ctx, []byte("x"), to), context.Canceled)

		go func() { _, _, err := b.ReceiveFrom(t.Context(), make([]byte, 1)); done <- err }()
		synctest.Wait()
		for range 2 {
			wantErr(t, "close", b.Close(t.Context()), nil)
		}
		wantErr(t, "the receiver", <-done, trigo.ErrClosed)
		wantErr(t, "send on a closed socket", b.SendTo(t.Context(), nil, to), trigo.ErrClosed)
	})
}

func TestAProgramOnUDPRunsUnchanged(t *testing.T) {
	inWorld(t, vnet.Link{Latency: 10 * time.Millisecond}, func(t *testing.T, w *world) {
		w.Name("dns.test", "fd00::2", "10.0.0.2")
		server, err := netstream.ListenUDP(w.atServer, ":53") // both families
		wantErr(t, "listen", err, nil)
		defer server.Close(t.Context())
		for _, name := range []string{"dns.test:53", "10.0.0.2:53"} {
			began := time.Now()
			client, err := netstream.DialUDP(w.atClient, name)
			wantErr(t, "dial", err, nil)
			wantErr(t, "question", client.Send(t.Context(), []byte("who")), nil)
			p := make([]byte, 10)
			n, from, err := server.ReceiveFrom(t.Context(), p)
			if string(p[:n]) != "who" || from != client.LocalAddr() {
				t.Errorf("received %q from %v, %v; the client is %v", p[:n], from, err, client.LocalAddr())
			}
			wantErr(t, "answer", server.SendTo(t.Context(), []byte("me"), from), nil)
			if n, err = client.Receive(t.Context(), p); string(p[:n]) != "me" {
				t.Errorf("received %q, %v", p[:n], err)
			}
			took(t, "question and answer", began, 20*time.Millisecond)
			client.Close(t.Context())
		}
	})
}
