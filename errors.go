package trigo

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
)

// The kinds of errors. They are mostly wrapped: test with [errors.Is].
var (
	// ErrClosed: this process closed the object, before or during the call.
	// It also Is net.ErrClosed and os.ErrClosed.
	ErrClosed error = &kind{"already closed", []error{net.ErrClosed, os.ErrClosed}}

	// ErrBroken: something outside broke the stream: the peer is gone, the
	// transport failed. The cause is wrapped beside it; see [Broken].
	ErrBroken error = &kind{text: "stream broken"}

	// ErrTruncated: the stream ended without proof that the peer meant it. It
	// also Is ErrBroken.
	ErrTruncated error = &kind{"stream truncated", []error{ErrBroken}}

	// ErrBusy: another call uses the same half of the object. The other call
	// is unharmed. It is a mistake in the calling program, not a condition to
	// wait for.
	ErrBusy error = &kind{text: "another call is using it"}

	// ErrEndOfChannel: every sender closed and every value was received. It
	// also Is io.EOF.
	ErrEndOfChannel error = &kind{"end of channel", []error{io.EOF}}

	// ErrWouldBlock: a call that must not wait would have had to.
	ErrWouldBlock error = &kind{text: "would block"}

	// ErrNeedHandshake: what was asked for is known only after the handshake.
	ErrNeedHandshake error = &kind{text: "handshake not complete"}

	// ErrTooLong: a message is longer than its limit. Nothing was lost: the
	// bytes can still be received.
	ErrTooLong error = &kind{text: "message too long"}
)

// kind is a sentinel that also answers to the sentinels of other packages.
type kind struct {
	text string
	also []error
}

func (k *kind) Error() string { return k.text }

func (k *kind) Is(target error) bool {
	for _, a := range k.also {
		if errors.Is(a, target) {
			return true
		}
	}
	return false
}

// Broken returns an error that Is [ErrBroken] and wraps cause. A nil cause
// gives ErrBroken itself, and a cause that is of that kind already is returned
// as it is.
func Broken(cause error) error {
	if cause == nil {
		return ErrBroken
	}
	if errors.Is(cause, ErrBroken) {
		return cause
	}
	return &brokenError{cause}
}

// brokenError puts its text together only for who reads it: a server sees a great
// many resets, and logs few.
type brokenError struct{ cause error }

func (e *brokenError) Error() string   { return ErrBroken.Error() + ": " + e.cause.Error() }
func (e *brokenError) Unwrap() []error { return []error{ErrBroken, e.cause} }

// OpError is the error of an operation on a layer: a stream, a listener, a
// channel.
type OpError struct {
	Op    string // the operation: "receive", "send", "accept", "dial"
	Layer string // on what, and with whom: "tcp 192.0.2.1:443"
	N     int64  // bytes that this call moved before it failed
	Err   error  // why
}

func (e *OpError) Error() string {
	var b strings.Builder
	b.WriteString(e.Op)
	if e.Layer != "" {
		b.WriteByte(' ')
		b.WriteString(e.Layer)
	}
	if e.N > 0 {
		fmt.Fprintf(&b, " after %d bytes", e.N)
	}
	b.WriteString(": ")
	b.WriteString(e.Err.Error())
	return b.String()
}

func (e *OpError) Unwrap() error { return e.Err }

// Timeout reports whether the cause was a timeout, so that an OpError can stand
// in for a [net.Error].
func (e *OpError) Timeout() bool {
	var t interface{ Timeout() bool }
	return errors.As(e.Err, &t) && t.Timeout()
}
