package process

import (
	"context"
	"errors"
	"io"
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

// keyboard is the sending half of a terminal that the child has.
type keyboard struct {
	sendPipe
	midLine bool // of the sender
	closed  chan struct{}
}

func (k *keyboard) SendAll(ctx context.Context, b []byte) error {
	select {
	case <-k.closed:
		return k.tell(ctx, &trigo.OpError{Op: "send", Layer: k.String(), Err: trigo.ErrClosed})
	default:
	}
	err := k.sendPipe.SendAll(ctx, b)
	if len(b) > 0 && err == nil {
		k.midLine = b[len(b)-1] != '\n'
	}
	return err
}

// endOfFile is what the user types for it (VEOF).
const endOfFile = "\x04"

// Close types the end of file. The terminal is closed with its other half.
func (k *keyboard) Close(ctx context.Context) error {
	select {
	case <-k.closed:
		return nil
	default:
		close(k.closed)
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
