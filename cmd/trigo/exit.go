package main

import (
	"errors"
	"fmt"
	"syscall"

	"trigo"
	"trigo/endpoint"
	"trigo/process"
	"trigo/relay"
	"trigo/signals"
)

// The exit codes.
const (
	exitOK        = 0
	exitFailure   = 1
	exitUsage     = 2
	exitOpenA     = 3
	exitOpenB     = 4
	exitHandshake = 5
	exitProxy     = 6
	exitBroken    = 7
	exitTruncated = 8
	exitTimeout   = 9
	exitDenied    = 10
	exitDrain     = 11
	exitSignal    = 128 // plus its number
)

// exitCodes is what help and manual say of them.
var exitCodes = []struct{ code, meaning string }{
	{"0", "both directions ended cleanly, or everything was drained"},
	{"1", "another failure"},
	{"2", "usage, address, or a file that an address names"},
	{"3", "could not open the first address"},
	{"4", "could not open the second address"},
	{"5", "TLS handshake or verification"},
	{"6", "refused by a proxy"},
	{"7", "the peer broke the stream"},
	{"8", "ended without proof of an end"},
	{"9", "timed out: connect, handshake, idle, linger, probe --wait"},
	{"10", "denied by a certificate policy or an address list"},
	{"11", "cut after --drain"},
	{"128+n", "stopped by signal n"},
	{"n", "with --exit-from: the status of the child, 128+n if signal n ended it"},
}

// failure is an error that knows its exit code, and perhaps what to do about
// it.
type failure struct {
	code   int
	err    error
	hint   string        // "" for what is known to help against err
	side   string        // "a" or "b", if it is one's
	report *relay.Report // of the relay that failed
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

// remedy is what may help.
func (f *failure) remedy() string {
	if f.hint != "" {
		return f.hint
	}
	for _, limit := range []struct {
		err  error
		flag string
	}{{relay.ErrReaped, "--linger"}, {relay.ErrIdle, "--idle"}, {errDrain, "--drain"}} {
		if errors.Is(f.err, limit.err) {
			return limit.flag + " says how long to wait"
		}
	}
	return endpoint.Hint(f.err)
}

// usage returns the failure of a command line that makes no sense.
func usage(hint, format string, args ...any) *failure {
	return &failure{code: exitUsage, err: fmt.Errorf(format, args...), hint: hint}
}

// opening returns the failure of a side that could not be opened.
func opening(side int, err error) *failure {
	f := &failure{code: exitOpenA + side, err: fmt.Errorf("%s: %w", sideNames[side], err), side: sideNames[side]}
	if code, cause := interruption(err); cause != nil {
		f.code, f.err = code, cause
		return f
	}
	var e *endpoint.Error
	if !errors.As(err, &e) {
		return f
	}
	f.hint = e.Hint
	switch {
	case e.Phase == endpoint.PhaseParse, e.Phase == endpoint.PhasePrepare:
		f.code, f.err = exitUsage, err
	case errors.Is(err, endpoint.ErrTimeout):
		f.code = exitTimeout
	case errors.Is(err, endpoint.ErrDenied):
		f.code = exitDenied
	case e.Phase == endpoint.PhaseHandshake:
		f.code = exitHandshake
	case e.Phase == endpoint.PhaseProxy:
		f.code = exitProxy
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
		f.err, f.side = e.Err, e.Side
		if e.Side != "" {
			f.err = fmt.Errorf("%s: %w", e.Side, e.Err)
		}
	}
	var timeout interface{ Timeout() bool }
	code, cause := interruption(err)
	switch {
	case cause != nil:
		f.code, f.err = code, cause
	case errors.Is(err, trigo.ErrTruncated):
		f.code = exitTruncated
	case errors.As(err, &timeout) && timeout.Timeout():
		f.code = exitTimeout
	case errors.Is(err, trigo.ErrBroken):
		f.code = exitBroken
	}
	return f
}

// childFailure returns the failure of a child whose status becomes ours, nil
// for success.
func childFailure(side int, s process.Status) *failure {
	code := s.Code
	if sig, ok := s.Signal.(syscall.Signal); ok && sig != 0 {
		code = exitSignal + int(sig)
	}
	if code == 0 {
		return nil
	}
	return &failure{code: code, err: fmt.Errorf("%s: the child %v", sideNames[side], s),
		hint: "the verdict is its own: what it wrote to standard error may say why"}
}

// errDrain is the cause of the cut at the end of the drain; a signal's is a
// signals.Stopped.
var errDrain = errors.New("connections were still open after --drain, and were cut")

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
