package netstream

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"trigo"
)

// patience bounds every wait for something that must happen.
const patience = 10 * time.Second

func bounded(tb testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	tb.Cleanup(cancel)
	return ctx
}

// receiveAll receives to the end.
func receiveAll(ctx context.Context, r trigo.ReceiveStream) ([]byte, error) {
	var all bytes.Buffer
	for chunk, err := range trigo.Chunks(ctx, r) {
		if err != nil {
			return all.Bytes(), err
		}
		all.Write(chunk)
	}
	return all.Bytes(), nil
}

func TestStreamOnAConnectionThePeerHasClosed(t *testing.T) {
	c, s := tcpPair(t)
	if _, err := c.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	c.Close()
	got, err := receiveAll(bounded(t), mustFromConn(t, s))
	if err != nil || string(got) != "x" {
		t.Fatalf("got %q, %v", got, err)
	}
}

// The name of its peer is what package net asks for when it makes a connection of a
// descriptor, and by then the kernel may have forgotten it.
func TestStreamOnAConnectionThatWasResetBeforePackageNetGotIt(t *testing.T) {
	c, s := tcpPair(t)
	mustFromConn(t, s).Abort()
	if err := mustFromConn(t, c).s.FD().WaitRead(bounded(t)); err != nil {
		t.Fatal(err)
	}
	f, err := c.(*net.TCPConn).File()
	if err != nil {
		t.Skip("no descriptor can be had here: ", err)
	}
	defer f.Close()
	inherited, err := net.FileConn(f)
	if err != nil {
		t.Fatal(err)
	}
	defer inherited.Close()
	stream := mustFromConn(t, inherited)
	if _, err := stream.ReceiveSome(bounded(t), make([]byte, 1)); !errors.Is(err, trigo.ErrBroken) {
		t.Errorf("receive: %v, want ErrBroken", err)
	}
	if got := stream.RemoteAddr().String(); got != ":0" || stream.String() != "tcp :0" {
		t.Errorf("the peer is %q, the stream %q", got, stream.String())
	}
}

func TestBufferMayBeReusedAfterSendAll(t *testing.T) {
	a, b := streamPair(t)
	data := make([]byte, 10<<20)
	rng := rand.NewChaCha8([32]byte{})
	rng.Read(data)
	want := bytes.Clone(data)
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := a.SendAll(bounded(t), data); err != nil {
			t.Error(err)
		}
		clear(data)
		if err := a.SendAll(bounded(t), []byte("e")); err != nil {
			t.Error(err)
		}
		if err := a.SendEOF(bounded(t)); err != nil {
			t.Error(err)
		}
	})
	if err := b.s.FD().WaitRead(bounded(t)); err != nil { // the reader is late
		t.Fatal(err)
	}
	got, err := receiveAll(bounded(t), b)
	wg.Wait()
	if err != nil || !bytes.Equal(got, append(want, 'e')) {
		t.Fatalf("%d bytes, %v; they differ from what was sent", len(got), err)
	}
}

func TestResetStays(t *testing.T) {
	a, b := streamPair(t)
	if err := b.Abort(); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 1)
	for i := range 3 { // the kernel reports it once, and then an end of file
		if n, err := a.ReceiveSome(bounded(t), buf); n != 0 || !errors.Is(err, trigo.ErrBroken) || !errors.Is(err, syscall.ECONNRESET) {
			t.Fatalf("call %d: %d, %v, want ErrBroken and ECONNRESET", i, n, err)
		}
	}
	for range 2 {
		if err := a.SendAll(bounded(t), buf); !errors.Is(err, trigo.ErrBroken) {
			t.Fatalf("send: %v, want ErrBroken", err)
		}
	}
	if err := a.SendEOF(bounded(t)); !errors.Is(err, trigo.ErrBroken) {
		t.Fatalf("SendEOF: %v, want ErrBroken", err)
	}
	if err := a.Close(bounded(t)); err != nil {
		t.Fatal(err)
	}
}

// TestResetIsNeverAnEndOfFile: the kernel tells of a reset once, to whoever
// asks first. If that is a send, a receive is shown an end of file.
func TestResetIsNeverAnEndOfFile(t *testing.T) {
	t.Run("the send asks first", func(t *testing.T) {
		a, b := streamPair(t)
		b.Abort()
		if err := a.s.FD().WaitRead(bounded(t)); err != nil { // it has arrived
			t.Fatal(err)
		}
		if err := a.SendAll(bounded(t), []byte("x")); !errors.Is(err, syscall.ECONNRESET) {
			t.Fatalf("send: %v, want ECONNRESET", err)
		}
		for range 2 {
			if _, err := a.ReceiveSome(bounded(t), make([]byte, 1)); !errors.Is(err, trigo.ErrBroken) {
				t.Fatalf("receive: %v, want ErrBroken", err)
			}
		}
	})
	t.Run("SendEOF asks first", func(t *testing.T) {
		a, b := streamPair(t)
		b.Abort()
		if err := a.s.FD().WaitRead(bounded(t)); err != nil {
			t.Fatal(err)
		}
		if err := a.SendEOF(bounded(t)); !errors.Is(err, trigo.ErrBroken) {
			t.Fatalf("SendEOF: %v, want ErrBroken", err)
		}
		if _, err := a.ReceiveSome(bounded(t), make([]byte, 1)); !errors.Is(err, trigo.ErrBroken) {
			t.Fatalf("receive: %v, want ErrBroken", err)
		}
	})
	t.Run("both ask at once", func(t *testing.T) {
		rounds := loops(300, 20000)
		for range rounds {
			a, b := streamPair(t)
			var wg sync.WaitGroup
			wg.Go(func() {
				for a.SendAll(bounded(t), []byte("x")) == nil {
				}
			})
			received := make(chan error, 1)
			wg.Go(func() {
				_, err := receiveAll(bounded(t), a)
				received <- err
			})
			b.ReceiveSome(bounded(t), make([]byte, 1))
			b.Abort()
			wg.Wait()
			if err := <-received; !errors.Is(err, trigo.ErrBroken) {
				t.Fatalf("receive: %v, want ErrBroken", err)
			}
			a.Close(bounded(t))
		}
	})
	t.Run("but an end before the reset is one", func(t *testing.T) {
		a, b := streamPair(t)
		if err := b.SendAll(bounded(t), []byte("answer")); err != nil {
			t.Fatal(err)
		}
		b.Close(bounded(t)) // nothing unread: an end of file; what is sent to it from now on is reset
		for {
			err := a.SendAll(bounded(t), []byte("x"))
			if err != nil {
				if !errors.Is(err, trigo.ErrBroken) {
					t.Fatal(err)
				}
				break
			}
		}
		if err := a.SendEOF(bounded(t)); !errors.Is(err, trigo.ErrBroken) {
			t.Errorf("SendEOF: %v, want ErrBroken", err)
		}
		got, err := receiveAll(bounded(t), a)
		if string(got) != "answer" || err != nil {
			t.Fatalf("got %q, %v, want the answer and its end", got, err)
		}
	})
}

func TestWaitSendAllMightNotBlockAsksForLittleUnsentData(t *testing.T) {
	a, _ := streamPair(t)
	before := tcpOption(t, a, "TCP_NOTSENT_LOWAT")
	if err := a.SendAll(bounded(t), []byte("x")); err != nil {
		t.Fatal(err)
	}
	if now := tcpOption(t, a, "TCP_NOTSENT_LOWAT"); now != before {
		t.Fatalf("SendAll set TCP_NOTSENT_LOWAT to %d", now)
	}
	if err := a.WaitSendAllMightNotBlock(bounded(t)); err != nil {
		t.Fatal(err)
	}
	if now := tcpOption(t, a, "TCP_NOTSENT_LOWAT"); now != 16<<10 {
		t.Fatalf("TCP_NOTSENT_LOWAT is %d, want %d", now, 16<<10)
	}
}

func TestNoDelayIsOn(t *testing.T) {
	a, b := streamPair(t)
	for _, s := range []*Stream{a, b} {
		if tcpOption(t, s, "TCP_NODELAY") != 1 {
			t.Error("TCP_NODELAY is off")
		}
	}
}

func TestFromConnRefusesWhatIsNoStream(t *testing.T) {
	udp, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer udp.Close()
	gram, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socketDir(t) + "/g", Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer gram.Close()
	p, q := net.Pipe()
	defer p.Close()
	defer q.Close()
	for _, c := range []net.Conn{udp.(net.Conn), gram, p, nil} {
		if s, err := FromConn(c); s != nil || !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("%T: %v, %v, want ErrUnsupported", c, s, err)
		}
	}
	closed, _ := tcpPair(t)
	closed.Close()
	if _, err := FromConn(closed); !errors.Is(err, net.ErrClosed) {
		t.Errorf("a closed connection: %v, want net.ErrClosed", err)
	}
}

func TestAddressesOutliveTheConnection(t *testing.T) {
	a, b := streamPair(t)
	local, remote := a.LocalAddr().String(), a.RemoteAddr().String()
	if b.LocalAddr().String() != remote || b.RemoteAddr().String() != local {
		t.Errorf("a has %v and %v, b has %v and %v", a.LocalAddr(), a.RemoteAddr(), b.LocalAddr(), b.RemoteAddr())
	}
	b.Abort()
	a.ReceiveSome(bounded(t), make([]byte, 1))
	a.Close(bounded(t))
	if a.LocalAddr().String() != local || a.RemoteAddr().String() != remote {
		t.Error("the addresses changed")
	}
}

func TestSocketClosedUnderfoot(t *testing.T) {
	a, _ := streamPair(t)
	raw, ok := trigo.As[*net.TCPConn](a)
	if !ok {
		t.Fatal("no *net.TCPConn under the stream")
	}
	raw.Close()
	if _, err := a.ReceiveSome(bounded(t), make([]byte, 1)); !errors.Is(err, trigo.ErrClosed) {
		t.Errorf("receive: %v, want ErrClosed", err)
	}
	if err := a.SendAll(bounded(t), []byte("x")); !errors.Is(err, trigo.ErrClosed) {
		t.Errorf("send: %v, want ErrClosed", err)
	}
}

// TestForeignDeadline: whoever sets a deadline on the connection underneath
// gets an error that says so, and breaks nothing for ever.
func TestForeignDeadline(t *testing.T) {
	a, b := streamPair(t)
	raw, _ := trigo.As[*net.TCPConn](a)
	raw.SetReadDeadline(time.Unix(1, 0))
	_, err := a.ReceiveSome(bounded(t), make([]byte, 1))
	if !errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, trigo.ErrBroken) {
		t.Fatalf("got %v, want os.ErrDeadlineExceeded", err)
	}
	raw.SetReadDeadline(time.Time{})
	b.SendAll(bounded(t), []byte("x"))
	if _, err := a.ReceiveSome(bounded(t), make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
}

func TestErrorsNameTheOperationAndThePeer(t *testing.T) {
	a, b := streamPair(t)
	peer := "tcp " + b.LocalAddr().String()
	b.Abort()
	_, err := a.ReceiveSome(bounded(t), make([]byte, 1))
	if want := "receive " + peer + ": stream broken: connection reset by peer"; err.Error() != want {
		t.Errorf("got  %v\nwant %v", err, want)
	}
	a.Close(bounded(t))
	err = a.SendAll(bounded(t), nil)
	if want := "send " + peer + ": already closed"; err.Error() != want {
		t.Errorf("got  %v\nwant %v", err, want)
	}
	if _, err := a.ReceiveSome(bounded(t), nil); err != io.ErrShortBuffer {
		t.Errorf("empty buffer: %v", err)
	}
}

// TestLingeringCloseSavesTheReply: a plain close with input unread makes the
// kernel reset the connection, and the peer loses the reply.
func TestLingeringCloseSavesTheReply(t *testing.T) {
	server, client := streamPair(t)
	if err := client.SendAll(bounded(t), []byte(strings.Repeat("x", 100_000))); err != nil {
		t.Fatal(err)
	}
	if err := server.SendAll(bounded(t), []byte("too large")); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := trigo.LingeringClose(bounded(t), server); err != nil {
			t.Error(err)
		}
	})
	got, err := receiveAll(bounded(t), client)
	if string(got) != "too large" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	client.Close(bounded(t))
	wg.Wait()
}

// TestStreamAllocations pins what a call costs under a ctx that stays: nothing.
func TestStreamAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the pools lose things on purpose under the race detector")
	}
	a, b := streamPair(t)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, ping)
		for receiveFull(ctx, b, buf) == nil && b.SendAll(ctx, buf) == nil {
		}
	}()
	buf := make([]byte, ping)
	roundTrip := func() {
		if err := a.SendAll(ctx, buf); err != nil {
			t.Fatal(err)
		}
		if err := receiveFull(ctx, a, buf); err != nil {
			t.Fatal(err)
		}
	}
	roundTrip() // the first two make the registrations
	roundTrip()
	if n := testing.AllocsPerRun(1000, roundTrip); n != 0 {
		t.Errorf("%v allocations in a round trip, want 0", n)
	}
	cancel()
	<-done
}

// TestAcceptedStreamIsOneObject: servers have a great many of them.
func TestAcceptedStreamIsOneObject(t *testing.T) {
	c, _ := tcpPair(t)
	if n := testing.AllocsPerRun(100, func() {
		if _, err := FromConn(c); err != nil { // each on the same connection: none is used
			t.Fatal(err)
		}
	}); n > 2 && !raceEnabled {
		t.Errorf("%v allocations, want 2: the stream and its RawConn", n)
	}
	if size := unsafe.Sizeof(Stream{}); size > 192 {
		t.Errorf("a stream has %d bytes, and no longer fits into 192", size)
	}
}
