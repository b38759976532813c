package proxy

import (
	"errors"
	"fmt"
	"net/textproto"
	"strconv"

	"trigo"
)

// The kinds of errors, beside those of package trigo. Test with [errors.Is].
var (
	// ErrRefused: the proxy understood, and refused. The error holds a
	// *RefusedError with the reason.
	ErrRefused = errors.New("refused by the proxy")

	// ErrProtocol: what the other side sent is not what the protocol allows.
	ErrProtocol = errors.New("protocol violated")
)

// A RefusedError says how a proxy refused. It Is [ErrRefused].
type RefusedError struct {
	Protocol string               // "http" or "socks5"
	Code     int                  // the status of HTTP, the reply of SOCKS5, or one of the two below
	Reason   string               // in words; for HTTP those of the proxy
	Header   textproto.MIMEHeader // of HTTP
}

// Codes of a [RefusedError] of SOCKS5 that stand for no reply: the proxy
// refused before it heard of the target.
const (
	NoMethod   = 0xff // of the ways to authenticate that were offered none will do
	BadAccount = -1   // user or password are wrong
)

func (e *RefusedError) Error() string {
	text := ErrRefused.Error() + ": "
	if e.Protocol == "http" {
		text += strconv.Itoa(e.Code) + " "
	}
	return text + e.Reason
}

func (e *RefusedError) Is(target error) bool { return target == ErrRefused }

func violation(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrProtocol, fmt.Sprintf(format, args...))
}

// fail makes the public form of an error. layer says with whom, and for what. How much
// the stream moved of the message that failed is kept.
func fail(op, layer string, err error) error {
	if err == nil {
		return nil
	}
	failed := &trigo.OpError{Op: op, Layer: layer, Err: err}
	if inner, ok := err.(*trigo.OpError); ok {
		// The stream has said which operation and layer; we know better.
		failed.N, failed.Err = inner.N, inner.Err
	}
	return failed
}

// through names a target that is reached by way of a stream.
func through(target string, s any) string { return target + " through " + describe(s) }

// describe names a stream: by its String, else by its type.
func describe(s any) string {
	if s, ok := s.(fmt.Stringer); ok {
		return s.String()
	}
	return fmt.Sprintf("%T", s)
}
