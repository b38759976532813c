package relay

import (
	"fmt"
	"os"
	"sync/atomic"
	"time"
)

// Report tells what a relay moved and how each direction ended.
type Report struct {
	AToB, BToA Direction
	Duration   time.Duration // from the call of Run to the release of both streams

	// Close is what releasing the streams said, joined; nil if both ended with
	// grace. It does not count as a failure of the relay: everything had been
	// delivered, or had already failed, before.
	Close error
}

// Direction is one half of a [Report].
type Direction struct {
	Bytes    int64         // taken by the side that it was sent to
	End      End           // why it ended
	Err      error         // the error behind End; nil for EOF and Stopped
	Duration time.Duration // from the call of Run to its end

	// Path is the way that bytes went, and Why says why it was not another one,
	// if it was PathCopy. InKernel is how many of Bytes never came into the
	// process.
	Path     Path
	Why      string
	InKernel int64
}

// End is the reason why a direction ended.
type End int

const (
	_           End = iota
	EOF             // the source ended; everything was delivered, and the end of it told unless the other direction had failed
	Broken          // receiving failed: the source was reset, its transport failed
	Truncated       // the source ended without proof of an end
	Failed          // receiving failed for another reason: somebody else closed or used the stream
	WriteFailed     // sending failed
	Reaped          // half-open, and silent for Options.Linger
	Idle            // silent for Options.Idle
	Cancelled       // the ctx of Run was cancelled
	Stopped         // nothing was wrong here, but the other direction had failed
)

var endNames = [...]string{
	"open", "eof", "broken", "truncated", "failed",
	"write failed", "reaped", "idle", "cancelled", "stopped",
}

func (e End) String() string {
	if e < 0 || int(e) >= len(endNames) {
		return fmt.Sprintf("End(%d)", int(e))
	}
	return endNames[e]
}

// Error is the error of a relay: the first thing that went wrong, and where.
type Error struct {
	Side string // "a", "b", or "" when it was neither: silence, a cancel
	Err  error
}

func (e *Error) Error() string {
	if e.Side == "" {
		return "relay: " + e.Err.Error()
	}
	return "relay: side " + e.Side + ": " + e.Err.Error()
}

func (e *Error) Unwrap() error { return e.Err }

// Timeout reports whether the relay ended for lack of bytes.
func (e *Error) Timeout() bool {
	t, ok := e.Err.(interface{ Timeout() bool })
	return ok && t.Timeout()
}

// The errors of silence. Both also Is [os.ErrDeadlineExceeded].
var (
	// ErrReaped: one direction had ended, and no byte came in the other for
	// Options.Linger.
	ErrReaped error = &silence{"no bytes since the other direction ended"}

	// ErrIdle: no byte came in either direction for Options.Idle.
	ErrIdle error = &silence{"no bytes in either direction"}
)

type silence struct{ text string }

func (s *silence) Error() string        { return s.text }
func (s *silence) Timeout() bool        { return true }
func (s *silence) Is(target error) bool { return target == os.ErrDeadlineExceeded }

// Counters show the progress of a relay while it runs: of one, each has its own. A
// byte counts when the side that it was sent to has taken it.
type Counters struct {
	AToB, BToA atomic.Int64

	start  atomic.Pointer[time.Time] // of the relay
	ab, ba stopwatch
}

// Sending returns how long each direction has been sending until now; the rest of the
// time it has waited for its source. So it tells which side limits the speed: that of
// the destination if it grows nearly as fast as the clock, that of the source if it
// hardly grows. Reading a file for sendfile counts as waiting for it.
func (c *Counters) Sending() (aToB, bToA time.Duration) {
	start := c.start.Load()
	if start == nil {
		return 0, 0
	}
	return c.ab.read(*start), c.ba.read(*start)
}

// A stopwatch adds up times that begin and end with one goroutine, while others read
// it. Stopped it holds their sum; while it runs, the sum less the time at which it was
// started. Since no sum is as long as the relay, that is below zero.
type stopwatch struct {
	ns    atomic.Int64
	since time.Duration // of the one goroutine: when it was started
}

// run starts it; now is the time since the start of the relay, as it is for stop.
func (s *stopwatch) run(now time.Duration) {
	s.since = now
	s.ns.Add(-1 - int64(now))
}

func (s *stopwatch) stop(now time.Duration) { s.ns.Add(1 + int64(max(now, s.since))) }

func (s *stopwatch) read(start time.Time) time.Duration {
	ns := s.ns.Load()
	if ns < 0 {
		ns += 1 + int64(time.Since(start))
	}
	return time.Duration(max(0, ns))
}
