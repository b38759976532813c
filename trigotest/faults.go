package trigotest

import (
	"testing"

	"trigo"
	"trigo/internal/fault"
)

// Faults is a plan of what is to go wrong with a stream, and in which order of
// chance: the same plan with the same seed goes wrong in the same way. Its Wrap
// makes a [FaultyStream] of any stream, in memory or on a socket.
type Faults = fault.Plan

// A FaultyStream is a stream with faults: delays, small chunks, a stall, a
// reset, an early end, a changed byte, a narrow bandwidth. A cancelled call
// leaves it usable, as with any stream. Errors that come from the plan are
// [ErrInjected]; after a reset they are [trigo.ErrBroken], too. Its Report says
// how often each fault has fired.
type FaultyStream = fault.Stream

// ErrInjected is in every error that comes from a plan of faults.
var ErrInjected = fault.ErrInjected

// ParseFaults reads a plan: faults with commas in between, in any order.
//
//	seed=7             what is left to chance depends on it
//	delay=20ms         before each call that moves bytes
//	jitter=10ms        up to so much more, by chance
//	chunk=1            so many bytes at a time, at most
//	chunk=1-100        or a number between two, by chance
//	bandwidth=1MB/s    in each direction
//	stall@1MB          after so many bytes in either direction nothing moves
//	reset@1MB          the connection is reset
//	cut@64KB           the connection ends, as if its peer had ended it
//	flip@10            the bits of the byte at this offset are turned over
//	send.flip@10       an event that counts only what is sent,
//	receive.cut@1KB    or what is received
//
// The units of sizes are powers of 1024. An event happens once. "After so many
// bytes" means: in the next call after them.
func ParseFaults(text string) (*Faults, error) { return fault.Parse(text) }

// InjectFaults returns s with the faults of a plan, as [ParseFaults] reads it.
// The test fails at its end if one of them never fired: it would have tested
// nothing. The stream owns s and closes it.
func InjectFaults(t testing.TB, s trigo.Stream, plan string) *FaultyStream {
	t.Helper()
	p, err := ParseFaults(plan)
	if err != nil {
		t.Fatal(err)
	}
	f := p.Wrap(s)
	t.Cleanup(func() {
		t.Helper()
		CheckFired(t, f)
	})
	return f
}

// CheckFired fails the test if a fault that was planned for one of the streams
// has fired in none of them.
func CheckFired(t testing.TB, streams ...*FaultyStream) {
	t.Helper()
	checkFired(t, streams...)
}

func checkFired(t interface {
	Helper()
	Errorf(format string, args ...any)
}, streams ...*FaultyStream) {
	t.Helper()
	for _, f := range fault.Never(streams...) {
		t.Errorf("the fault %s was planned and never fired", f)
	}
}
