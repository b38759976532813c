package fdstream

import (
	"context"
	"errors"

	"trigo"
)

// # Bytes that never enter the process
//
// The kernel can move bytes from one descriptor to another. Whoever wants that
// needs both descriptors, and what the streams on them do besides moving bytes:
// one call at a time, a ctx, errors that name the layer, ends that stay. So a
// stream does not give its descriptor away. It lets a function use it, as if
// that were its own system call.
//
// A stream that stands on another one and embeds it has these methods too, though
// its own SendAll and ReceiveSome might do more. That is what Itself is for: it
// returns the stream whose methods these are. If that is not the stream that was
// asked, the descriptor must be left alone.

// A Receiver is a stream that receives what its descriptor yields, unchanged, and
// has nothing of it in a buffer.
type Receiver interface {
	// Itself returns the stream that ReceiveBy belongs to, or nil if it has no
	// descriptor.
	Itself() any

	// ReceiveBy calls op with the descriptor in the place of the read that
	// ReceiveSome would do. op returns EAGAIN if the kernel just said so, and
	// is then called again when there is something to receive; io.EOF at the
	// end of the stream; nil if it has what it wants.
	ReceiveBy(ctx context.Context, op func(sysfd int) error) error
}

// A Sender is a stream that sends by its descriptor what it is given, unchanged,
// and keeps nothing of it in a buffer.
type Sender interface {
	// Itself returns the stream that SendBy belongs to, or nil if it has no
	// descriptor.
	Itself() any

	// SendBy calls op with the descriptor in the place of the write that SendAll
	// would do. op adds to *moved what it has sent, and returns EAGAIN if the
	// kernel just said so and more is to be sent.
	SendBy(ctx context.Context, op func(sysfd int) error, moved *int) error
}

// A PromptSender is a stream whose kernel can be asked what it takes at once. What
// does not have to wait then needs no buffer to wait in.
type PromptSender interface {
	// Itself returns the stream that SendNow belongs to, or nil if it has no
	// descriptor.
	Itself() any

	// SendNow sends what the kernel takes of p at once, perhaps nothing, and
	// never waits. It counts as a sender.
	SendNow(p []byte) (n int, err error)
}

var (
	_ Receiver     = (*Stream)(nil)
	_ Sender       = (*Stream)(nil)
	_ PromptSender = (*Stream)(nil)
	_ Receiver     = (*Input)(nil)
	_ Sender       = (*Output)(nil)
)

// Itself returns s.
func (s *Stream) Itself() any { return s }

// ReceiveBy is that of a [Receiver].
func (s *Stream) ReceiveBy(ctx context.Context, op func(sysfd int) error) error {
	if end := s.end.Load(); end != nil && ctx.Err() == nil && !s.fd.Closed() {
		return *end
	}
	if err := s.fd.ReadOp(ctx, op); err != nil {
		return s.receiveError(err)
	}
	return nil
}

// SendBy is that of a [Sender].
func (s *Stream) SendBy(ctx context.Context, op func(sysfd int) error, moved *int) error {
	*moved = 0
	if s.sentEOF.Load() {
		return s.sendError("send", 0, trigo.ErrClosed)
	}
	s.sending.Add(1)
	err := s.fd.WriteOp(ctx, op)
	if err != nil {
		err = s.sendError("send", *moved, err)
	}
	s.sending.Add(-1)
	return err
}

// SendNow is that of a [PromptSender].
func (s *Stream) SendNow(p []byte) (int, error) {
	if s.sentEOF.Load() {
		return 0, s.sendError("send", 0, trigo.ErrClosed)
	}
	s.sending.Add(1)
	n, err := s.fd.WriteNow(p)
	if err != nil {
		err = s.sendError("send", n, err)
	}
	s.sending.Add(-1)
	return n, err
}

// Itself returns i, or nil if there is no descriptor to use.
func (i *Input) Itself() any {
	switch s := i.d.stream.(type) {
	case *Stream:
		return i
	case *inline:
		if s.readBy != nil {
			return i
		}
	}
	return nil
}

// ReceiveBy is that of a [Receiver]. A regular file is received from where its
// descriptor stands.
func (i *Input) ReceiveBy(ctx context.Context, op func(sysfd int) error) error {
	switch s := i.d.stream.(type) {
	case *Stream:
		return s.ReceiveBy(ctx, op)
	case *inline:
		return s.receiveBy(ctx, op)
	}
	return errors.ErrUnsupported
}

// Itself returns o, or nil if what it sends cannot be waited for.
func (o *Output) Itself() any {
	if _, ok := o.d.stream.(*Stream); ok {
		return o
	}
	return nil
}

// SendBy is that of a [Sender].
func (o *Output) SendBy(ctx context.Context, op func(sysfd int) error, moved *int) error {
	if s, ok := o.d.stream.(*Stream); ok {
		return s.SendBy(ctx, op, moved)
	}
	return errors.ErrUnsupported
}
