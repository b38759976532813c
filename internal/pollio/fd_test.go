package pollio

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"trigo"
)

func TestCloseWakesWaiters(t *testing.T) {
	a, b := pair(t)
	one := make([]byte, 1)
	reading, writing := watch(bounded(t)), watch(bounded(t))
	read := async(t, func() error { _, err := a.Read(reading, one); return err })
	write := async(t, func() error { _, err := a.Write(writing, make([]byte, 64<<20)); return err })
	untilParked(t, &reading.registered)
	untilParked(t, &writing.registered)
	a.Close()
	for name, wait := range map[string]func() error{"read": read, "write": write} {
		if err := wait(); !errors.Is(err, trigo.ErrClosed) {
			t.Errorf("%s: got %v, want ErrClosed", name, err)
		}
	}
	for name, w := range map[string]*watched{"read": reading, "write": writing} {
		if r, s := w.registered.Load(), w.stopped.Load(); r != s {
			t.Errorf("%s: %d registrations, %d dropped", name, r, s)
		}
	}
	if _, err := a.Read(bounded(t), one); !errors.Is(err, trigo.ErrClosed) {
		t.Errorf("read after Close: %v, want ErrClosed", err)
	}
	if err := a.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
	b.Close()
}

// fill writes until the kernel takes no more.
func fill(t *testing.T, fd *FD) (n int) {
	t.Helper()
	chunk := make([]byte, 64<<10)
	for {
		ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
		m, err := fd.Write(ctx, chunk)
		cancel()
		n += m
		if errors.Is(err, context.DeadlineExceeded) {
			return n
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestCancelledWriteReportsWhatWasSent(t *testing.T) {
	a, b := pair(t)
	data := bytes.Repeat([]byte("0123456789abcdef"), 1<<20)
	ctx, cancel := context.WithCancel(context.Background())
	w := watch(ctx)
	var n int
	wait := async(t, func() (err error) { n, err = a.Write(w, data); return err })
	untilParked(t, &w.registered)
	cancel()
	if err := wait(); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	if n == 0 || n == len(data) {
		t.Fatalf("%d bytes sent; the test tests nothing", n)
	}
	// The rest sent now joins up without a gap.
	rest := async(t, func() error {
		_, err := a.Write(bounded(t), data[n:])
		a.Close()
		return err
	})
	var got bytes.Buffer
	buf := make([]byte, 1<<20)
	for {
		m, err := b.Read(bounded(t), buf)
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		got.Write(buf[:m])
	}
	if err := rest(); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), data) {
		t.Fatalf("received %d bytes that differ from the %d sent", got.Len(), len(data))
	}
}

func TestWriteNoticesCancelWithoutWaiting(t *testing.T) {
	a, b := pair(t)
	ctx, cancel := context.WithCancel(context.Background())
	var received atomic.Int64
	reader := async(t, func() error {
		buf := make([]byte, 1<<20)
		for {
			n, err := b.Read(bounded(t), buf)
			if err != nil {
				return err
			}
			if received.Add(int64(n)) > 8<<20 {
				cancel()
			}
		}
	})
	n, err := a.Write(ctx, make([]byte, 1<<30))
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v after %d bytes", err, n)
	}
	a.Close()
	if err := reader(); err != io.EOF {
		t.Fatal(err)
	}
	if int64(n) != received.Load() {
		t.Errorf("%d bytes reported, %d received", n, received.Load())
	}
}

// WriteNow takes what there is room for and leaves the rest, whatever has become of
// the ctx of an earlier call, and nobody who waits is disturbed.
func TestWriteNowNeverWaits(t *testing.T) {
	a, b := pair(t)
	p := make([]byte, 1<<20)
	sent := 0
	for n := 1; n > 0; sent += n {
		var err error
		if n, err = a.WriteNow(p); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	watched := watch(ctx)
	write := async(t, func() error { _, err := a.Write(watched, p); return err })
	untilParked(t, &watched.registered)
	if n, err := a.WriteNow(p); n != 0 || !errors.Is(err, trigo.ErrBusy) {
		t.Errorf("beside a Write: %d bytes, %v, want ErrBusy", n, err)
	}
	cancel()
	if err := write(); !errors.Is(err, context.Canceled) {
		t.Errorf("the Write: %v, want Canceled", err)
	}
	if n, err := a.WriteNow(p); n != 0 || err != nil {
		t.Errorf("after the end of an earlier ctx: %d bytes, %v, want none", n, err)
	}
	read := async(t, func() error {
		for left := sent; left > 0; {
			n, err := b.Read(bounded(t), p[:min(left, len(p))])
			if err != nil {
				return err
			}
			left -= n
		}
		return nil
	})
	if err := read(); err != nil {
		t.Fatal(err)
	}
	if err := a.WaitWrite(bounded(t)); err != nil {
		t.Fatal(err)
	}
	if n, err := a.WriteNow(p); n == 0 || err != nil {
		t.Errorf("into an empty buffer: %d bytes, %v", n, err)
	}
	a.Close()
	if _, err := a.WriteNow(p); !errors.Is(err, trigo.ErrClosed) {
		t.Errorf("after Close: %v, want ErrClosed", err)
	}
}

// A registration that was kept for the next call, and has fired before that came, is
// nothing to a WriteNow but the end of that registration.
func TestWriteNowAfterAKeptRegistrationFired(t *testing.T) {
	a, b := pair(t)
	ctx, cancel := context.WithCancel(t.Context())
	a.w.register(ctx)
	cancel()
	for a.w.alarm.Load() != rung {
		runtime.Gosched()
	}
	sent := 0
	for i := range 2 {
		n, err := a.WriteNow([]byte("hello"))
		if err != nil {
			t.Fatalf("call %d: %v", i, err)
		}
		sent += n
	}
	if sent < 5 {
		t.Fatalf("two calls wrote %d bytes, want 5 at least", sent)
	}
	buf := make([]byte, 5)
	if n, err := b.Read(bounded(t), buf); err != nil || string(buf[:n]) != "hello" {
		t.Errorf("the peer got %q, %v", buf[:n], err)
	}
}

func TestSecondCallerGetsBusy(t *testing.T) {
	a, b := pair(t)
	ctx, cancel := context.WithCancel(context.Background())
	w := watch(ctx)
	first := async(t, func() error { _, err := a.Read(w, make([]byte, 1)); return err })
	untilParked(t, &w.registered)
	if _, err := a.Read(bounded(t), make([]byte, 1)); !errors.Is(err, trigo.ErrBusy) {
		t.Errorf("second Read: %v, want ErrBusy", err)
	}
	if err := a.WaitRead(bounded(t)); !errors.Is(err, trigo.ErrBusy) {
		t.Errorf("WaitRead beside Read: %v, want ErrBusy", err)
	}
	if _, err := a.Write(bounded(t), []byte("x")); err != nil {
		t.Errorf("Write beside Read: %v", err)
	}
	if _, err := b.Write(bounded(t), []byte("x")); err != nil {
		t.Fatal(err)
	}
	if err := first(); err != nil {
		t.Errorf("the first caller was disturbed: %v", err)
	}
	cancel()
}

// A connection that was hijacked from a server of package net mostly has one.
func TestDeadlinesOfBeforeAreForgotten(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.(*net.TCPListener).SetDeadline(past)
	listener := NewListener(l.(*net.TCPListener))
	defer listener.Close()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	c.SetDeadline(past)
	a := mustNew(t, c.(*net.TCPConn))
	s, err := listener.Accept(bounded(t))
	if err != nil {
		t.Fatal(err)
	}
	b := mustNew(t, s.(*net.TCPConn))
	buf := make([]byte, 10)
	for from, to := range map[*FD]*FD{a: b, b: a} {
		if _, err := from.Write(bounded(t), []byte("hello")); err != nil {
			t.Errorf("Write: %v", err)
			continue
		}
		if n, err := to.Read(bounded(t), buf); string(buf[:n]) != "hello" {
			t.Errorf("read %q, %v", buf[:n], err)
		}
	}
}

func TestCloseDuringHoldWrite(t *testing.T) {
	a, _ := pair(t)
	err := a.HoldWrite(t.Context(), func() error {
		a.Close()
		return a.Source().(*net.TCPConn).CloseWrite()
	})
	if !errors.Is(err, trigo.ErrClosed) {
		t.Errorf("HoldWrite: %v", err)
	}
}

func TestWaitWrite(t *testing.T) {
	a, b := pair(t)
	if err := a.WaitWrite(bounded(t)); err != nil {
		t.Fatalf("on an empty socket: %v", err)
	}
	fill(t, a)
	w := watch(bounded(t))
	wait := async(t, func() error { return a.WaitWrite(w) })
	untilParked(t, &w.registered)
	buf := make([]byte, 1<<20)
	stop := make(chan struct{})
	drain := async(t, func() error {
		for {
			select {
			case <-stop:
				return nil
			default:
			}
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
			_, err := b.Read(ctx, buf)
			cancel()
			if err != nil && !errors.Is(err, context.DeadlineExceeded) {
				return err
			}
		}
	})
	if err := wait(); err != nil {
		t.Fatal(err)
	}
	close(stop)
	if err := drain(); err != nil {
		t.Fatal(err)
	}
}

func TestRegularFileCannotBePolled(t *testing.T) {
	f, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := New(f); !errors.Is(err, os.ErrNoDeadline) {
		t.Fatalf("got %v, want os.ErrNoDeadline", err)
	}
}

func TestPipe(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	rfd, wfd := mustNew(t, r), mustNew(t, w)
	ctx, cancel := context.WithCancel(context.Background())
	wc := watch(ctx)
	wait := async(t, func() error { _, err := rfd.Read(wc, make([]byte, 1)); return err })
	untilParked(t, &wc.registered)
	cancel()
	if err := wait(); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	wait = async(t, func() error { _, err := rfd.Read(bounded(t), make([]byte, 1)); return err })
	if _, err := wfd.Write(bounded(t), []byte("x")); err != nil {
		t.Fatal(err)
	}
	if err := wait(); err != nil {
		t.Fatal(err)
	}
	wfd.Close()
	if _, err := rfd.Read(bounded(t), make([]byte, 1)); err != io.EOF {
		t.Fatal(err)
	}
}

func TestListener(t *testing.T) {
	nl, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := NewListener(nl.(*net.TCPListener))
	ctx, cancel := context.WithCancel(context.Background())
	w := watch(ctx)
	wait := async(t, func() error { _, err := l.Accept(w); return err })
	untilParked(t, &w.registered)
	if _, err := l.Accept(bounded(t)); !errors.Is(err, trigo.ErrBusy) {
		t.Errorf("second Accept: %v, want ErrBusy", err)
	}
	cancel()
	if err := wait(); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	c, err := net.Dial("tcp", nl.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	s, err := l.Accept(bounded(t))
	if err != nil {
		t.Fatalf("after a cancelled Accept: %v", err)
	}
	s.Close()
	w2 := watch(bounded(t))
	wait = async(t, func() error { _, err := l.Accept(w2); return err })
	untilParked(t, &w2.registered)
	l.Close()
	if err := wait(); !errors.Is(err, trigo.ErrClosed) {
		t.Fatalf("Accept during Close: %v", err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestAllocations pins what a call costs, in memory: nothing, whether it waits
// or not, as long as the ctx stays.
func TestAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the pools lose things on purpose under the race detector")
	}
	a, b := pair(t)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	msg := make([]byte, 64)
	go func() { // echo
		buf := make([]byte, 64)
		for {
			n, err := b.Read(ctx, buf)
			if err != nil {
				return
			}
			if _, err := b.Write(ctx, buf[:n]); err != nil {
				return
			}
		}
	}()
	roundTrip := func() {
		if _, err := a.Write(ctx, msg); err != nil {
			t.Fatal(err)
		}
		for n := 0; n < len(msg); {
			m, err := a.Read(ctx, msg)
			if err != nil {
				t.Fatal(err)
			}
			n += m
		}
	}
	roundTrip() // the first two make the registration
	roundTrip()
	if n := testing.AllocsPerRun(1000, roundTrip); n != 0 {
		t.Errorf("%v allocations in a round trip, want 0", n)
	}
	a.Close()
}
