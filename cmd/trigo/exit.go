package main

import (
	"errors"
	"fmt"
	"syscall"

	"trigo"
	"trigo/relay"
	"trigo/signals"
)

// The exit codes. The help text lists them for people.
const (
	exitOK        = 0
	exitFailure   = 1
	exitUsage     = 2
	exitOpenA     = 3
	exitOpenB     = 4
	exitBroken    = 7
	exitTruncated = 8
	exitTimeout   = 9
	exitDrain     = 11
	exitSignal    = 128 // plus its number
)

// failure is an error that knows its exit code, and perhaps what to do about
// it.
type failure struct {
	code int
	err  error
	hint string
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

// usage returns the failure of a command line that makes no sense.
func usage(hint, format string, args ...any) *failure {
	return &failure{exitUsage, fmt.Errorf(format, args...), hint}
}

// opening returns the failure of a side that could not be opened.
func opening(side int, err error) *failure {
	f := &failure{exitOpenA + side, fmt.Errorf("%s: %w", sideNames[side], err), hintFor(err)}
	if code, cause := interruption(err); cause != nil {
		f.code, f.err, f.hint = code, cause, ""
	}
	if errors.Is(err, errConnectTimeout) {
		f.code = exitTimeout
	}
	return f
}

// relaying returns the failure of a relay, nil for nil.
func relaying(err error) *failure {
	if err == nil {
		return nil
	}
	f := &failure{code: exitFailure, err: err}
	var e *relay.Error
	if errors.As(err, &e) {
		f.err = e.Err
		if e.Side != "" {
			f.err = fmt.Errorf("%s: %w", e.Side, e.Err)
		}
	}
	code, cause := interruption(err)
	switch {
	case cause != nil:
		f.code, f.err = code, cause
	case errors.Is(err, relay.ErrReaped):
		f.code, f.hint = exitTimeout, "--linger says how long to wait"
	case errors.Is(err, relay.ErrIdle):
		f.code, f.hint = exitTimeout, "--idle says how long to wait"
	case errors.Is(err, trigo.ErrTruncated):
		f.code = exitTruncated
	case errors.Is(err, trigo.ErrBroken):
		f.code = exitBroken
	}
	return f
}

// errConnectTimeout and errDrain are the causes of our own cancels; a signal's
// is a signals.Stopped.
var (
	errConnectTimeout = errors.New("no connection within --connect-timeout")
	errDrain          = errors.New("connections were still open after --drain, and were cut")
)

// signalCode is the exit code after the signal that asked us to stop.
func signalCode(s signals.Stopped) int {
	if n, ok := s.Signal.(syscall.Signal); ok {
		return exitSignal + int(n)
	}
	return exitFailure
}

// interruption returns the exit code and the cause of an error that comes from
// a signal or from the end of the drain, and nil for others.
func interruption(err error) (code int, cause error) {
	var s signals.Stopped
	switch {
	case errors.As(err, &s):
		return signalCode(s), s
	case errors.Is(err, errDrain):
		return exitDrain, errDrain
	}
	return 0, nil
}

// hintFor returns what may help against an error of opening.
func hintFor(err error) string {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return "something else listens there; port 0 takes a free one"
	case errors.Is(err, syscall.EACCES):
		return "permission denied: a port below 1024, or a socket of another user?"
	case errors.Is(err, errConnectTimeout):
		return "--connect-timeout says how long to wait"
	}
	return ""
}
