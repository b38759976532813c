package relay_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"trigo"
	"trigo/file"
	"trigo/internal/fdstream"
	"trigo/netstream"
	"trigo/nursery"
	"trigo/relay"
	"trigo/trigotest"
)

const splices = true

// received returns everything that comes until the stream ends somehow.
func received(s trigo.ReceiveStream) (text []byte, end error) {
	buf := make([]byte, 64<<10)
	for {
		n, err := s.ReceiveSome(context.Background(), buf)
		if err != nil {
			return text, err
		}
		text = append(text, buf[:n]...)
	}
}

// keepSending sends the same noise again and again until that fails.
func keepSending(s trigo.SendStream, text []byte) {
	for s.SendAll(context.Background(), text) == nil {
	}
}

// stuck waits until the relay moves nothing more to a server that does not
// receive.
func stuck(b *netstream.Stream, counters *relay.Counters) {
	for {
		before := counters.AToB.Load()
		if before > 0 && staysFull(b) && counters.AToB.Load() == before {
			return
		}
	}
}

// staysFull waits a little for s to take more.
func staysFull(s *netstream.Stream) bool {
	raw, err := s.Underlying().(*net.UnixConn).SyscallConn()
	if err != nil {
		return false
	}
	full := false
	raw.Control(func(fd uintptr) {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}, 5)
		full = n == 0 && err == nil
	})
	return full
}

func TestAnswerSentBeforeTheSocketRefusedIsDelivered(t *testing.T) {
	eachMode(t, func(t *testing.T, mode relay.CopyMode) {
		client, a := sockets(t, "tcp")
		b, server := sockets(t, "unix")
		counters := new(relay.Counters)
		running := start(t.Context(), a, b, &relay.Options{Copy: mode, Counters: counters})
		refused := make(chan struct{})
		go func() {
			defer close(refused)
			keepSending(client, noise(8, 200_000))
		}()
		stuck(b, counters) // with bytes in the buffer or in the pipe
		server.Underlying().(*net.UnixConn).CloseRead()
		send(t, server, "413 too large")
		sendEOF(t, server)
		// The answer did end, and the relay may have passed that on before it
		// knew that the upload was lost. That it was, the sender learns always.
		got, end := received(client)
		if string(got) != "413 too large" || end != io.EOF && !errors.Is(end, trigo.ErrBroken) {
			t.Errorf("the client got %q, %v", got, end)
		}
		<-refused
		report, err := running.wait()
		if e := new(relay.Error); !errors.As(err, &e) || e.Side != "b" || !errors.Is(err, syscall.EPIPE) {
			t.Errorf("err = %v", err)
		}
		if report.AToB.End != relay.WriteFailed || report.BToA.End != relay.EOF || report.BToA.Bytes != 13 {
			t.Errorf("report = %+v", report)
		}
		if n := counters.AToB.Load(); n != report.AToB.Bytes {
			t.Errorf("%d bytes counted, %d reported", n, report.AToB.Bytes)
		}
	})
}

func TestEveryByteThatWasTakenIsCountedAndNoOther(t *testing.T) {
	cases := map[string]struct {
		opts relay.Options
		end  relay.End
	}{
		"cancel": {relay.Options{}, relay.Cancelled},
		"idle":   {relay.Options{Idle: 50 * time.Millisecond}, relay.Idle},
	}
	for name, c := range cases {
		eachMode(t, func(t *testing.T, mode relay.CopyMode) {
			t.Log(name)
			client, a := sockets(t, "unix")
			b, server := sockets(t, "unix")
			ctx, cancel := context.WithCancel(t.Context())
			counters := new(relay.Counters)
			opts := c.opts
			opts.Copy, opts.Counters = mode, counters
			running := start(ctx, a, b, &opts)
			text := noise(9, 200_000)
			go keepSending(client, text)
			if c.end == relay.Cancelled {
				stuck(b, counters)
			} else {
				<-running.done
			}
			cancel()
			report, err := running.wait()
			if err == nil || report.AToB.End != c.end {
				t.Errorf("%v, %+v", err, report)
			}
			if c.end == relay.Idle && report.Duration < opts.Idle {
				t.Errorf("it took %v", report.Duration)
			}
			got, _ := received(server)
			if int64(len(got)) != report.AToB.Bytes || counters.AToB.Load() != report.AToB.Bytes {
				t.Errorf("the server got %d bytes; %d reported, %d counted", len(got), report.AToB.Bytes, counters.AToB.Load())
			}
			if want := strings.Repeat(string(text), len(got)/len(text)+1); string(got) != want[:len(got)] {
				t.Error("the server got something else than was sent")
			}
		})
	}
}

func TestPipeWithBytesLeftIsNotUsedAgain(t *testing.T) {
	// One relay keeps the shared pipes alive, another fails with bytes in a pipe,
	// and the bytes of a third must be its own.
	_, x := sockets(t, "unix")
	y, _ := sockets(t, "unix")
	ctx, cancel := context.WithCancel(t.Context())
	keeper := start(ctx, x, y, nil)
	defer keeper.wait()
	defer cancel()

	client, a := sockets(t, "unix")
	b, _ := sockets(t, "unix")
	counters := new(relay.Counters)
	ctx2, cancel2 := context.WithCancel(t.Context())
	failing := start(ctx2, a, b, &relay.Options{Copy: relay.CopySplice, Counters: counters})
	go keepSending(client, noise(10, 1<<20))
	stuck(b, counters)
	cancel2()
	failing.wait()

	for range 3 {
		answerToAHalfClose(t, relay.CopySplice)
	}
}

func TestSlowReaderOfASpliceIsNotSilent(t *testing.T) {
	// The limit passes while the server takes what it is sent in small pieces: so
	// slowly that something is always to be sent.
	client, a := sockets(t, "unix")
	b, server := sockets(t, "unix")
	running := start(t.Context(), a, b, &relay.Options{Copy: relay.CopySplice, Idle: 500 * time.Millisecond})
	text := noise(11, 1<<20)
	twice := string(text) + string(text)
	var enough atomic.Bool
	go func() {
		for !enough.Load() {
			if client.SendAll(t.Context(), text) != nil {
				return
			}
		}
		client.SendEOF(t.Context())
	}()
	var total int64
	began := time.Now()
	for piece := make([]byte, 64); ; {
		n, err := server.ReceiveSome(t.Context(), piece)
		if err == io.EOF {
			break
		}
		if at := total % int64(len(text)); err != nil || string(piece[:n]) != twice[at:at+int64(n)] {
			t.Fatalf("after %d bytes: %q, %v", total, piece[:n], err)
		}
		total += int64(n)
		enough.Store(time.Since(began) > time.Second)
	}
	sendEOF(t, server)
	if report, err := running.wait(); err != nil || report.AToB.InKernel != total || total%(1<<20) != 0 {
		t.Errorf("%v, %d bytes received, %+v", err, total, report)
	}
}

func TestSpliceGoesOnByCopyWhereTheKernelRefuses(t *testing.T) {
	// The kernel does not splice to what is open for appending.
	client, a := sockets(t, "unix")
	b, server := sockets(t, "unix")
	raw, err := b.Underlying().(*net.UnixConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	raw.Control(func(fd uintptr) {
		flags, _ := unix.FcntlInt(fd, unix.F_GETFL, 0)
		unix.FcntlInt(fd, unix.F_SETFL, flags|unix.O_APPEND)
	})
	running := start(t.Context(), a, b, &relay.Options{Copy: relay.CopySplice})
	text := string(noise(12, 1<<20))
	go func() {
		send(t, client, text)
		sendEOF(t, client)
	}()
	wantReceive(t, server, text, io.EOF)
	sendEOF(t, server)
	report, err := running.wait()
	if err != nil || report.AToB.Path != relay.PathCopy || !strings.Contains(report.AToB.Why, "the kernel did not") || report.AToB.Bytes != 1<<20 {
		t.Errorf("%v, %+v", err, report)
	}
}

func TestRelayWithoutDescriptorsForAPipeCopies(t *testing.T) {
	client, a := sockets(t, "unix")
	b, server := sockets(t, "unix")
	var before unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &before); err != nil {
		t.Fatal(err)
	}
	highest, err := unix.Open(os.DevNull, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(highest)
	full := unix.Rlimit{Cur: uint64(highest), Max: before.Max} // all numbers below it are taken
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &full); err != nil {
		t.Fatal(err)
	}
	defer unix.Setrlimit(unix.RLIMIT_NOFILE, &before)

	running := start(t.Context(), a, b, &relay.Options{Copy: relay.CopySplice})
	text := string(noise(13, 1<<20))
	go func() {
		send(t, client, text)
		sendEOF(t, client)
	}()
	wantReceive(t, server, text, io.EOF)
	sendEOF(t, server)
	report, err := running.wait()
	if err != nil || report.AToB.InKernel != 0 || !strings.Contains(report.AToB.Why, "too many open files") {
		t.Errorf("%v, %+v", err, report)
	}
}

func TestCancelSweepOfASplicingRelay(t *testing.T) {
	trigotest.SweepCancel(t, func(ctx context.Context, s *trigotest.Sweep) error {
		client, a := sockets(t, "unix")
		b, server := sockets(t, "unix")
		s.Closed(a, b)
		client2, server2 := s.Tracked(client, server)
		s.Peer(func(ctx context.Context) error {
			return errors.Join(client2.SendAll(ctx, noise(1, 300_000)), client2.SendEOF(ctx), drain(ctx, client2))
		})
		s.Peer(func(ctx context.Context) error {
			return errors.Join(server2.SendAll(ctx, noise(2, 300_000)), drain(ctx, server2), server2.SendEOF(ctx))
		})
		_, err := relay.Run(ctx, a, b, &relay.Options{Copy: relay.CopySplice})
		return err
	}, &trigotest.SweepOptions{Limit: 60})
}

// input opens a descriptor as a stream, as standard input is.
func input(t *testing.T, f *os.File) *fdstream.Input {
	t.Helper()
	raw, err := f.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	own := -1
	raw.Control(func(fd uintptr) { own, err = unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 3) })
	if err != nil {
		t.Fatal(err)
	}
	s, err := fdstream.OpenInput(own, "input")
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	t.Cleanup(func() {
		s.Close(context.Background())
		unix.Close(own) // it is /dev/null now
	})
	return s
}

// nowhere is a sending half that takes everything.
type nowhere struct{}

func (nowhere) SendAll(context.Context, []byte) error              { return nil }
func (nowhere) WaitSendAllMightNotBlock(ctx context.Context) error { return nil }
func (nowhere) Close(ctx context.Context) error                    { return nil }

func TestFileIsSentByTheKernelFromWhereItStands(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		eachMode(t, func(t *testing.T, mode relay.CopyMode) {
			text := noise(14, 3<<20)
			name := t.TempDir() + "/f"
			if err := os.WriteFile(name, text, 0o600); err != nil {
				t.Fatal(err)
			}
			in, err := file.Open(t.Context(), file.Path(name), "r")
			if err != nil {
				t.Fatal(err)
			}
			defer in.Close(t.Context())
			if _, err := in.Seek(t.Context(), 1000, io.SeekStart); err != nil {
				t.Fatal(err)
			}
			b, server := sockets(t, network)
			sendEOF(t, server)
			running := start(t.Context(), trigo.Staple(nowhere{}, in), b, &relay.Options{Copy: mode})
			wantReceive(t, server, string(text[1000:]), io.EOF)
			report, err := running.wait()
			d, n := report.AToB, int64(len(text)-1000)
			if mode == relay.CopyPlain {
				if err != nil || d.Bytes != n || d.InKernel != 0 {
					t.Errorf("%v, %+v", err, d)
				}
			} else if err != nil || d.Path != relay.PathSendfile || d.Bytes != n || d.InKernel != n {
				t.Errorf("%v, %+v", err, d)
			}
		})
	}
}

func TestCancelWhileAFileIsSent(t *testing.T) {
	name := t.TempDir() + "/f"
	if err := os.WriteFile(name, noise(15, 3<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	in := input(t, f)
	b, server := sockets(t, "unix")
	ctx, cancel := context.WithCancel(t.Context())
	counters := new(relay.Counters)
	running := start(ctx, trigo.Staple(nowhere{}, in), b, &relay.Options{Counters: counters})
	stuck(b, counters)
	cancel()
	report, err := running.wait()
	if report.AToB.End != relay.Cancelled || !nursery.IsCancellation(ctx, err) {
		t.Errorf("%v, %+v", err, report)
	}
	if got, _ := received(server); int64(len(got)) != report.AToB.Bytes {
		t.Errorf("the server got %d bytes, %d are reported", len(got), report.AToB.Bytes)
	}
}

func TestPipeIsSplicedToASocket(t *testing.T) {
	eachMode(t, func(t *testing.T, mode relay.CopyMode) {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		in := input(t, r)
		b, server := sockets(t, "tcp")
		sendEOF(t, server)
		running := start(t.Context(), trigo.Staple(nowhere{}, in), b, &relay.Options{Copy: mode})
		text := noise(16, 1<<20)
		go func() {
			w.Write(text)
			w.Close()
		}()
		wantReceive(t, server, string(text), io.EOF)
		report, err := running.wait()
		if err != nil || report.AToB.Bytes != 1<<20 {
			t.Errorf("%v, %+v", err, report)
		}
		if d := report.AToB; mode == relay.CopySplice && (d.Path != relay.PathSplice || d.InKernel != d.Bytes) {
			t.Errorf("%+v", d)
		}
	})
}
