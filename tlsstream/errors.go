package tlsstream

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"trigo"
	"trigo/nursery"
)

// ErrUnread is the error of [Stream.Unwrap] when the peer has sent data that was
// not received. Nothing is lost: receive it, until io.EOF, and unwrap again.
var ErrUnread = errors.New("the peer sent data that was not received")

var (
	// errNoCloseNotify: the transport has ended between two records.
	errNoCloseNotify = fmt.Errorf("%w: the transport ended without close_notify: %w", trigo.ErrTruncated, io.ErrUnexpectedEOF)

	// errCutRecord: it has ended inside a record.
	errCutRecord = fmt.Errorf("%w: the transport ended inside a TLS record: %w", trigo.ErrTruncated, io.ErrUnexpectedEOF)

	// errClosedEarly: close_notify came before the peer was known.
	errClosedEarly = fmt.Errorf("%w: the peer ended the handshake", trigo.ErrTruncated)
)

// endOfTransport names the raw end of the transport. In HTTPSCompatible mode it
// is taken for a good one, if it is at the border of two records.
func (s *Stream) endOfTransport() error {
	switch {
	case !s.gate.atBorder():
		return errCutRecord
	case s.https:
		return errRaggedEOF
	}
	return errNoCloseNotify
}

// errRaggedEOF is errNoCloseNotify where that is allowed: for a receive it is
// io.EOF, for anything else that needs the peer an error.
var errRaggedEOF = fmt.Errorf("%w: the transport ended: %w", trigo.ErrTruncated, io.ErrUnexpectedEOF)

// brokenBy reports whether err, of a call under ctx, breaks the stream, or at
// least one half of it. Otherwise it is about that call alone.
func (s *Stream) brokenBy(ctx context.Context, err error) bool {
	if err == io.EOF || errors.Is(err, trigo.ErrBroken) {
		return true
	}
	return !nursery.IsCancellation(ctx, err) &&
		!errors.Is(err, trigo.ErrClosed) &&
		!errors.Is(err, trigo.ErrBusy) &&
		!errors.Is(err, os.ErrDeadlineExceeded)
}

// fail makes the error of an operation.
func (s *Stream) fail(ctx context.Context, op string, n int, err error) error {
	switch {
	case s.closing.Load():
		err = trigo.ErrClosed // whatever it was that Close did to the call
	case nursery.IsCancellation(ctx, err):
		err = trigo.CancelError(ctx)
	default:
		err = kindOf(err)
	}
	return &trigo.OpError{Op: op, Layer: s.layer(), N: int64(n), Err: err}
}

// kindOf turns an error of the transport or of crypto/tls into one of the kinds.
// The transport is named by our own error already.
func kindOf(err error) error {
	if op, ok := err.(*trigo.OpError); ok {
		err = op.Err
	}
	for _, kind := range []error{trigo.ErrClosed, trigo.ErrBusy, os.ErrDeadlineExceeded, ErrUnread} {
		if errors.Is(err, kind) && !errors.Is(err, trigo.ErrBroken) {
			return err
		}
	}
	return trigo.Broken(err)
}

// explain adds to an error of crypto/tls what a person would like to know.
func explain(err error) error {
	var header tls.RecordHeaderError
	if errors.As(err, &header) && speaksHTTP(string(header.RecordHeader[:])) {
		return fmt.Errorf("the peer speaks plain HTTP: %w", err)
	}
	return err
}

// speaksHTTP reports whether a message that begins like this is HTTP.
func speaksHTTP(head string) bool {
	for _, word := range []string{"HTTP/", "GET /", "HEAD ", "POST ", "PUT /", "OPTIO", "DELET", "PATCH", "CONNE", "TRACE", "PRI *"} {
		if strings.HasPrefix(head, word) {
			return true
		}
	}
	return false
}

// layer names the stream in errors, with whom it speaks.
func (s *Stream) layer() string {
	return s.String() + " over " + describe(s.gate.transport)
}

func describe(layer any) string {
	if s, ok := layer.(fmt.Stringer); ok {
		return s.String()
	}
	return fmt.Sprintf("%T", layer)
}
