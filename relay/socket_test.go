package relay_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"math/rand/v2"
	"net"
	"runtime"
	"syscall"
	"testing"
	"time"

	"trigo"
	"trigo/netstream"
	"trigo/nursery"
	"trigo/relay"
)

// sockets returns the two ends of a connection.
func sockets(t *testing.T, network string) (near, far *netstream.Stream) {
	t.Helper()
	address := "127.0.0.1:0"
	if network == "unix" {
		address = t.TempDir() + "/s"
	}
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	dialled, err := net.Dial(network, l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	accepted, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	adopt := func(c net.Conn) *netstream.Stream {
		s, err := netstream.FromConn(c)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { trigo.CloseForcefully(s) })
		return s
	}
	return adopt(dialled), adopt(accepted)
}

// eachMode runs a test with all ways to move bytes.
func eachMode(t *testing.T, f func(t *testing.T, mode relay.CopyMode)) {
	for _, mode := range []relay.CopyMode{relay.CopyAuto, relay.CopySplice, relay.CopyPlain} {
		t.Run(mode.String(), func(t *testing.T) { f(t, mode) })
	}
}

// started is a relay that runs.
type started struct {
	done   chan struct{}
	report relay.Report
	err    error
}

func start(ctx context.Context, a, b trigo.Stream, opts *relay.Options) *started {
	s := &started{done: make(chan struct{})}
	go func() {
		defer close(s.done)
		s.report, s.err = relay.Run(ctx, a, b, opts)
	}()
	return s
}

func (s *started) wait() (relay.Report, error) {
	<-s.done
	return s.report, s.err
}

// transfer sends everything of one seed over s, ends its half, and returns the
// hash of what came back.
func transfer(ctx context.Context, s trigo.HalfCloseableStream, seed byte, size int) (sum [32]byte, err error) {
	err = nursery.Run(ctx, func(ctx context.Context, n *nursery.Nursery) error {
		n.Go(func(ctx context.Context) error {
			if err := s.SendAll(ctx, noise(seed, size)); err != nil {
				return err
			}
			return s.SendEOF(ctx)
		})
		h := sha256.New()
		for chunk, err := range trigo.Chunks(ctx, s) {
			if err != nil {
				return err
			}
			h.Write(chunk)
		}
		h.Sum(sum[:0])
		return nil
	})
	return sum, err
}

func noise(seed byte, size int) []byte {
	b := make([]byte, size)
	rand.NewChaCha8([32]byte{seed}).Read(b)
	return b
}

func TestMuchDataBothWaysArrivesIntact(t *testing.T) {
	const size = 8 << 20
	for _, networks := range [][2]string{{"tcp", "tcp"}, {"tcp", "unix"}, {"unix", "unix"}} {
		eachMode(t, func(t *testing.T, mode relay.CopyMode) {
			t.Logf("%s to %s", networks[0], networks[1])
			client, a := sockets(t, networks[0])
			b, server := sockets(t, networks[1])
			var report relay.Report
			var atServer, atClient [32]byte
			err := nursery.Run(t.Context(), func(ctx context.Context, n *nursery.Nursery) error {
				n.Go(func(ctx context.Context) (err error) {
					report, err = relay.Run(ctx, a, b, &relay.Options{Copy: mode})
					return err
				})
				n.Go(func(ctx context.Context) (err error) {
					atServer, err = transfer(ctx, server, 2, size)
					return err
				})
				var err error
				atClient, err = transfer(ctx, client, 1, size)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			if atServer != sha256.Sum256(noise(1, size)) {
				t.Error("the server received something else than the client sent")
			}
			if atClient != sha256.Sum256(noise(2, size)) {
				t.Error("the client received something else than the server sent")
			}
			if report.AToB.Bytes != size || report.BToA.Bytes != size {
				t.Errorf("report = %+v", report)
			}
		})
	}
}

func TestAnswerToAHalfCloseComesBackWhole(t *testing.T) { eachMode(t, answerToAHalfClose) }

func answerToAHalfClose(t *testing.T, mode relay.CopyMode) {
	client, a := sockets(t, "tcp")
	b, server := sockets(t, "tcp")
	answer := noise(3, 300_000)
	err := nursery.Run(t.Context(), func(ctx context.Context, n *nursery.Nursery) error {
		n.Go(func(ctx context.Context) error {
			_, err := relay.Run(ctx, a, b, &relay.Options{Copy: mode})
			return err
		})
		n.Go(func(ctx context.Context) error { // answers only once it has seen the end
			for _, err := range trigo.Chunks(ctx, server) {
				if err != nil {
					return err
				}
			}
			if err := server.SendAll(ctx, answer); err != nil {
				return err
			}
			return server.Close(ctx)
		})
		if err := client.SendAll(ctx, []byte("GET")); err != nil {
			return err
		}
		if err := client.SendEOF(ctx); err != nil {
			return err
		}
		var got []byte
		for chunk, err := range trigo.Chunks(ctx, client) {
			if err != nil {
				return err
			}
			got = append(got, chunk...)
		}
		if !bytes.Equal(got, answer) {
			t.Errorf("%d bytes came back, want %d", len(got), len(answer))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestResetIsForwardedAsReset(t *testing.T) { eachMode(t, resetIsForwarded) }

func resetIsForwarded(t *testing.T, mode relay.CopyMode) {
	client, a := sockets(t, "tcp")
	b, server := sockets(t, "tcp")
	running := start(t.Context(), a, b, &relay.Options{Copy: mode})
	send(t, client, "half a sent")
	wantReceive(t, server, "half a sent", nil)
	client.Abort()
	wantReceive(t, server, "", syscall.ECONNRESET)
	report, relayErr := running.wait()
	if !errors.Is(relayErr, syscall.ECONNRESET) {
		t.Errorf("err = %v", relayErr)
	}
	if report.AToB.End != relay.Broken || report.BToA.End != relay.Stopped {
		t.Errorf("report = %+v", report)
	}
}

func TestBytesBeforeAResetReachASlowReader(t *testing.T) { eachMode(t, bytesBeforeAReset) }

func bytesBeforeAReset(t *testing.T, mode relay.CopyMode) {
	// The client does not read, so most of what the server sent is in the
	// kernel's hands when the server resets; the reset that the relay sends must
	// not overtake it.
	const size = 300_000
	client, a := sockets(t, "tcp")
	b, server := sockets(t, "tcp")
	client.Underlying().(*net.TCPConn).SetReadBuffer(64 << 10)
	a.Underlying().(*net.TCPConn).SetWriteBuffer(1 << 20)
	counters := new(relay.Counters)
	running := start(t.Context(), a, b, &relay.Options{Counters: counters, Copy: mode})
	sent := noise(4, size)
	send(t, server, string(sent))
	for counters.BToA.Load() < size { // a has it all
		if err := server.WaitSendAllMightNotBlock(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	server.Abort()
	for !b.FD().HungUp() && !b.FD().Closed() { // until the reset has come
		runtime.Gosched()
	}
	wantReceive(t, client, string(sent), syscall.ECONNRESET)
	running.wait()
}

func TestResetOfASlowReaderIsNotWaitedFor(t *testing.T) { eachMode(t, resetOfASlowReader) }

func resetOfASlowReader(t *testing.T, mode relay.CopyMode) {
	client, a := sockets(t, "tcp")
	b, server := sockets(t, "tcp")
	client.Underlying().(*net.TCPConn).SetReadBuffer(4096)
	a.Underlying().(*net.TCPConn).SetWriteBuffer(1 << 20)
	counters := new(relay.Counters)
	running := start(t.Context(), a, b, &relay.Options{Counters: counters, Copy: mode})
	send(t, server, string(noise(5, 200_000)))
	for counters.BToA.Load() < 200_000 { // a has it all, and cannot get rid of it
		if err := server.WaitSendAllMightNotBlock(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	client.Abort()
	report, _ := running.wait()
	if report.Duration > 4*time.Second {
		t.Errorf("it took %v to abort a connection that was reset", report.Duration)
	}
}
