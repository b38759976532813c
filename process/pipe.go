package process

import (
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"

	"trigo"
	"trigo/internal/fdstream"
	"trigo/internal/pollio"
)

// sendPipe is our end of a pipe that the child reads.
type sendPipe struct {
	s     *fdstream.Stream
	layer layerName
	kill  func() error // what Abort does to the child; nil: nothing
	abandonment
}

// receivePipe is our end of a pipe that the child writes.
type receivePipe struct {
	s     *fdstream.Stream
	layer layerName
	abandonment
}

// abandonment is whether the supervisor has closed a stream of the user, because
// of a cancel. Who has been cancelled by the same is to learn of that, and not of
// the closing, which comes at about the same time.
type abandonment struct{ done atomic.Bool }

// abandon is called before the stream is closed.
func (a *abandonment) abandon() { a.done.Store(true) }

// tell returns the error of a call under ctx that got err.
func (a *abandonment) tell(ctx context.Context, err error) error {
	var op *trigo.OpError
	if err == nil || !a.done.Load() || ctx.Err() == nil || !errors.Is(err, trigo.ErrClosed) || !errors.As(err, &op) {
		return err
	}
	told := *op
	told.Err = trigo.CancelError(ctx)
	return &told
}

var (
	_ trigo.SendStream    = (*sendPipe)(nil)
	_ trigo.Aborter       = (*sendPipe)(nil)
	_ trigo.ReceiveStream = (*receivePipe)(nil)
)

// layerName names a stream in errors: "stdin of cat".
type layerName string

func (n layerName) String() string { return string(n) }

func (p *sendPipe) SendAll(ctx context.Context, b []byte) error {
	return p.tell(ctx, p.s.SendAll(ctx, b))
}

func (p *sendPipe) WaitSendAllMightNotBlock(ctx context.Context) error {
	return p.tell(ctx, p.s.WaitSendAllMightNotBlock(ctx))
}

// Close is the end of file for the child. It never waits.
func (p *sendPipe) Close(ctx context.Context) error { return p.s.Close(ctx) }

// Abort kills the child: the end of file alone would look to it like a proper
// end.
func (p *sendPipe) Abort() error {
	var err error
	if p.kill != nil {
		err = p.kill()
	}
	return join(err, p.s.Close(context.Background()))
}

// Itself and SendBy are for packages that have the kernel move the bytes.
func (p *sendPipe) Itself() any { return p }

func (p *sendPipe) SendBy(ctx context.Context, op func(sysfd int) error, moved *int) error {
	return p.tell(ctx, p.s.SendBy(ctx, op, moved))
}

// FD returns the descriptor for packages of this module that move bytes in
// other ways.
func (p *sendPipe) FD() *pollio.FD { return p.s.FD() }

func (p *sendPipe) String() string { return string(p.layer) }

func (p *receivePipe) ReceiveSome(ctx context.Context, b []byte) (int, error) {
	n, err := p.s.ReceiveSome(ctx, b)
	return n, p.tell(ctx, err)
}

// Close never waits. A child that goes on writing gets SIGPIPE.
func (p *receivePipe) Close(ctx context.Context) error { return p.s.Close(ctx) }

// Itself and ReceiveBy are for packages that have the kernel move the bytes.
func (p *receivePipe) Itself() any { return p }

func (p *receivePipe) ReceiveBy(ctx context.Context, op func(sysfd int) error) error {
	return p.tell(ctx, p.s.ReceiveBy(ctx, op))
}

// FD returns the descriptor for packages of this module that move bytes in
// other ways.
func (p *receivePipe) FD() *pollio.FD { return p.s.FD() }

func (p *receivePipe) String() string { return string(p.layer) }

// sender is the stream to the input of the child, as whoever wires it sees it.
type sender interface {
	trigo.SendStream
	abandon()
	killsWith(kill func() error)
}

func (p *sendPipe) killsWith(kill func() error) { p.kill = kill }

// receiver is the stream from an output of the child, as whoever serves it sees
// it.
type receiver interface {
	trigo.ReceiveStream
	abandon()
	// receiveNow receives what is there, without waiting; n is 0 if there is
	// nothing. Nobody else receives.
	receiveNow(p []byte) (n int, err error)
	// heldBy tells who else has it open.
	heldBy() []relative
}

func (p *receivePipe) receiveNow(b []byte) (int, error) { return readNow(p.s.FD(), b) }

func (p *receivePipe) heldBy() []relative { return holders(p.s.FD()) }

// screen is the receiving half of a terminal that the child has.
type screen struct{ receivePipe }

// ReceiveSome returns io.EOF when nobody has the terminal open any more.
func (s *screen) ReceiveSome(ctx context.Context, b []byte) (int, error) {
	n, err := s.receivePipe.ReceiveSome(ctx, b)
	if err != nil && isHangup(err) {
		err = io.EOF
	}
	return n, err
}

func (s *screen) receiveNow(b []byte) (int, error) {
	n, err := readNow(s.s.FD(), b)
	if err != nil && isHangup(err) {
		err = io.EOF
	}
	return n, err
}

func (s *screen) heldBy() []relative { return nil }

// keyboard is the sending half of a terminal that the child has. Its Close leaves the
// terminal to the other half, so it has to wake who sends by other means.
type keyboard struct {
	sendPipe

	mu      sync.Mutex
	closed  bool                    // guarded by mu
	midLine bool                    // guarded by mu
	cut     context.CancelCauseFunc // guarded by mu: ends the call under way; nil if there is none
	free    chan struct{}           // guarded by mu: closed at the end of that call
}

func (k *keyboard) SendAll(ctx context.Context, b []byte) error {
	return k.use(ctx, "send", b, k.s.SendAll)
}

func (k *keyboard) WaitSendAllMightNotBlock(ctx context.Context) error {
	return k.use(ctx, "wait to send", nil, func(ctx context.Context, _ []byte) error {
		return k.s.WaitSendAllMightNotBlock(ctx)
	})
}

// use calls send with b, under a ctx that Close ends too.
func (k *keyboard) use(ctx context.Context, op string, b []byte, send func(context.Context, []byte) error) error {
	inner, cut := context.WithCancelCause(ctx)
	defer cut(nil)
	free := make(chan struct{})
	if err := k.begin(ctx, cut, free); err != nil {
		return k.tell(ctx, &trigo.OpError{Op: op, Layer: k.String(), Err: err})
	}
	defer close(free)
	err := send(inner, b)

	k.mu.Lock()
	defer k.mu.Unlock()
	k.cut, k.free = nil, nil
	sent := len(b)
	if failed := (*trigo.OpError)(nil); errors.As(err, &failed) {
		sent = int(failed.N)
		if k.closed && errors.Is(err, trigo.ErrClosed) { // as the cause with which it was cancelled
			err = &trigo.OpError{Op: op, Layer: k.String(), N: failed.N, Err: trigo.ErrClosed}
		}
	}
	if sent > 0 {
		k.midLine = b[sent-1] != '\n'
	}
	return k.tell(ctx, err)
}

// begin takes the keyboard for a call that cut ends, and that will close free.
func (k *keyboard) begin(ctx context.Context, cut context.CancelCauseFunc, free chan struct{}) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case k.closed:
		return trigo.ErrClosed
	case ctx.Err() != nil:
		return trigo.CancelError(ctx)
	case k.cut != nil:
		return trigo.ErrBusy
	}
	k.cut, k.free = cut, free
	return nil
}

// endOfFile is what the user types for it (VEOF).
const endOfFile = "\x04"

// Close types the end of file. The terminal is closed with its other half.
func (k *keyboard) Close(ctx context.Context) error {
	k.mu.Lock()
	if k.closed {
		k.mu.Unlock()
		return nil
	}
	k.closed = true
	cut, free := k.cut, k.free
	k.mu.Unlock()
	if cut != nil {
		cut(trigo.ErrClosed)
		<-free // at once
	}
	text := endOfFile
	if k.midLine { // there the first one only ends the line
		text += endOfFile
	}
	err := k.s.SendAll(ctx, []byte(text))
	if isGone(err) {
		return nil
	}
	return err
}
