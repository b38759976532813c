//go:build unix

package signals

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"
	"testing"

	"trigo"
)

const (
	usr1  = syscall.SIGUSR1
	usr2  = syscall.SIGUSR2
	winch = syscall.SIGWINCH
)

var errReason = errors.New("the reason")

func TestASignalThatComesAgainBeforeItIsReceivedCountsOnce(t *testing.T) {
	r := mustOpen(t, usr1)
	send(usr1, usr1, usr1)
	gets(t, r, usr1)
	send(usr1)
	gets(t, r, usr1)
}

func TestSignalsAreReceivedInTheOrderInWhichTheyCame(t *testing.T) {
	r := mustOpen(t, usr1, usr2, winch)
	send(usr2, winch, usr2, usr1, winch)
	gets(t, r, usr2, winch, usr1)
	send(winch, usr1)
	gets(t, r, winch, usr1)
}

// A receive asks for the Done channel when it has found nothing, just before it waits.
type sendsWhenAsked struct {
	context.Context
	sigs []syscall.Signal
}

func (s *sendsWhenAsked) Done() <-chan struct{} {
	send(s.sigs...)
	s.sigs = nil
	return s.Context.Done()
}

func TestSignalsThatComeJustBeforeAReceiveWaitsAreInOrder(t *testing.T) {
	r := mustOpen(t, usr1, usr2)
	for range 20 {
		got, err := r.Receive(&sendsWhenAsked{background, []syscall.Signal{usr2, usr1}})
		if got != usr2 || err != nil {
			t.Fatalf("received %v, %v, want %v", got, err, usr2)
		}
		gets(t, r, usr1)
	}
}

func TestNoSignalStarvesAnother(t *testing.T) {
	r := mustOpen(t, usr1, usr2)
	send(usr1, usr2)
	for i := range 10 {
		sig := []syscall.Signal{usr1, usr2}[i%2]
		if got, err := r.Receive(background); got != sig || err != nil {
			t.Fatalf("received %v, %v, want %v", got, err, sig)
		}
		send(sig) // both wait again
	}
	gets(t, r, usr1, usr2)
}

func TestAFloodPushesNothingOut(t *testing.T) {
	r := mustOpen(t, usr1, usr2, winch)
	for range 2 * hintsKept {
		send(usr1)
	}
	send(winch)
	gets(t, r, usr1, winch)
}

func TestAWaitingReceiveIsWoken(t *testing.T) {
	r := mustOpen(t, usr1, usr2)
	got := make(chan os.Signal)
	go func() {
		for sig := range r.All(background) {
			got <- sig
		}
		close(got)
	}()
	for range 100 {
		for _, sig := range []syscall.Signal{usr1, usr2, usr2} {
			send(sig)
			if s := <-got; s != sig {
				t.Fatalf("received %v, want %v", s, sig)
			}
		}
	}
	r.Close(background)
	<-got
}

func TestOneTaskReceivesAtATime(t *testing.T) {
	r := mustOpen(t, usr1)
	first := make(chan error)
	go func() {
		_, err := r.Receive(background)
		first <- err
	}()
	awaitReceiving(r)
	_, err := r.Receive(background)
	want(t, "the second", err, trigo.ErrBusy)
	send(usr1)
	want(t, "the first", <-first, nil)
	send(usr1)
	gets(t, r, usr1)
}

// awaitReceiving waits until somebody is in Receive.
func awaitReceiving(r *Receiver) {
	for {
		table.Lock()
		is := r.receiving
		table.Unlock()
		if is {
			return
		}
	}
}

func TestACancelledReceiveTookNothing(t *testing.T) {
	r := mustOpen(t, usr1)
	dead, cancel := context.WithCancelCause(background)
	cancel(errReason)
	send(usr1)
	_, err := r.Receive(dead)
	want(t, "receive with a dead ctx", err, context.Canceled)
	want(t, "receive with a dead ctx", err, errReason)
	gets(t, r, usr1)

	for range 100 { // the signal and the cancel race
		ctx, cancel := context.WithCancelCause(background)
		result := make(chan error)
		go func() {
			_, err := r.Receive(ctx)
			result <- err
		}()
		awaitReceiving(r)
		go cancel(errReason)
		send(usr1)
		if err := <-result; err != nil {
			want(t, "receive", err, errReason)
			gets(t, r, usr1)
		} else {
			gets(t, r)
		}
	}
}

func TestAClosedReceiverIsClosed(t *testing.T) {
	r := mustOpen(t, usr1)
	result := make(chan error)
	go func() {
		_, err := r.Receive(background)
		result <- err
	}()
	awaitReceiving(r)
	want(t, "close", r.Close(background), nil)
	want(t, "the receive that waited", <-result, trigo.ErrClosed)
	_, err := r.Receive(background)
	want(t, "receive", err, trigo.ErrClosed)
	want(t, "close again", r.Close(background), nil)
	for _, err := range r.All(background) {
		want(t, "iteration", err, trigo.ErrClosed)
	}
}

type foreign struct{}

func (foreign) String() string { return "foreign" }
func (foreign) Signal()        {}

func TestOpenRefusesWhatCannotBeCaughtAndChangesNothing(t *testing.T) {
	for _, c := range []struct {
		name string
		sigs []os.Signal
		kind error
	}{
		{"none", nil, nil},
		{"kill", []os.Signal{usr1, os.Kill}, errUncatchable},
		{"stop", []os.Signal{syscall.SIGSTOP, usr1}, errUncatchable},
		{"zero", []os.Signal{usr1, syscall.Signal(0)}, errors.ErrUnsupported},
		{"too high", []os.Signal{usr1, syscall.Signal(1000)}, errors.ErrUnsupported},
		{"not of this system", []os.Signal{usr1, foreign{}}, errors.ErrUnsupported},
	} {
		r, err := Open(c.sigs...)
		if err == nil || r != nil {
			t.Errorf("%s: no error", c.name)
		}
		if c.kind != nil {
			want(t, c.name, err, c.kind)
		}
	}
	if len(table.watched) > 0 {
		t.Errorf("still watched: %v", table.watched)
	}
}

func TestASignalGivenTwiceCountsOnce(t *testing.T) {
	r := mustOpen(t, usr1, usr1)
	send(usr1)
	gets(t, r, usr1)
	want(t, "close", r.Close(background), nil)
	if len(table.watched) > 0 {
		t.Errorf("still watched: %v", table.watched)
	}
}

func TestOtherUsersOfOsSignalGetTheirs(t *testing.T) {
	other := make(chan os.Signal, 10)
	signal.Notify(other, usr1)
	defer signal.Stop(other)
	r := mustOpen(t, usr1)
	send(usr1)
	gets(t, r, usr1)
	if len(other) != 1 {
		t.Errorf("it got %d signals", len(other))
	}
	send(usr1)
	r.Close(background) // raises it again
	settled()
	if len(other) != 3 {
		t.Errorf("it got %d signals, want each, and once more the one that was not received", len(other))
	}
	send(usr1)
	if len(other) != 4 {
		t.Errorf("it got %d signals after the receiver was closed", len(other))
	}
}

func TestTheInnerReceiverGetsTheSignals(t *testing.T) {
	outer := mustOpen(t, usr1, usr2)
	send(usr1) // before the inner one: not its business
	inner := mustOpen(t, usr1, winch)
	send(usr1, usr2, winch)
	gets(t, inner, usr1, winch)
	gets(t, outer, usr1, usr2)
	inner.Close(background)
	send(usr1)
	gets(t, outer, usr1)
}

func TestWhatTheInnerReceiverDidNotReceiveGoesOutwards(t *testing.T) {
	outer := mustOpen(t, usr1, usr2)
	inner := mustOpen(t, usr1, usr2)
	result := make(chan os.Signal)
	go func() {
		sig, _ := outer.Receive(background) // waits since before
		result <- sig
	}()
	awaitReceiving(outer)
	send(usr2, usr1)
	inner.Close(background)
	if sig := <-result; sig != usr2 {
		t.Errorf("received %v", sig)
	}
	gets(t, outer, usr1)
}

func TestAWaitingOuterReceiverLeavesTheSignalsToTheInner(t *testing.T) {
	outer := mustOpen(t, usr1)
	result := make(chan os.Signal)
	receive := func() {
		sig, _ := outer.Receive(background)
		result <- sig
	}
	go receive()
	awaitReceiving(outer)
	inner := mustOpen(t, usr1)
	for range 100 {
		send(usr1)
		if sig, err := inner.Receive(background); sig != usr1 || err != nil {
			t.Errorf("received %v, %v", sig, err)
		}
	}
	outer.Close(background)
	if sig := <-result; sig != nil {
		t.Errorf("the outer one received %v", sig)
	}

	inner.Close(background)

	outer = mustOpen(t, usr1) // new ones, so that nothing is left that would wake it
	inner = mustOpen(t, usr1)
	go receive() // while the inner one is open
	awaitReceiving(outer)
	inner.Close(background)
	send(usr1)
	if sig := <-result; sig != usr1 {
		t.Errorf("the outer one received %v", sig)
	}
}

func TestWhatTheInnerReceiverReceivedDoesNotUpsetTheOrder(t *testing.T) {
	outer := mustOpen(t, usr1, usr2)
	inner := mustOpen(t, usr1)
	send(usr1)
	gets(t, inner, usr1)
	inner.Close(background)
	send(usr2, usr1)
	gets(t, outer, usr2, usr1)
}

func TestReceiversMayCloseInAnyOrder(t *testing.T) {
	a := mustOpen(t, usr1)
	b := mustOpen(t, usr1)
	c := mustOpen(t, usr1)
	send(usr1)
	b.Close(background)
	gets(t, a)
	c.Close(background)
	gets(t, a, usr1)
	d := mustOpen(t, usr1)
	send(usr1)
	a.Close(background)
	gets(t, d, usr1)
	send(usr1)
	gets(t, d, usr1)
}

func TestPendingSignalsOfAReceiverInTheMiddleAreNotLost(t *testing.T) {
	a := mustOpen(t, usr1)
	b := mustOpen(t, usr1)
	send(usr1)
	c := mustOpen(t, usr1)
	b.Close(background)
	gets(t, c, usr1) // as if it was raised again
	gets(t, a)
}
