package trigotest

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"trigo"
)

// A OneWayMaker makes a new pair of connected ends, for one check. It may wait.
// What else it opened, a listener say, it closes itself.
type OneWayMaker func(ctx context.Context) (trigo.SendStream, trigo.ReceiveStream, error)

// A StreamMaker makes two new streams, connected with each other, for one
// check.
type StreamMaker[S trigo.Stream] func(ctx context.Context) (a, b S, err error)

// CheckOptions say how the checks are run. Nil is the same as the zero value.
type CheckOptions struct {
	// Bubble runs each check in a bubble of [testing/synctest], which makes them
	// exact and quick. The streams must wait on nothing that a bubble does not
	// know: no sockets, no pipes, no files. A call that neither a cancel nor
	// Close can wake ends in a panic of the bubble, after the check has failed.
	Bubble bool

	// Patience is how long anything may take that ought to happen at once,
	// before the check fails and says what it was waiting for. If zero, 10 s.
	Patience time.Duration

	// Settle, if not nil, is called where a check has to wait until every call
	// under way waits for something or has returned. It is for streams that
	// are made to wait by something other than the scheduler: a clock of their
	// own, say. nil: synctest.Wait in a bubble, else a look at the states of
	// the goroutines.
	Settle func()

	// AbortIsEOF says that the transport has nothing by which the peer could
	// tell an abort from a clean end, as Unix sockets have not.
	AbortIsEOF bool
}

// CheckOneWayStream checks that what maker makes is a [trigo.SendStream] and a
// [trigo.ReceiveStream] as their contracts have it. Each check is a subtest, with
// ends of its own; a stream that does not do what it should makes a check fail,
// and not hang.
//
// To see what happens to calls that wait, the kit needs clogged streams: as
// clogged makes them, SendAll and WaitSendAllMightNotBlock wait until the other
// end receives. [Clog] turns a socket into one. If clogged is nil, the checks
// that need one are left out.
//
// Outside a bubble the kit has to find out by itself that a call waits: it
// looks at the states of the goroutines, as long as it must and at most a
// moment. It counts goroutines and descriptors in its last check, so it must not
// run in parallel with other tests. It must not be called in a bubble; see
// [CheckOptions].
//
// Trio: trio.testing.check_one_way_stream. Of its checks those of argument types
// are the compiler's here; new are cancellation with a cause and with a count of
// bytes, sticky ends, and concurrent closing.
func CheckOneWayStream(t *testing.T, maker, clogged OneWayMaker, opts *CheckOptions) {
	runChecks(t, oneWayChecks(maker), opts)
	if clogged != nil {
		runChecks(t, cloggedChecks(clogged), opts)
	}
}

// CheckTwoWayStream checks that what maker makes is a [trigo.Stream]: in each
// direction what [CheckOneWayStream] checks, and then both together. For
// sockets it is used like this:
//
//	func TestTCPConforms(t *testing.T) {
//		pair := func(ctx context.Context) (a, b *netstream.Stream, err error) {
//			// listen on 127.0.0.1:0, dial, accept, close the listener
//		}
//		clogged := func(ctx context.Context) (a, b *netstream.Stream, err error) {
//			if a, b, err = pair(ctx); err != nil {
//				return nil, nil, err
//			}
//			return a, b, errors.Join(trigotest.Clog(ctx, a), trigotest.Clog(ctx, b))
//		}
//		trigotest.CheckHalfCloseableStream(t, pair, clogged, nil)
//	}
//
// Trio: trio.testing.check_two_way_stream.
func CheckTwoWayStream[S trigo.Stream](t *testing.T, maker, clogged StreamMaker[S], opts *CheckOptions) {
	t.Run("forward", func(t *testing.T) {
		CheckOneWayStream(t, forward(maker), forward(clogged), opts)
	})
	t.Run("backward", func(t *testing.T) {
		CheckOneWayStream(t, backward(maker), backward(clogged), opts)
	})
	runChecks(t, twoWayChecks(maker), opts)
	if clogged != nil {
		runChecks(t, twoWayCloggedChecks(clogged), opts)
	}
}

// CheckHalfCloseableStream checks that what maker makes is a
// [trigo.HalfCloseableStream]: what [CheckTwoWayStream] checks, and SendEOF.
//
// Trio: trio.testing.check_half_closeable_stream.
func CheckHalfCloseableStream[S trigo.HalfCloseableStream](t *testing.T, maker, clogged StreamMaker[S], opts *CheckOptions) {
	CheckTwoWayStream(t, maker, clogged, opts)
	runChecks(t, halfCloseChecks(maker), opts)
	if clogged != nil {
		runChecks(t, halfCloseCloggedChecks(clogged), opts)
	}
}

// Clog sends zeros into s until a SendAll has to wait, and takes that SendAll
// back. It makes of a stream whose buffers are bounded the clogged one that the
// checks want. It fails if s takes more than 64 MiB. When ctx ends, so does Clog;
// s is still usable, and has in it what was sent.
func Clog(ctx context.Context, s trigo.SendStream) error {
	zeros := make([]byte, 64<<10)
	for full, sent := 0, 0; full < 2; {
		if sent > 64<<20 {
			return errNeverFull
		}
		// A kernel may shift bytes from one of its buffers to the next, so it
		// counts as full when nothing at all went in, twice.
		n, err := sendForAMoment(ctx, s, zeros)
		switch {
		case err != nil:
			return err
		case n > 0:
			full, sent = 0, sent+n
		default:
			full++
		}
	}
	return nil
}

// forward makes the pair in which a sends to b.
func forward[S trigo.Stream](maker StreamMaker[S]) OneWayMaker {
	if maker == nil {
		return nil
	}
	return func(ctx context.Context) (trigo.SendStream, trigo.ReceiveStream, error) {
		return maker(ctx)
	}
}

// backward makes the pair in which b sends to a.
func backward[S trigo.Stream](maker StreamMaker[S]) OneWayMaker {
	if maker == nil {
		return nil
	}
	return func(ctx context.Context) (trigo.SendStream, trigo.ReceiveStream, error) {
		a, b, err := maker(ctx)
		return b, a, err
	}
}

// check is one check: a name and what to do.
type check struct {
	name string
	run  func(ctx context.Context, b *bench)
}

func runChecks(t *testing.T, checks []check, opts *CheckOptions) {
	if opts == nil {
		opts = &CheckOptions{}
	}
	for _, c := range checks {
		t.Run(c.name, func(t *testing.T) {
			if opts.Bubble {
				synctest.Test(t, func(t *testing.T) { runCheck(t, c, opts) })
			} else {
				runCheck(t, c, opts)
			}
		})
	}
}
