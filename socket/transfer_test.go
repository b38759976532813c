//go:build linux || darwin || freebsd

package socket

import (
	"bytes"
	"context"
	"io"
	"strconv"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"trigo"
	"trigo/trigotest"
)

// Trio: test_SocketType_non_blocking_paths
func TestRecvWithDeadCtxReadsNothing(t *testing.T) {
	a, b := pair(t, stream)
	_, err := b.Send(bounded(t), []byte("12"), 0)
	ok(t, err)
	dead := deadCtx()
	_, err = a.Recv(dead, make([]byte, 2), 0)
	wantCancelled(t, dead, "Recv", err)
	buf := make([]byte, 2)
	if n, err := a.Recv(bounded(t), buf, 0); err != nil || string(buf[:n]) != "12" {
		t.Errorf("%q, %v", buf[:n], err)
	}
}

func TestRecvWaitsAndIsCancelled(t *testing.T) {
	a, b := pair(t, stream)
	wait := async(t, func() error { _, err := a.Recv(context.Background(), make([]byte, 1), 0); return err })
	untilParked(t, 1)
	_, err := b.Send(bounded(t), []byte("x"), 0)
	ok(t, err)
	ok(t, wait())

	ctx, cancel := context.WithCancel(context.Background())
	wait = async(t, func() error { _, err := a.Recv(ctx, make([]byte, 1), 0); return err })
	untilParked(t, 1)
	cancel()
	wantCancelled(t, ctx, "Recv", wait())
	_, err = b.Send(bounded(t), []byte("y"), 0)
	ok(t, err)
	buf := make([]byte, 1)
	if _, err := a.Recv(bounded(t), buf, 0); err != nil || buf[0] != 'y' {
		t.Errorf("%q, %v", buf, err)
	}
}

// A reader that is woken and finds that another took the bytes waits again.
//
// Trio: test_SocketType_non_blocking_paths, the stolen wakeup
func TestStolenWakeup(t *testing.T) {
	a, b := pair(t, stream)
	thief, err := a.Dup()
	ok(t, err)
	closeLater(t, thief)
	var wg sync.WaitGroup
	got := make(chan byte, 2)
	for _, s := range []*Socket{a, thief} {
		wg.Go(func() {
			buf := make([]byte, 1)
			if _, err := s.Recv(bounded(t), buf, 0); err == nil {
				got <- buf[0]
			}
		})
	}
	untilParked(t, 2)
	for _, c := range []string{"1", "2"} { // one byte wakes both
		_, err := b.Send(bounded(t), []byte(c), 0)
		ok(t, err)
		if g := <-got; string(g) != c {
			t.Errorf("got %q, want %q", g, c)
		}
	}
	wg.Wait()
}

// Trio: test_double_read, test_double_write
func TestSecondCallOnAHalfIsBusy(t *testing.T) {
	a, b := pair(t, stream)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	reading := async(t, func() error { _, err := a.Recv(ctx, make([]byte, 1), 0); return err })
	clog(t, a)
	writing := async(t, func() error { _, err := a.Send(ctx, make([]byte, 1<<20), 0); return err })
	untilParked(t, 2)
	p := make([]byte, 1)
	_, err := a.Recv(ctx, p, 0)
	wantIs(t, "Recv", err, trigo.ErrBusy)
	wantIs(t, "RecvMsg", a.RecvMsg(ctx, &Message{Buffers: [][]byte{p}}, 0), trigo.ErrBusy)
	wantIs(t, "WaitReadable", a.WaitReadable(ctx), trigo.ErrBusy)
	_, err = a.Send(ctx, p, 0)
	wantIs(t, "Send", err, trigo.ErrBusy)
	wantIs(t, "SendMsg", a.SendMsg(ctx, &Message{Buffers: [][]byte{p}}, 0), trigo.ErrBusy)
	wantIs(t, "WaitWritable", a.WaitWritable(ctx), trigo.ErrBusy)

	// Both wake independently. Trio: test_socket_simultaneous_read_write
	_, err = b.Send(ctx, p, 0)
	ok(t, err)
	ok(t, reading())
	untilParked(t, 1)
	big := make([]byte, 1<<20)
	for err := error(nil); err == nil; {
		_, err = b.Recv(ctx, big, msgDontWait)
	}
	ok(t, writing())
}

// Trio: test_interrupted_by_close
func TestCloseWakesReaderAndWriter(t *testing.T) {
	trigotest.LeakCheck(t)
	a, _ := pair(t, stream)
	clog(t, a)
	reading := async(t, func() error { _, err := a.Recv(context.Background(), make([]byte, 1), 0); return err })
	writing := async(t, func() error { _, err := a.Send(context.Background(), make([]byte, 1<<20), 0); return err })
	untilParked(t, 2)
	ok(t, a.Close(context.Background()))
	wantIs(t, "Recv", reading(), trigo.ErrClosed)
	wantIs(t, "Send", writing(), trigo.ErrClosed)
}

// Trio: test_socket_actual_streaming
func TestAMegabyteEachWay(t *testing.T) {
	a, b := connected(t)
	data := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	send := func(s *Socket) func() error {
		return func() error {
			for p := data; len(p) > 0; {
				n, err := s.Send(bounded(t), p, 0)
				if err != nil {
					return err
				}
				p = p[n:]
			}
			return s.Shutdown(syscall.SHUT_WR)
		}
	}
	sends := []func() error{async(t, send(a)), async(t, send(b))}
	for _, s := range []*Socket{a, b} {
		var got []byte
		buf := make([]byte, 10000)
		for {
			n, err := s.Recv(bounded(t), buf, 0)
			if err == io.EOF {
				break
			}
			ok(t, err)
			got = append(got, buf[:n]...)
		}
		if !bytes.Equal(got, data) {
			t.Errorf("received %d bytes, not those sent", len(got))
		}
	}
	for _, wait := range sends {
		ok(t, wait())
	}
}

// Trio: test_send_recv_variants
func TestFlags(t *testing.T) {
	a, b := pair(t, stream)
	ctx := bounded(t)
	_, err := a.Send(ctx, []byte("yyy"), 0)
	ok(t, err)
	buf := make([]byte, 8)
	if n, err := b.Recv(ctx, buf, unix.MSG_PEEK); n != 3 || err != nil {
		t.Error("peek:", n, err)
	}
	if n, err := b.Recv(ctx, buf, 0); n != 3 || err != nil {
		t.Error("after the peek:", n, err)
	}
	_, err = b.Recv(ctx, buf, msgDontWait)
	wantIs(t, "MSG_DONTWAIT on nothing", err, trigo.ErrWouldBlock)
	_, err = b.Recv(ctx, nil, 0)
	wantIs(t, "no room", err, io.ErrShortBuffer)
}

// Trio: test_send_recv_variants
func TestUDPSendsAndReceives(t *testing.T) {
	for _, family := range []int{inet, inet6} {
		ctx := bounded(t)
		a, aAddr := bound(t, family, dgram)
		b, bAddr := bound(t, family, dgram)
		targets := map[string]func() error{
			"SendTo":         func() error { _, err := a.SendTo(ctx, []byte("abc"), 0, bAddr); return err },
			"SendToAddrPort": func() error { _, err := a.SendToAddrPort(ctx, []byte("abc"), 0, bAddr.AddrPort); return err },
			"SendTo a host": func() error {
				_, err := a.SendTo(ctx, []byte("abc"), 0, HostAddr{Port: portText(bAddr)}) // the loopback
				return err
			},
			"SendMsg": func() error {
				return a.SendMsg(ctx, &Message{Buffers: [][]byte{[]byte("a"), nil, []byte("bc")}, Addr: bAddr}, 0)
			},
			"SendMsg AddrPort": func() error {
				return a.SendMsg(ctx, &Message{Buffers: [][]byte{[]byte("abc")}, AddrPort: bAddr.AddrPort}, 0)
			},
		}
		buf := make([]byte, 8)
		for name, send := range targets {
			ok(t, send())
			n, from, err := b.RecvFrom(ctx, buf, 0)
			if err != nil || string(buf[:n]) != "abc" || from != Addr(aAddr) {
				t.Errorf("%s: %q from %v, %v", name, buf[:n], from, err)
			}
			ok(t, send())
			n, ip, err := b.RecvFromAddrPort(ctx, buf, 0)
			if err != nil || string(buf[:n]) != "abc" || ip != aAddr.AddrPort {
				t.Errorf("%s: %q from %v, %v", name, buf[:n], ip, err)
			}
			ok(t, send())
			m := Message{Buffers: [][]byte{buf[:1], buf[1:]}}
			if err := b.RecvMsg(ctx, &m, 0); err != nil || m.N != 3 || string(buf[:3]) != "abc" || m.AddrPort != aAddr.AddrPort || m.Truncated() {
				t.Errorf("%s: %+v, %v", name, m, err)
			}
		}
	}
}

func portText(a IPAddr) string { return strconv.Itoa(int(a.Port())) }

// Trio: test_send_recv_variants, connected UDP
func TestDatagramsKeepTheirBorders(t *testing.T) {
	ctx := bounded(t)
	a, aAddr := bound(t, inet, dgram)
	b, bAddr := bound(t, inet, dgram)
	ok(t, a.Connect(ctx, bAddr))
	ok(t, b.Connect(ctx, aAddr))
	for _, s := range []string{"one", "", "three"} {
		_, err := a.Send(ctx, []byte(s), 0)
		ok(t, err)
	}
	buf := make([]byte, 2)
	if n, err := b.Recv(ctx, buf, 0); n != 2 || err != nil { // the rest is gone
		t.Error(n, err)
	}
	if n, err := b.Recv(ctx, buf, 0); n != 0 || err != nil { // an empty one is no end
		t.Error(n, err)
	}
	m := Message{Buffers: [][]byte{buf}}
	if err := b.RecvMsg(ctx, &m, 0); err != nil || m.N != 2 || !m.Truncated() {
		t.Errorf("%+v, %v", m, err)
	}
	_, err := a.Send(ctx, []byte("abcd"), 0)
	ok(t, err)
	n, from, truncated, err := b.RecvDatagram(ctx, buf)
	if n != 2 || from != aAddr.AddrPort || !truncated || err != nil {
		t.Error(n, from, truncated, err)
	}
}

// Trio: test_many_sockets
func TestManySocketsWaitAtOnce(t *testing.T) {
	trigotest.LeakCheck(t)
	const many = 1000
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil || limit.Cur < many+100 {
		t.Skipf("no room for %d descriptors", many)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var sockets []*Socket
	var waits []func() error
	for range many / 2 {
		a, b := pair(t, stream)
		for _, s := range []*Socket{a, b} {
			sockets = append(sockets, s)
			waits = append(waits, async(t, func() error { return s.WaitReadable(ctx) }))
		}
	}
	untilParked(t, many)
	const woken = 1 + many/2 // the peer of the one that sends
	_, err := sockets[woken-1].Send(bounded(t), []byte("x"), 0)
	ok(t, err)
	ok(t, waits[woken]())
	cancel()
	for i, wait := range waits {
		if i != woken {
			wantCancelled(t, ctx, "WaitReadable", wait())
		}
	}
}

// Trio: test_wait_basic
func TestWaitingForReadinessTakesNothing(t *testing.T) {
	a, b := pair(t, stream)
	ok(t, a.WaitWritable(bounded(t))) // at once
	wait := async(t, func() error { return a.WaitReadable(context.Background()) })
	untilParked(t, 1)
	_, err := b.Send(bounded(t), []byte("x"), 0)
	ok(t, err)
	ok(t, wait())
	ok(t, a.WaitReadable(bounded(t))) // still, until somebody takes it
	if n, err := a.Recv(bounded(t), make([]byte, 2), 0); n != 1 || err != nil {
		t.Error(n, err)
	}
	clog(t, a)
	ctx, cancel := context.WithCancel(context.Background())
	waits := map[string]func() error{
		"WaitReadable": async(t, func() error { return a.WaitReadable(ctx) }),
		"WaitWritable": async(t, func() error { return a.WaitWritable(ctx) }),
	}
	untilParked(t, 2)
	cancel()
	for name, wait := range waits {
		wantCancelled(t, ctx, name, wait())
	}
	dead := deadCtx()
	wantCancelled(t, dead, "WaitReadable with a dead ctx", a.WaitReadable(dead))
	wantCancelled(t, dead, "WaitWritable with a dead ctx", b.WaitWritable(dead))
}

func TestUDPAllocatesNothing(t *testing.T) {
	if testing.CoverMode() != "" {
		t.Skip("coverage allocates")
	}
	if raceEnabled {
		t.Skip("the pools lose things on purpose under the race detector")
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	a, _ := bound(t, inet, dgram)
	b, bAddr := bound(t, inet, dgram)
	p := make([]byte, 64)
	out := []Message{{Buffers: [][]byte{p}, AddrPort: bAddr.AddrPort}, {Buffers: [][]byte{p}, AddrPort: bAddr.AddrPort}}
	in := []Message{{Buffers: [][]byte{p}}, {Buffers: [][]byte{p}}}
	n := testing.AllocsPerRun(100, func() {
		if _, err := a.SendToAddrPort(ctx, p, 0, bAddr.AddrPort); err != nil {
			t.Fatal(err)
		}
		if _, _, err := b.RecvFromAddrPort(ctx, p, 0); err != nil {
			t.Fatal(err)
		}
		if _, err := a.SendBatch(ctx, out, 0); err != nil {
			t.Fatal(err)
		}
		for got := 0; got < 2; {
			n, err := b.RecvBatch(ctx, in[got:], 0)
			if err != nil {
				t.Fatal(err)
			}
			got += n
		}
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}
