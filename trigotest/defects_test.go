package trigotest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"sync/atomic"
	"time"

	"trigo"
)

// defect is one way to get a contract wrong, and the check that ought to
// notice. In the one-way checks x sends and y receives.
type defect struct {
	check    string
	what     string // "a stream that ..."
	lockstep bool   // inflicted on a lockstep pair, which is clogged
	polite   bool   // wrapped in a politeAborter
	inflict  func(x, y *broken, hang chan struct{})
}

var defects = append(append(append(dataDefects, closeDefects...), cloggedDefects...), twoWayDefects...)

var dataDefects = []defect{
	{check: "what is sent is received", what: "changes the data", inflict: func(x, y *broken, _ chan struct{}) {
		y.receive = func(ctx context.Context, p []byte) (int, error) {
			n, err := y.good().ReceiveSome(ctx, p)
			copy(p[:n], bytes.ToUpper(p[:n]))
			return n, err
		}
	}},
	{check: "what is sent is received", what: "returns data and an error", inflict: func(x, y *broken, _ chan struct{}) {
		y.receive = func(ctx context.Context, p []byte) (int, error) {
			n, _ := y.good().ReceiveSome(ctx, p)
			return n, io.EOF
		}
	}},
	{check: "an empty send is invisible", what: "ends at an empty send", inflict: func(x, y *broken, _ chan struct{}) {
		x.send = func(ctx context.Context, p []byte) error {
			if len(p) == 0 {
				return x.good().SendEOF(ctx)
			}
			return x.good().SendAll(ctx, p)
		}
	}},
	{check: "a sent slice may be reused", what: "keeps the slice", inflict: func(x, y *broken, _ chan struct{}) {
		var kept [][]byte
		x.send = func(_ context.Context, p []byte) error { kept = append(kept, p); return nil }
		x.closing = func(ctx context.Context) error {
			for _, p := range kept {
				x.good().SendAll(ctx, p)
			}
			kept = nil
			return x.good().Close(ctx)
		}
	}},
	{check: "a receive returns no more than fits", what: "drops what does not fit", inflict: func(x, y *broken, _ chan struct{}) {
		y.receive = func(ctx context.Context, p []byte) (int, error) {
			big := make([]byte, 100)
			n, err := y.good().ReceiveSome(ctx, big)
			return copy(p, big[:n]), err
		}
	}},
	{check: "a receive returns no more than fits", what: "writes behind the slice", inflict: func(x, y *broken, _ chan struct{}) {
		y.receive = func(ctx context.Context, p []byte) (int, error) {
			n, err := y.good().ReceiveSome(ctx, p)
			clear(p[len(p):cap(p)])
			return n, err
		}
	}},
	{check: "a receive into nothing is ErrShortBuffer", what: "receives nothing, successfully", inflict: func(x, y *broken, _ chan struct{}) {
		y.receive = func(ctx context.Context, p []byte) (int, error) {
			if len(p) == 0 {
				return 0, nil
			}
			return y.good().ReceiveSome(ctx, p)
		}
	}},
	{check: "a second receiver is busy", what: "makes the second receiver queue", inflict: func(x, y *broken, _ chan struct{}) {
		queue := make(chan struct{}, 1)
		y.receive = func(ctx context.Context, p []byte) (int, error) {
			queue <- struct{}{}
			defer func() { <-queue }()
			return y.good().ReceiveSome(ctx, p)
		}
	}},
	{check: "wait to send returns while someone receives", what: "never lets a waiter go", inflict: waitForEver},
	{check: "a dead ctx does nothing", what: "sends under a dead ctx", inflict: func(x, y *broken, _ chan struct{}) {
		x.send = func(ctx context.Context, p []byte) error {
			err := x.good().SendAll(context.WithoutCancel(ctx), p)
			return errors.Join(trigo.CancelError(ctx), err)
		}
	}},
	{check: "a dead ctx does nothing", what: "counts what it did not send", inflict: func(x, y *broken, _ chan struct{}) {
		x.send = func(ctx context.Context, p []byte) error {
			err := x.good().SendAll(ctx, p)
			if op := new(trigo.OpError); errors.As(err, &op) {
				op.N = int64(len(p))
			}
			return err
		}
	}},
	{check: "a dead ctx does nothing", what: "forgets the cause", inflict: func(x, y *broken, _ chan struct{}) {
		x.wait = func(ctx context.Context) error { return ctx.Err() }
	}},
	{check: "a dead ctx does nothing", what: "does not look at the ctx of an empty send", inflict: func(x, y *broken, _ chan struct{}) {
		x.send = func(ctx context.Context, p []byte) error {
			if len(p) == 0 {
				return nil
			}
			return x.good().SendAll(ctx, p)
		}
	}},
	{check: "a dead ctx does nothing", what: "receives under a dead ctx", inflict: func(x, y *broken, _ chan struct{}) {
		some := make([]byte, 1)
		y.receive = func(ctx context.Context, p []byte) (int, error) {
			if ctx.Err() != nil {
				short, cancel := context.WithTimeout(context.Background(), 1)
				defer cancel()
				y.good().ReceiveSome(short, some)
			}
			return y.good().ReceiveSome(ctx, p)
		}
	}},
	{check: "a cancelled receive takes nothing", what: "goes on receiving behind the caller's back", inflict: func(x, y *broken, _ chan struct{}) {
		y.receive = func(ctx context.Context, p []byte) (int, error) {
			var n int
			var err error
			done := make(chan struct{})
			go func() {
				defer close(done)
				n, err = y.good().ReceiveSome(context.Background(), make([]byte, len(p)))
			}()
			select {
			case <-done:
				return n, err
			case <-ctx.Done():
				return 0, trigo.CancelError(ctx)
			}
		}
	}},
	{check: "a cancelled receive takes nothing", what: "cannot be cancelled", inflict: func(x, y *broken, _ chan struct{}) {
		y.receive = func(ctx context.Context, p []byte) (int, error) {
			return y.good().ReceiveSome(context.WithoutCancel(ctx), p)
		}
	}},
	{check: "a cancelled receive takes nothing", what: "still writes into its slice", inflict: func(x, y *broken, _ chan struct{}) {
		var lent []byte
		y.receive = func(ctx context.Context, p []byte) (int, error) {
			n, err := y.good().ReceiveSome(ctx, p)
			copy(lent, p[:n])
			if err != nil {
				lent = p
			}
			return n, err
		}
	}},
	{check: "a cancel that races a receive loses nothing", what: "prefers a late cancel to success", inflict: func(x, y *broken, _ chan struct{}) {
		y.receive = func(ctx context.Context, p []byte) (int, error) {
			n, err := y.good().ReceiveSome(ctx, p)
			time.Sleep(time.Nanosecond)
			if ctx.Err() != nil {
				return 0, trigo.CancelError(ctx)
			}
			return n, err
		}
	}},
	{check: "a cancelled send tells what went out", what: "says that nothing did", lockstep: true, inflict: func(x, y *broken, _ chan struct{}) {
		x.send = func(ctx context.Context, p []byte) error {
			err := x.good().SendAll(ctx, p)
			if op := new(trigo.OpError); errors.As(err, &op) {
				op.N = 0
			}
			return err
		}
	}},
	{check: "a cancelled send tells what went out", what: "says nothing of it", lockstep: true, inflict: func(x, y *broken, _ chan struct{}) {
		x.send = func(ctx context.Context, p []byte) error {
			err := x.good().SendAll(ctx, p)
			if ctx.Err() != nil {
				return trigo.CancelError(ctx)
			}
			return err
		}
	}},
	{check: "a cancelled send tells what went out", what: "sends the rest later", lockstep: true, inflict: func(x, y *broken, _ chan struct{}) {
		var rest []byte
		x.send = func(ctx context.Context, p []byte) error {
			p = append(rest, p...)
			rest = nil
			err := x.good().SendAll(ctx, p)
			if op := new(trigo.OpError); errors.As(err, &op) {
				rest = bytes.Clone(p[op.N:])
			}
			return err
		}
	}},
	{check: "a cancelled send tells what went out", what: "keeps the slice of the caller", lockstep: true, inflict: func(x, y *broken, _ chan struct{}) {
		var kept []byte
		x.send = func(ctx context.Context, p []byte) error {
			if err := x.good().SendAll(ctx, kept); err != nil {
				return err
			}
			kept = nil
			err := x.good().SendAll(ctx, p)
			if op := new(trigo.OpError); errors.As(err, &op) {
				kept = p[op.N:]
				op.N = int64(len(p))
			}
			return err
		}
	}},
	{check: "nothing is left behind", what: "leaves a goroutine", inflict: func(x, y *broken, hang chan struct{}) {
		go func() { <-hang }()
	}},
}

// waitForEver is a wait to send that only a cancel ends.
func waitForEver(x, _ *broken, _ chan struct{}) {
	x.wait = func(ctx context.Context) error {
		<-ctx.Done()
		return trigo.CancelError(ctx)
	}
}

var closeDefects = []defect{
	{check: "graceful close loses nothing", what: "drops what it has", inflict: func(x, y *broken, _ chan struct{}) {
		x.send = func(context.Context, []byte) error { return nil }
	}},
	{check: "graceful close loses nothing", what: "resets", inflict: func(x, y *broken, _ chan struct{}) {
		x.closing = func(context.Context) error { return trigo.Abort(x.good()) }
	}},
	{check: "EOF stays", what: "turns from EOF to an error", inflict: func(x, y *broken, _ chan struct{}) {
		y.receive = func(ctx context.Context, p []byte) (int, error) {
			n, err := y.good().ReceiveSome(ctx, p)
			if err == io.EOF {
				y.receive = func(context.Context, []byte) (int, error) { return 0, trigo.ErrBroken }
			}
			return n, err
		}
	}},
	{check: "EOF stays", what: "wraps EOF", inflict: func(x, y *broken, _ chan struct{}) {
		y.receive = func(ctx context.Context, p []byte) (int, error) {
			n, err := y.good().ReceiveSome(ctx, p)
			if err != nil {
				err = &trigo.OpError{Op: "receive", Err: err}
			}
			return n, err
		}
	}},
	{check: "a closed receiver breaks its sender", what: "sends to nobody", inflict: sendToNobody},
	{check: "a closed receiver breaks its sender", what: "breaks only once", inflict: func(x, y *broken, _ chan struct{}) {
		x.send = func(ctx context.Context, p []byte) error {
			err := x.good().SendAll(ctx, p)
			if err != nil {
				sendToNobody(x, y, nil)
			}
			return err
		}
	}},
	{check: "a receiver closed by force breaks its sender", what: "is not closed by force", inflict: func(x, y *broken, _ chan struct{}) {
		onlyGraceful(y)
	}},
	{check: "a sender closed by force ends its receiver", what: "is not closed by force", inflict: func(x, y *broken, _ chan struct{}) {
		onlyGraceful(x)
	}},
	{check: "a sender closed by force ends its receiver", what: "does not tell its peer", inflict: func(x, y *broken, _ chan struct{}) {
		closeByFlag(x)
	}},
	{check: "an aborted stream is broken and stays so", what: "says goodbye", polite: true, inflict: func(x, y *broken, _ chan struct{}) {}},
	{check: "a closed receiver says so", what: "says EOF", inflict: func(x, y *broken, _ chan struct{}) {
		y.receive = func(ctx context.Context, p []byte) (int, error) {
			n, err := y.good().ReceiveSome(ctx, p)
			if errors.Is(err, trigo.ErrClosed) {
				err = io.EOF
			}
			return n, err
		}
	}},
	{check: "a closed sender says so", what: "lets empty sends pass", inflict: emptyAlwaysSucceeds},
	{check: "a closed sender that was broken says closed", what: "stays broken", inflict: func(x, y *broken, _ chan struct{}) {
		var first error
		x.send = func(ctx context.Context, p []byte) error {
			if first == nil {
				first = x.good().SendAll(ctx, p)
			}
			return first
		}
	}},
	{check: "close drops what was not received", what: "has read ahead", inflict: func(x, y *broken, _ chan struct{}) {
		var ahead []byte
		y.receive = func(ctx context.Context, p []byte) (int, error) {
			if len(ahead) == 0 {
				buf := make([]byte, 100)
				n, err := y.good().ReceiveSome(ctx, buf)
				if err != nil {
					return 0, err
				}
				ahead = buf[:n]
			}
			n := copy(p, ahead)
			ahead = ahead[n:]
			return n, nil
		}
	}},
	{check: "a receive that races close gets data or closed", what: "calls it broken", inflict: func(x, y *broken, _ chan struct{}) {
		y.receive = func(ctx context.Context, p []byte) (int, error) {
			n, err := y.good().ReceiveSome(ctx, p)
			if errors.Is(err, trigo.ErrClosed) {
				err = trigo.ErrBroken
			}
			return n, err
		}
	}},
	{check: "close with a dead ctx closes", what: "does nothing under a dead ctx", inflict: func(x, y *broken, _ chan struct{}) {
		onlyGraceful(x)
	}},
	{check: "close wakes a receiver", what: "lets it sleep", inflict: func(x, y *broken, _ chan struct{}) { closeByFlag(y) }},
	{check: "close with a dead ctx wakes a receiver", what: "lets it sleep", inflict: func(x, y *broken, _ chan struct{}) {
		onlyGraceful(y)
	}},
	{check: "closing again is silent", what: "complains", inflict: func(x, y *broken, _ chan struct{}) {
		x.closing = complainAgain(x.good().Close)
	}},
	{check: "concurrent closes all succeed", what: "is busy closing", inflict: func(x, y *broken, _ chan struct{}) {
		var closing atomic.Bool
		x.closing = func(ctx context.Context) error {
			if !closing.CompareAndSwap(false, true) {
				return trigo.ErrBusy
			}
			defer closing.Store(false)
			time.Sleep(time.Nanosecond)
			return x.good().Close(ctx)
		}
	}},
}

// sendToNobody takes a broken stream for a good place to send to.
func sendToNobody(x, _ *broken, _ chan struct{}) {
	x.send = func(ctx context.Context, p []byte) error {
		if err := x.good().SendAll(ctx, p); !errors.Is(err, trigo.ErrBroken) {
			return err
		}
		return nil
	}
}

// onlyGraceful leaves a stream open whose Close gets a dead ctx.
func onlyGraceful(s *broken) {
	s.closing = func(ctx context.Context) error {
		if ctx.Err() != nil {
			return trigo.CancelError(ctx)
		}
		return s.good().Close(ctx)
	}
}

// closeByFlag closes a stream for later calls only: it wakes nobody and tells
// nobody.
func closeByFlag(s *broken) {
	var closed atomic.Bool
	s.closing = func(context.Context) error { closed.Store(true); return nil }
	s.send = func(ctx context.Context, p []byte) error {
		if closed.Load() {
			return trigo.ErrClosed
		}
		return s.good().SendAll(ctx, p)
	}
	s.receive = func(ctx context.Context, p []byte) (int, error) {
		if closed.Load() {
			return 0, trigo.ErrClosed
		}
		return s.good().ReceiveSome(ctx, p)
	}
}

func emptyAlwaysSucceeds(x, _ *broken, _ chan struct{}) {
	x.send = func(ctx context.Context, p []byte) error {
		if len(p) == 0 {
			return trigo.CancelError(ctx)
		}
		return x.good().SendAll(ctx, p)
	}
}

// complainAgain is f that fails from the second call on.
func complainAgain(f func(context.Context) error) func(context.Context) error {
	var again atomic.Bool
	return func(ctx context.Context) error {
		if again.Swap(true) {
			return trigo.ErrClosed
		}
		return f(ctx)
	}
}
