package endpoint

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"

	"trigo"
)

// pair makes one stream of two halves, either of which may be missing.
func pair(out trigo.SendStream, in trigo.ReceiveStream, name string) trigo.Stream {
	if out == nil {
		out = &noOutput{name: name}
	}
	if in == nil {
		in = &noInput{name: name}
	}
	return &trigo.StapledStream{Send: out, Receive: in, Name: name}
}

// noOutput is the sending half of what can only be received from. It can be told
// the end: there is nothing that would have to be told on.
type noOutput struct {
	name   string
	closed atomic.Bool
}

func (n *noOutput) fail(ctx context.Context, op string, err error) error {
	switch {
	case ctx.Err() != nil:
		err = trigo.CancelError(ctx)
	case n.closed.Load():
		err = trigo.ErrClosed
	case err == nil:
		return nil
	}
	return &trigo.OpError{Op: op, Layer: n.name, Err: err}
}

var errOneWay = fmt.Errorf("it is only received from: %w", errors.ErrUnsupported)

func (n *noOutput) SendAll(ctx context.Context, p []byte) error {
	if len(p) == 0 {
		return n.fail(ctx, "send", nil)
	}
	return n.fail(ctx, "send", errOneWay)
}

func (n *noOutput) WaitSendAllMightNotBlock(ctx context.Context) error {
	return n.fail(ctx, "wait to send", nil)
}

func (n *noOutput) Close(context.Context) error {
	n.closed.Store(true)
	return nil
}

func (n *noOutput) String() string { return "no output to " + n.name }

// noInput is the receiving half of what can only be sent to: it has ended.
type noInput struct {
	name   string
	closed atomic.Bool
}

func (n *noInput) ReceiveSome(ctx context.Context, p []byte) (int, error) {
	var err error
	switch {
	case len(p) == 0:
		return 0, io.ErrShortBuffer
	case ctx.Err() != nil:
		err = trigo.CancelError(ctx)
	case n.closed.Load():
		err = trigo.ErrClosed
	default:
		return 0, io.EOF
	}
	return 0, &trigo.OpError{Op: "receive", Layer: n.name, Err: err}
}

func (n *noInput) Close(context.Context) error {
	n.closed.Store(true)
	return nil
}

func (n *noInput) String() string { return "no input from " + n.name }
