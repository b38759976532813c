package endpoint

import (
	"context"
	"errors"
	"io"
	"sync/atomic"

	"trigo"
	"trigo/internal/fdstream"
)

var stdioKind = &kind{
	Kind: Kind{Name: "stdio", Form: "stdio", Role: Connects, Help: "standard input and output; - is short for it"},
	bare: true,
	prepare: func(s *setup) (*part, error) {
		return &part{
			phase: PhaseOpen,
			dial: func(ctx context.Context) (trigo.Stream, error) {
				if ctx.Err() != nil {
					return nil, trigo.CancelError(ctx)
				}
				return openStdio()
			},
		}, nil
	},
}

func openStdio() (trigo.Stream, error) {
	in, err := fdstream.Stdin()
	if err != nil {
		return nil, err
	}
	out, err := fdstream.Stdout()
	if err != nil {
		return nil, errors.Join(err, trigo.CloseForcefully(in))
	}
	return newStdio(out, in, isTerminal(0)), nil
}

// newStdio makes one stream of standard input and output, with two manners of its
// own. When nobody reads the output any more (trigo ... | head), reading the
// input ends with the same error: nothing is left to wait for. And when the
// input is a terminal, the end of the output is the end of the input too: who
// sits there cannot see that it is their turn to end it.
func newStdio(out trigo.SendStream, in trigo.ReceiveStream, interactive bool) *trigo.StapledStream {
	i := &stdioInput{ReceiveStream: in}
	return &trigo.StapledStream{Send: &stdioOutput{out, i, interactive}, Receive: i, Name: "stdio"}
}

// stdioInput is standard input.
type stdioInput struct {
	trigo.ReceiveStream
	over atomic.Pointer[error] // what receiving ends with, when the output has ended
}

// end makes receiving end with why.
func (i *stdioInput) end(ctx context.Context, why error) {
	if i.over.CompareAndSwap(nil, &why) {
		i.ReceiveStream.Close(ctx)
	}
}

func (i *stdioInput) ReceiveSome(ctx context.Context, p []byte) (int, error) {
	n, err := i.ReceiveStream.ReceiveSome(ctx, p)
	return n, i.told(err)
}

// told returns why the input has ended, where it is not the input that has.
func (i *stdioInput) told(err error) error {
	if over := i.over.Load(); over != nil && errors.Is(err, trigo.ErrClosed) {
		return *over
	}
	return err
}

// Itself returns i, if the input is a descriptor.
func (i *stdioInput) Itself() any {
	if isDescriptor(i.ReceiveStream) {
		return i
	}
	return nil
}

// ReceiveBy is that of the input.
func (i *stdioInput) ReceiveBy(ctx context.Context, op func(sysfd int) error) error {
	return i.told(i.ReceiveStream.(fdstream.Receiver).ReceiveBy(ctx, op))
}

func (i *stdioInput) Underlying() any { return i.ReceiveStream }
func (i *stdioInput) String() string  { return describe(i.ReceiveStream) }

// stdioOutput is standard output.
type stdioOutput struct {
	trigo.SendStream
	input       *stdioInput
	interactive bool
}

func (o *stdioOutput) SendAll(ctx context.Context, p []byte) error {
	return o.notice(ctx, o.SendStream.SendAll(ctx, p))
}

// notice ends the input when nobody reads the output.
func (o *stdioOutput) notice(ctx context.Context, err error) error {
	if errors.Is(err, trigo.ErrBroken) {
		o.input.end(ctx, err)
	}
	return err
}

// SendEOF closes the output.
func (o *stdioOutput) SendEOF(ctx context.Context) error {
	if err := trigo.CancelError(ctx); err != nil {
		return &trigo.OpError{Op: "send EOF", Layer: o.String(), Err: err}
	}
	err := o.Close(ctx)
	if err == nil && o.interactive {
		o.input.end(ctx, io.EOF)
	}
	return err
}

// Itself returns o, if the output is a descriptor.
func (o *stdioOutput) Itself() any {
	if isDescriptor(o.SendStream) {
		return o
	}
	return nil
}

// SendBy is that of the output.
func (o *stdioOutput) SendBy(ctx context.Context, op func(sysfd int) error, moved *int) error {
	return o.notice(ctx, o.SendStream.(fdstream.Sender).SendBy(ctx, op, moved))
}

func (o *stdioOutput) Underlying() any { return o.SendStream }
func (o *stdioOutput) String() string  { return describe(o.SendStream) }
