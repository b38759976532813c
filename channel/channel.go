package channel

import (
	"context"
	"errors"
	"fmt"
	"math"

	"trigo"
)

// Unbounded is the size of a buffer without a limit. Use it where the number of
// values is limited by something else: with such a buffer nothing slows the
// sender down.
const Unbounded = math.MaxInt

// Open returns the two ends of a new channel that holds up to size values which
// were sent and not yet received. At 0 each Send waits for its Receive. It
// panics if size is negative, as make does.
//
// Trio: trio.open_memory_channel.
func Open[T any](size int) (*Sender[T], *Receiver[T]) {
	if size < 0 {
		panic(fmt.Sprintf("channel: negative size %d", size))
	}
	c := newCore[T](nil, size)
	return &Sender[T]{c: c}, &Receiver[T]{c: c}
}

// Statistics are the figures of a channel at one moment.
//
// Trio: trio.MemoryChannelStatistics.
type Statistics struct {
	Size             int // of the buffer; Unbounded if it has no limit
	Buffered         int // values in the buffer now
	Peak             int // most values that ever were in the buffer
	Lost             int // values accepted that nobody can receive any more
	Senders          int // open sending handles
	Receivers        int // open receiving handles
	WaitingToSend    int // goroutines that wait in Send
	WaitingToReceive int // goroutines that wait in Receive
}

// layer is what errors call a channel.
const layer = "memory channel"

var errNoReceiver = trigo.Broken(errors.New("every receiver is closed"))

// Errors that need not be made at the moment they happen, so that asking for
// what is not there, again and again, costs no memory.
var (
	errSendClosed      = &trigo.OpError{Op: "send", Layer: layer, Err: trigo.ErrClosed}
	errSendBroken      = &trigo.OpError{Op: "send", Layer: layer, Err: errNoReceiver}
	errSendFull        = &trigo.OpError{Op: "send", Layer: layer, Err: trigo.ErrWouldBlock}
	errReceiveClosed   = &trigo.OpError{Op: "receive", Layer: layer, Err: trigo.ErrClosed}
	errReceiveEmpty    = &trigo.OpError{Op: "receive", Layer: layer, Err: trigo.ErrWouldBlock}
	errCloneOfSender   = &trigo.OpError{Op: "clone sender", Layer: layer, Err: trigo.ErrClosed}
	errCloneOfReceiver = &trigo.OpError{Op: "clone receiver", Layer: layer, Err: trigo.ErrClosed}
)

// failed is the error of a call that waited, or had no time to.
func failed(op string, err error) error {
	return &trigo.OpError{Op: op, Layer: layer, Err: err}
}

func cancelled(ctx context.Context, op string) error { return failed(op, trigo.CancelError(ctx)) }
