//go:build linux || darwin || freebsd

package socket

import (
	"context"
	"errors"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"trigo"
)

// # Descriptors that are closed behind our back
//
// Whoever closes a descriptor that is not his takes it away from those who wait
// for it, and nobody tells them: they may wait for ever. What is left to promise
// is that nothing crashes, that a ctx still ends every call, and that Close still
// does.
//
// Trio: test_can_survive_unnotified_close

// numbered returns a connected pair and the number of the first one's descriptor.
// That number must be taken again, by whatever, when the test ends, because Close
// closes it.
func numbered(t *testing.T) (s, peer *Socket, number int) {
	t.Helper()
	fds, err := unix.Socketpair(unixAF, stream, 0)
	ok(t, err)
	s, err = FromFD(fds[0])
	ok(t, err)
	peer, err = FromFD(fds[1])
	ok(t, err)
	closeLater(t, s, peer)
	return s, peer, fds[0]
}

// reuse gives the number to another descriptor, the end of a pair of sockets, and
// returns the other end.
func reuse(t *testing.T, number int) (far *Socket) {
	t.Helper()
	fds, err := unix.Socketpair(unixAF, stream, 0)
	ok(t, err)
	if fds[1] == number { // the lowest that is free: it may have it already
		fds[0], fds[1] = fds[1], fds[0]
	}
	ok(t, unix.SetNonblock(fds[0], true))
	if fds[0] != number {
		ok(t, unix.Dup2(fds[0], number))
		ok(t, unix.Close(fds[0]))
	}
	unix.CloseOnExec(number)
	far, err = FromFD(fds[1])
	ok(t, err)
	closeLater(t, far)
	return far
}

// waiters starts a call on each half of s, under ctx.
func waiters(t *testing.T, ctx context.Context, s *Socket) (recv, send func() error) {
	t.Helper()
	clog(t, s)
	recv = async(t, func() error { _, err := s.Recv(ctx, make([]byte, 1), 0); return err })
	send = async(t, func() error { _, err := s.Send(ctx, make([]byte, 1<<20), 0); return err })
	untilParked(t, 2)
	return recv, send
}

func TestUnnotifiedCloseLeavesWaitersCancellable(t *testing.T) {
	s, _, number := numbered(t)
	ctx, cancel := context.WithCancel(context.Background())
	recv, send := waiters(t, ctx, s)
	ok(t, unix.Close(number))
	cancel()
	wantCancelled(t, ctx, "Recv", recv())
	wantCancelled(t, ctx, "Send", send())
	_, err := s.Recv(bounded(t), make([]byte, 1), 0)
	wantIs(t, "Recv on no descriptor", err, syscall.EBADF)
	_, err = s.Send(bounded(t), make([]byte, 1), 0)
	wantIs(t, "Send on no descriptor", err, syscall.EBADF)
	reuse(t, number)
}

func TestUnnotifiedCloseLeavesCloseToWakeWaiters(t *testing.T) {
	s, _, number := numbered(t)
	recv, send := waiters(t, context.Background(), s)
	ok(t, unix.Close(number))
	reuse(t, number)
	ok(t, s.Close(context.Background()))
	wantIs(t, "Recv", recv(), trigo.ErrClosed)
	wantIs(t, "Send", send(), trigo.ErrClosed)
}

// Whoever still has the socket open under another number keeps the kernel
// reporting on it.
func TestUnnotifiedCloseWhileACopyIsReadable(t *testing.T) {
	s, peer, number := numbered(t)
	twin, err := s.Dup()
	ok(t, err)
	closeLater(t, twin)
	ctx, cancel := context.WithCancel(context.Background())
	recv, send := waiters(t, ctx, s)
	ok(t, unix.Close(number))
	_, err = peer.Send(bounded(t), []byte("x"), 0)
	ok(t, err)
	buf := make([]byte, 1)
	if n, err := twin.Recv(bounded(t), buf, 0); n != 1 || err != nil {
		t.Error(n, err)
	}
	cancel()
	// It may have been woken by the byte, and found no descriptor.
	if err := recv(); !errors.Is(err, syscall.EBADF) {
		wantCancelled(t, ctx, "Recv", err)
	}
	wantCancelled(t, ctx, "Send", send())
	reuse(t, number)
}

func TestUnnotifiedCloseAndTheNumberIsAnothers(t *testing.T) {
	s, _, number := numbered(t)
	ctx, cancel := context.WithCancel(context.Background())
	recv, send := waiters(t, ctx, s)
	far := reuse(t, number) // closes what had it
	_, err := far.Send(bounded(t), []byte("x"), 0)
	ok(t, err)
	cancel()
	// The system knows only numbers: it may be a byte of the other socket.
	if err := recv(); err != nil {
		wantCancelled(t, ctx, "Recv", err)
	}
	if err := send(); err != nil {
		wantCancelled(t, ctx, "Send", err)
	}
	ok(t, s.Close(context.Background()))
	_, err = s.Recv(bounded(t), make([]byte, 1), 0)
	wantIs(t, "Recv after Close", err, trigo.ErrClosed)
}

// A number that is not open, or is no socket, is refused and not waited for.
//
// Trio: test_wait_on_invalid_object, test_notify_closing_on_invalid_object
func TestInvalidDescriptorsAreRefused(t *testing.T) {
	for number, want := range map[int]error{-1: syscall.EBADF, 1 << 20: syscall.EBADF} {
		_, err := FromFD(number)
		wantIs(t, "FromFD", err, want)
	}
	null, err := unix.Open("/dev/null", unix.O_RDWR|unix.O_CLOEXEC, 0)
	ok(t, err)
	defer unix.Close(null)
	_, err = FromFD(null)
	wantIs(t, "FromFD of /dev/null", err, syscall.ENOTSOCK)
}
