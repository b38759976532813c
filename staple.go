package trigo

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
)

// StapledStream joins a sending and a receiving stream into one: the pipes of a
// child process, say. Sending goes to Send, receiving to Receive.
//
// Trio: trio.StapledStream. Unlike Trio's it has a guard of its own, so that
// SendEOF during a blocked SendAll is [ErrBusy] even where SendEOF means
// closing the sending half.
type StapledStream struct {
	Send    SendStream
	Receive ReceiveStream
	Name    string // what String says; "" for the names of both

	sending atomic.Bool // held by the one call that uses the sending half
	closed  atomic.Bool
}

var (
	_ HalfCloseableStream = (*StapledStream)(nil)
	_ Aborter             = (*StapledStream)(nil)
)

// Staple returns a stream that sends through send and receives from receive,
// and owns both.
func Staple(send SendStream, receive ReceiveStream) *StapledStream {
	return &StapledStream{Send: send, Receive: receive}
}

// SendAll calls SendAll of the sending stream. It is [ErrBusy] while another call
// sends, waits to send or sends the end.
func (s *StapledStream) SendAll(ctx context.Context, p []byte) error {
	if err := s.begin("send"); err != nil {
		return err
	}
	defer s.sending.Store(false)
	return s.Send.SendAll(ctx, p)
}

// WaitSendAllMightNotBlock calls that of the sending stream. It is [ErrBusy] when
// SendAll is.
func (s *StapledStream) WaitSendAllMightNotBlock(ctx context.Context) error {
	if err := s.begin("wait to send"); err != nil {
		return err
	}
	defer s.sending.Store(false)
	return s.Send.WaitSendAllMightNotBlock(ctx)
}

// SendEOF calls SendEOF of the sending stream if it has one, else it closes
// it: on a stream that only sends, that is what says end of file. It is [ErrBusy]
// when SendAll is.
//
// What it waits for is what that call waits for. Where it closes, a dead ctx or
// [StapledStream.Close] before it is an error and nothing happens; but once begun
// the sending stream is closed, even if a cancel cuts its goodbye short.
func (s *StapledStream) SendEOF(ctx context.Context) error {
	if err := s.begin("send EOF"); err != nil {
		return err
	}
	defer s.sending.Store(false)
	if h, ok := s.Send.(interface{ SendEOF(context.Context) error }); ok {
		return h.SendEOF(ctx)
	}
	// Close would succeed on a closed stream, and with a dead ctx too.
	err := CancelError(ctx)
	if s.closed.Load() {
		err = ErrClosed
	}
	if err != nil {
		return &OpError{Op: "send EOF", Layer: s.String(), Err: err}
	}
	return s.Send.Close(ctx)
}

// begin takes the sending half for one call.
func (s *StapledStream) begin(op string) error {
	if !s.sending.CompareAndSwap(false, true) {
		return &OpError{Op: op, Layer: s.String(), Err: ErrBusy}
	}
	return nil
}

// ReceiveSome calls ReceiveSome of the receiving stream.
func (s *StapledStream) ReceiveSome(ctx context.Context, p []byte) (int, error) {
	return s.Receive.ReceiveSome(ctx, p)
}

// Close closes the sending and then the receiving stream, the second even if
// the first fails. Both errors are kept. It waits as they do, and wakes, one after
// the other, the calls that wait on them.
func (s *StapledStream) Close(ctx context.Context) error {
	s.closed.Store(true)
	return errors.Join(s.Send.Close(ctx), s.Receive.Close(ctx))
}

// Abort aborts both streams; see [Abort].
func (s *StapledStream) Abort() error {
	s.closed.Store(true)
	return errors.Join(Abort(s.Send), Abort(s.Receive))
}

// Underlying returns the two streams, for [Layers].
func (s *StapledStream) Underlying() []any { return []any{s.Send, s.Receive} }

func (s *StapledStream) String() string {
	if s.Name != "" {
		return s.Name
	}
	return fmt.Sprintf("staple(%s, %s)", describe(s.Send), describe(s.Receive))
}

// describe names a layer in an error: by its String, else by its type.
func describe(layer any) string {
	if s, ok := layer.(fmt.Stringer); ok {
		return s.String()
	}
	return fmt.Sprintf("%T", layer)
}
