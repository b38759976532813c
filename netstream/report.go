package netstream

import (
	"fmt"
	"net/netip"
	"strings"
	"time"
)

// DialReport tells how [DialTCP] went about an address. It is what to log when
// connecting is slow: [Stream.DialReport] has it for a connection that was made,
// [DialError] for one that was not.
type DialReport struct {
	Address   string           // as it was given: "example.com:443"
	Resolve   time.Duration    // how long looking up the name took
	Addresses []netip.AddrPort // in the order in which they are tried
	Attempts  []DialAttempt    // those that were started, in the order of starting
}

// DialAttempt is what became of one address.
type DialAttempt struct {
	Address  netip.AddrPort
	Start    time.Duration // after the name was looked up
	Duration time.Duration
	Won      bool  // it is the connection
	Err      error // why it failed or was given up; nil if it won
}

// String returns a line for the name and one for each attempt, without a
// newline at the end.
func (r *DialReport) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %d of %d addresses tried, lookup took %v", r.Address, len(r.Attempts), len(r.Addresses), rounded(r.Resolve))
	for _, a := range r.Attempts {
		b.WriteString("\n\t")
		b.WriteString(a.String())
	}
	return b.String()
}

// String returns one line: "192.0.2.1:443: started at 250ms, connected in 12ms".
func (a DialAttempt) String() string {
	outcome := fmt.Sprintf("connected in %v", rounded(a.Duration))
	if !a.Won {
		outcome = fmt.Sprintf("%v after %v", a.Err, rounded(a.Duration))
	}
	return fmt.Sprintf("%v: started at %v, %s", a.Address, rounded(a.Start), outcome)
}

// rounded leaves of a duration what people read.
func rounded(d time.Duration) time.Duration {
	if d >= 10*time.Millisecond {
		return d.Round(time.Millisecond)
	}
	return d.Round(10 * time.Microsecond)
}

// DialError is the error of a dial in which at least one address was found. It
// is wrapped in a [trigo.OpError]. If every attempt failed by itself,
// [errors.Is] and [errors.As] look through the errors of all of them. If the
// dial was cancelled, it Is what a cancelled call's error is and nothing else:
// the failures until then are in the report.
type DialError struct {
	Report *DialReport

	cancelled error // why the dial did not run its course; nil if it did
}

func (e *DialError) Error() string {
	attempts := e.Report.Attempts
	each := make([]string, len(attempts))
	for i, a := range attempts {
		each[i] = fmt.Sprintf("%v (%v)", a.Err, rounded(a.Duration))
		if text := a.Address.String(); text != e.Report.Address {
			each[i] = text + ": " + each[i]
		}
	}
	list := strings.Join(each, "; ")
	switch {
	case e.cancelled != nil:
		return fmt.Sprintf("%v, %d of %d addresses tried: %s", e.cancelled, len(attempts), len(e.Report.Addresses), list)
	case len(attempts) > 1:
		return fmt.Sprintf("all %d attempts failed: %s", len(attempts), list)
	}
	return list
}

// Unwrap returns the error of each attempt, or only the cancellation.
func (e *DialError) Unwrap() []error {
	if e.cancelled != nil {
		return []error{e.cancelled}
	}
	errs := make([]error, len(e.Report.Attempts))
	for i, a := range e.Report.Attempts {
		errs[i] = a.Err
	}
	return errs
}
