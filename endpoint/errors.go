package endpoint

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Phase says what was being done.
type Phase string

// The phases of an endpoint's life until it moves bytes.
const (
	PhaseParse     Phase = "parse"     // the address makes no sense
	PhasePrepare   Phase = "prepare"   // files, certificates and variables are read
	PhaseListen    Phase = "listen"    // a listener is opened
	PhaseOpen      Phase = "open"      // something on this machine is opened: a file, a child, stdio
	PhaseResolve   Phase = "resolve"   // a name is looked up
	PhaseConnect   Phase = "connect"   // a peer is connected to
	PhaseProxy     Phase = "proxy"     // a proxy is asked for a connection, or tells of one
	PhaseHandshake Phase = "handshake" // TLS is set up
)

// The kinds of errors beside those of package trigo. Test with errors.Is.
var (
	// ErrTimeout: a phase took longer than [Options] allow. It also Is
	// [context.DeadlineExceeded].
	ErrTimeout = errors.New("timed out")

	// ErrDenied: the peer proved who it is, and is not one that the endpoint lets
	// in.
	ErrDenied = errors.New("not allowed")
)

// An Error is what is wrong with an address, or what went wrong while it was
// opened. It is always one line.
type Error struct {
	Text  string // the address; as it was given if it could not be parsed, else without secrets
	Layer string // the name of the layer, if it is about one
	Key   string // the option, if it is about one
	Phase Phase
	Op    string // what was tried, and with whom: "tls handshake with db.internal over tcp 10.0.0.5:5432"
	Hint  string // what may help, or ""
	Took  []Took // how long each phase took, in order, the one that failed last; nil if nothing was opened
	Err   error
}

// Took is how long a phase took.
type Took struct {
	Layer    string
	Phase    Phase
	Duration time.Duration
}

func (e *Error) Error() string {
	var b strings.Builder
	switch {
	case e.Phase == PhaseParse:
		fmt.Fprintf(&b, "address %q: ", e.Text)
		if e.Layer != "" {
			b.WriteString(e.Layer + ": ")
		}
	case e.Op != "":
		b.WriteString(e.Op + ": ")
	case e.Layer != "" && e.Phase == PhasePrepare:
		b.WriteString(e.Layer + ": ")
	}
	if e.Key != "" && e.Phase == PhasePrepare {
		b.WriteString(e.Key + ": ")
	}
	b.WriteString(e.Err.Error())
	return printable(b.String())
}

func (e *Error) Unwrap() error { return e.Err }

// Timeout reports whether a limit of time was reached.
func (e *Error) Timeout() bool { return errors.Is(e.Err, context.DeadlineExceeded) }

// mistake is an error of Parse on its way out: without the address.
func mistake(layer, key, hint, format string, args ...any) *Error {
	return &Error{Layer: layer, Key: key, Phase: PhaseParse, Hint: hint, Err: fmt.Errorf(format, args...)}
}

// timeout is the cause of a ctx that ended because a phase took too long.
type timeout struct {
	phase Phase
	after time.Duration
}

func (t *timeout) Error() string {
	what := map[Phase]string{PhaseConnect: "no connection", PhaseProxy: "no answer from the proxy"}[t.phase]
	if what == "" {
		what = "no end of the " + string(t.phase)
	}
	return fmt.Sprintf("%s within %v", what, t.after)
}

func (t *timeout) Timeout() bool { return true }

func (t *timeout) Is(target error) bool {
	return target == ErrTimeout || target == context.DeadlineExceeded
}
