//go:build unix

package process

import (
	"context"
	"errors"
	"os"
	"runtime"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"trigo"
	"trigo/internal/fdstream"
	"trigo/internal/pollio"
	"trigo/trigotest"
)

// Trio: test_pipe_fully
func TestPipeEndsConform(t *testing.T) {
	open := func(ctx context.Context) (trigo.SendStream, trigo.ReceiveStream, error) {
		var w wiring
		childs, err := w.inputPipe()
		if err != nil {
			return nil, nil, err
		}
		// What the child has of its stdin, as our end of a stdout: polled.
		var again int
		err = control(childs, func(fd int) (err error) {
			again, err = unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
			return err
		})
		childs.Close()
		if err != nil {
			return nil, nil, err
		}
		if err := unix.SetNonblock(again, true); err != nil {
			return nil, nil, err
		}
		s, err := fdstream.New(os.NewFile(uintptr(again), "stdin"), layerName("stdout"))
		return w.send, &receivePipe{s: s, layer: "stdout"}, err
	}
	clogged := func(ctx context.Context) (trigo.SendStream, trigo.ReceiveStream, error) {
		s, r, err := open(ctx)
		return s, r, errors.Join(err, trigotest.Clog(ctx, s))
	}
	trigotest.CheckOneWayStream(t, open, clogged, &trigotest.CheckOptions{AbortIsEOF: true})
}

func TestOnlyOurEndOfAPipeIsPolledAndNeitherIsInherited(t *testing.T) {
	var w wiring
	childs, err := w.inputPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer childs.Close()
	defer trigo.CloseForcefully(w.send)
	check := func(what string, fd int, blocks bool) {
		status, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
		own, err2 := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
		if err := errors.Join(err, err2); err != nil {
			t.Fatal(err)
		}
		if blocks != (status&unix.O_NONBLOCK == 0) || own&unix.FD_CLOEXEC == 0 {
			t.Errorf("%s: O_NONBLOCK %v, FD_CLOEXEC %v", what, status&unix.O_NONBLOCK != 0, own&unix.FD_CLOEXEC != 0)
		}
	}
	check("our end", descriptor(t, w.send), false)
	if err := control(childs, func(fd int) error { check("the child's end", fd, true); return nil }); err != nil {
		t.Fatal(err)
	}
	if err := childs.SetReadDeadline(time.Time{}); err == nil {
		t.Error("the child's end is polled")
	}
}

// descriptor returns the number of a pipe of this package.
func descriptor(t *testing.T, r trigo.Resource) (number int) {
	t.Helper()
	source, ok := r.(interface{ FD() *pollio.FD })
	if !ok {
		t.Fatalf("%v has no descriptor", r)
	}
	raw, err := source.FD().Source().SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	raw.Control(func(fd uintptr) { number = int(fd) })
	return number
}

// Trio: test_misdirected_aclose_regression
func TestClosingAgainDoesNotTouchWhoHasTheNumberNow(t *testing.T) {
	ctx := t.Context()
	cat := &Command{Args: []string{"cat"}, Stdin: Pipe, Stdout: Pipe}
	old := opened(t, cat)
	number := descriptor(t, old.Stdin())
	if err := old.Stdin().Close(ctx); err != nil {
		t.Fatal(err)
	}
	var p *Process // whose pipe has the number
	for range 10 {
		if q := opened(t, cat); descriptor(t, q.Stdin()) == number {
			p = q
			break
		}
	}
	if p == nil {
		t.Skipf("nobody was given descriptor %d again", number)
	}
	if err := old.Stdin().Close(ctx); err != nil {
		t.Error(err)
	}
	if err := old.Stdin().SendAll(ctx, []byte("astray")); !errors.Is(err, trigo.ErrClosed) {
		t.Errorf("the closed stream: %v", err)
	}
	if err := p.Stdin().SendAll(ctx, []byte("x")); err != nil {
		t.Error(err)
	}
	p.Stdin().Close(ctx)
	if all, err := receiveAll(ctx, p.Stdout()); all != "x" || err != nil {
		t.Errorf("%q, %v", all, err)
	}
}

// Who forgets a Process has leaked nothing for ever: its pipes are closed when it
// is collected.
//
// Trio: test_del
func TestForgottenPipesAreClosed(t *testing.T) {
	pid := func() int {
		p, err := Open(t.Context(), &Command{Args: []string{"cat"}, Stdin: Pipe, Stdout: Pipe})
		if err != nil {
			t.Fatal(err)
		}
		return p.Pid()
	}()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	ended := poll(ctx, func() bool { // its input has, and so does cat
		runtime.GC()
		got, err := syscall.Wait4(pid, nil, syscall.WNOHANG, nil)
		return got == pid || err != nil && err != syscall.EINTR
	})
	if !ended {
		t.Error("the child still has its input")
	}
}
