//go:build linux

package fdstream_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"trigo"
	"trigo/internal/fdstream"
	"trigo/trigotest"
)

func TestMain(m *testing.M) { trigotest.Main(m) }

// inherited closes fd at the end of the test. By then it may be /dev/null.
func inherited(t *testing.T, fds ...int) {
	t.Cleanup(func() {
		for _, fd := range fds {
			unix.Close(fd)
		}
	})
}

// pipe returns a blocking pipe, as a shell makes it.
func pipe(t *testing.T) (r, w int) {
	t.Helper()
	var p [2]int
	if err := unix.Pipe2(p[:], unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	inherited(t, p[:]...)
	return p[0], p[1]
}

// socketpair returns a blocking pair of sockets.
func socketpair(t *testing.T) (a, b int) {
	t.Helper()
	p, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	inherited(t, p[:]...)
	return p[0], p[1]
}

// terminal returns the two ends of a terminal.
func terminal(t *testing.T) (master, slave int) {
	t.Helper()
	master, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Skipf("no terminals here: %v", err)
	}
	inherited(t, master)
	if err := unix.IoctlSetPointerInt(master, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(master, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	slave, err = unix.Open(fmt.Sprintf("/dev/pts/%d", n), unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	inherited(t, slave)
	return master, slave
}

func input(t *testing.T, fd int) *fdstream.Input {
	t.Helper()
	in, err := fdstream.OpenInput(fd, "stdin")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close(context.Background()) })
	return in
}

func output(t *testing.T, fd int) *fdstream.Output {
	t.Helper()
	out, err := fdstream.OpenOutput(fd, "stdout")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { out.Close(context.Background()) })
	return out
}

func nonblocking(t *testing.T, fd int) bool {
	t.Helper()
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
	if err != nil {
		t.Fatal(err)
	}
	return flags&unix.O_NONBLOCK != 0
}

// wholeInput and wholeOutput close their descriptors with the stream, where the
// others leave /dev/null.
type wholeInput struct {
	*fdstream.Input
	forget func() error
}

func (i wholeInput) Close(ctx context.Context) error {
	return errors.Join(i.Input.Close(ctx), i.forget())
}

type wholeOutput struct {
	*fdstream.Output
	forget func() error
}

func (o wholeOutput) Close(ctx context.Context) error {
	return errors.Join(o.Output.Close(ctx), o.forget())
}

func TestPipeEndsConform(t *testing.T) {
	open := func(context.Context) (trigo.SendStream, trigo.ReceiveStream, error) {
		var p [2]int
		if err := unix.Pipe2(p[:], unix.O_CLOEXEC); err != nil {
			return nil, nil, err
		}
		in, inErr := fdstream.OpenInput(p[0], "stdin")
		out, outErr := fdstream.OpenOutput(p[1], "stdout")
		return wholeOutput{out, sync.OnceValue(func() error { return unix.Close(p[1]) })},
			wholeInput{in, sync.OnceValue(func() error { return unix.Close(p[0]) })},
			errors.Join(inErr, outErr)
	}
	clogged := func(ctx context.Context) (trigo.SendStream, trigo.ReceiveStream, error) {
		s, r, err := open(ctx)
		return s, r, errors.Join(err, trigotest.Clog(ctx, s))
	}
	trigotest.CheckOneWayStream(t, open, clogged, &trigotest.CheckOptions{AbortIsEOF: true})
}

func TestCancelWakesAReceiverAndLosesNothing(t *testing.T) {
	for name, open := range map[string]func(*testing.T) (r, w int){
		"pipe":   pipe,
		"socket": socketpair,
		"terminal": func(t *testing.T) (r, w int) {
			master, slave := terminal(t)
			return slave, master
		},
	} {
		t.Run(name, func(t *testing.T) {
			r, w := open(t)
			in := input(t, r)
			if got, want := nonblocking(t, r), name == "socket"; got != want {
				t.Errorf("the inherited descriptor is non-blocking: %v, want %v", got, want)
			}
			ctx, cancel := context.WithCancel(t.Context())
			result := make(chan error, 1)
			go func() {
				_, err := in.ReceiveSome(ctx, make([]byte, 10))
				result <- err
			}()
			cancel()
			if err := <-result; !errors.Is(err, context.Canceled) {
				t.Fatalf("cancelled: %v", err)
			}
			if _, err := unix.Write(w, []byte("line\n")); err != nil {
				t.Fatal(err)
			}
			p := make([]byte, 10)
			n, err := in.ReceiveSome(t.Context(), p)
			if err != nil || string(p[:n]) != "line\n" {
				t.Fatalf("received %q, %v", p[:n], err)
			}
			in.Close(t.Context())
			if nonblocking(t, r) {
				t.Error("after Close the descriptor is non-blocking")
			}
		})
	}
}

func TestBlockingModeComesBackWithTheLastStreamOnASocket(t *testing.T) {
	fd, _ := socketpair(t)
	second, err := unix.Dup(fd)
	if err != nil {
		t.Fatal(err)
	}
	witness, err := unix.Dup(fd)
	if err != nil {
		t.Fatal(err)
	}
	inherited(t, second, witness)
	in, out := input(t, fd), output(t, second)
	if !nonblocking(t, witness) {
		t.Fatal("the socket blocks while it is in use")
	}
	in.Close(t.Context())
	if !nonblocking(t, witness) {
		t.Error("the socket blocks while one stream is still in use")
	}
	out.Close(t.Context())
	if nonblocking(t, witness) {
		t.Error("the socket does not block after both were closed")
	}
}

// Only the order of two calls decides here, and all orders are good: many rounds, so
// that a bad one would be among them.
func TestBlockingModeWhenStreamsOpenAndCloseAtOnce(t *testing.T) {
	witness, _ := socketpair(t)
	both := func(one, other func()) {
		var wg sync.WaitGroup
		start := make(chan struct{})
		for _, f := range []func(){one, other} {
			wg.Go(func() { <-start; f() })
		}
		close(start)
		wg.Wait()
	}
	for range 2000 {
		var fds [3]int
		for i := range fds {
			var err error
			if fds[i], err = unix.Dup(witness); err != nil {
				t.Fatal(err)
			}
		}
		var in *fdstream.Input
		var first, second *fdstream.Output
		both(func() { in = input(t, fds[0]) }, func() { first = output(t, fds[1]) })
		in.Close(t.Context())
		both(func() { first.Close(t.Context()) }, func() { second = output(t, fds[2]) })
		blocks := !nonblocking(t, witness)
		second.Close(t.Context())
		stays := nonblocking(t, witness)
		for _, fd := range fds {
			unix.Close(fd)
		}
		if blocks || stays {
			t.Fatalf("blocks in use: %v, does not block after: %v", blocks, stays)
		}
	}
}

func TestSocketThatDidNotBlockStaysSo(t *testing.T) {
	fd, _ := socketpair(t)
	witness, err := unix.Dup(fd)
	if err != nil {
		t.Fatal(err)
	}
	inherited(t, witness)
	unix.SetNonblock(fd, true)
	input(t, fd).Close(t.Context())
	if !nonblocking(t, witness) {
		t.Error("Close made a descriptor blocking that was not")
	}
}

func TestCloseDeliversTheEndToTheReaderOfThePipe(t *testing.T) {
	r, w := pipe(t)
	out := output(t, w)
	if err := out.SendAll(t.Context(), []byte("all")); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := out.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	var got [10]byte
	n, err := unix.Read(r, got[:])
	if string(got[:n]) != "all" || err != nil {
		t.Fatalf("read %q, %v", got[:n], err)
	}
	unix.SetNonblock(r, true) // or a missing end would hang here
	if n, err := unix.Read(r, got[:]); n != 0 || err != nil {
		t.Fatalf("after Close: read %d, %v; want the end of file", n, err)
	}
}

func TestHalvesOfOneSocketEndOneByOne(t *testing.T) {
	fd, peer := socketpair(t)
	second, err := unix.Dup(fd)
	if err != nil {
		t.Fatal(err)
	}
	inherited(t, second)
	in, out := input(t, fd), output(t, second)
	out.Close(t.Context())
	unix.SetNonblock(peer, true)
	if n, err := unix.Read(peer, make([]byte, 1)); n != 0 || err != nil {
		t.Fatalf("the peer read %d, %v; want the end of file", n, err)
	}
	if _, err := unix.Write(peer, []byte("answer")); err != nil {
		t.Fatal(err)
	}
	p := make([]byte, 10)
	if n, err := in.ReceiveSome(t.Context(), p); err != nil || string(p[:n]) != "answer" {
		t.Fatalf("received %q, %v", p[:n], err)
	}
}

func TestCancelledSendSaysHowMuchThePipeTook(t *testing.T) {
	r, w := pipe(t)
	out := output(t, w)
	ctx, cancel := context.WithCancel(t.Context())
	result := make(chan error, 1)
	go func() { result <- out.SendAll(ctx, bytes.Repeat([]byte("x"), 1<<20)) }()
	one := make([]byte, 1)
	if _, err := unix.Read(r, one); err != nil { // it has begun
		t.Fatal(err)
	}
	cancel()
	var op *trigo.OpError
	if err := <-result; !errors.Is(err, context.Canceled) || !errors.As(err, &op) {
		t.Fatalf("cancelled: %v", err)
	}
	unix.SetNonblock(r, true)
	rest := make([]byte, 1<<20)
	n, err := unix.Read(r, rest)
	if err != nil || int64(n)+1 != op.N {
		t.Errorf("the pipe holds %d bytes (%v), N is %d", n+1, err, op.N)
	}
	if err := out.SendAll(t.Context(), []byte("more")); err != nil {
		t.Errorf("after the cancel: %v", err)
	}
}

func TestBrokenPipeIsAnErrorAndNoSignal(t *testing.T) {
	for _, when := range []string{"before open", "after open"} {
		t.Run(when, func(t *testing.T) {
			r, w := pipe(t)
			if when == "before open" {
				unix.Close(r)
			}
			out := output(t, w)
			if when == "after open" {
				unix.Close(r)
			}
			err := out.SendAll(t.Context(), []byte("x"))
			if !errors.Is(err, trigo.ErrBroken) || !errors.Is(err, syscall.EPIPE) {
				t.Errorf("err = %v", err)
			}
		})
	}
}

func TestRegularFileIsReadToItsEndAndWritten(t *testing.T) {
	path := t.TempDir() + "/file"
	fd, err := unix.Open(path, unix.O_CREAT|unix.O_RDWR|unix.O_CLOEXEC, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	inherited(t, fd)
	out := output(t, fd)
	if err := out.SendAll(t.Context(), []byte("content")); err != nil {
		t.Fatal(err)
	}
	if err := out.WaitSendAllMightNotBlock(t.Context()); err != nil {
		t.Fatal(err)
	}
	out.Close(t.Context())
	if err := out.SendAll(t.Context(), nil); !errors.Is(err, trigo.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}

	fd, err = unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	inherited(t, fd)
	in := input(t, fd)
	p := make([]byte, 100)
	if n, err := in.ReceiveSome(t.Context(), p); err != nil || string(p[:n]) != "content" {
		t.Fatalf("received %q, %v", p[:n], err)
	}
	for range 2 {
		if n, err := in.ReceiveSome(t.Context(), p); n != 0 || err != io.EOF {
			t.Fatalf("at the end: %d, %v", n, err)
		}
		if f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0); err == nil {
			f.WriteString("later") // the end stays the end
			f.Close()
		}
	}
	dead, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := in.ReceiveSome(dead, p); !errors.Is(err, context.Canceled) {
		t.Errorf("with a dead ctx: %v", err)
	}
	if _, err := in.ReceiveSome(t.Context(), nil); err != io.ErrShortBuffer {
		t.Errorf("into nothing: %v", err)
	}
}

func TestDirectoryIsBroken(t *testing.T) {
	fd, err := unix.Open(t.TempDir(), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	inherited(t, fd)
	if _, err := input(t, fd).ReceiveSome(t.Context(), make([]byte, 1)); !errors.Is(err, trigo.ErrBroken) || !errors.Is(err, syscall.EISDIR) {
		t.Errorf("err = %v", err)
	}
}

func TestDevNullIsAnEndAndASink(t *testing.T) {
	fd, err := unix.Open(os.DevNull, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	inherited(t, fd)
	if _, err := input(t, fd).ReceiveSome(t.Context(), make([]byte, 1)); err != io.EOF {
		t.Errorf("receive: %v", err)
	}
	if err := output(t, fd).SendAll(t.Context(), make([]byte, 1<<20)); err != nil {
		t.Errorf("send: %v", err)
	}
}

func TestClosedDescriptorIsRefused(t *testing.T) {
	if _, err := fdstream.OpenInput(1<<20, "stdin"); !errors.Is(err, syscall.EBADF) {
		t.Errorf("err = %v", err)
	}
}
