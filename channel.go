package trigo

import "context"

// SendChannel sends values one by one. Send waits until the channel took v; a
// cancelled Send did not happen. It returns [ErrClosed] if this side closed
// the channel, [ErrBroken] if nobody can receive any more.
//
// Trio: trio.abc.SendChannel.
type SendChannel[T any] interface {
	Resource
	Send(ctx context.Context, v T) error
}

// ReceiveChannel receives values one by one. Receive waits for the next value;
// a cancelled Receive took none. It returns [ErrEndOfChannel] (which Is
// [io.EOF]) when all senders closed and every value was received, [ErrClosed]
// if this side closed the channel.
//
// Trio: trio.abc.ReceiveChannel.
type ReceiveChannel[T any] interface {
	Resource
	Receive(ctx context.Context) (T, error)
}

// Channel sends and receives values.
//
// Trio: trio.abc.Channel.
type Channel[T any] interface {
	SendChannel[T]
	ReceiveChannel[T]
}
