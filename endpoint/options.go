package endpoint

import (
	"cmp"
	"crypto/x509"
	"io"
	"log/slog"
	"time"

	"trigo"
	"trigo/netstream"
)

// Options are what an endpoint needs to be opened beside its address. The zero
// value is good, and is what nil means.
type Options struct {
	// Argv is the command of an exec layer. It must be empty if there is none.
	Argv []string

	// Direction says which way bytes will go. It decides how files and FIFOs are
	// opened.
	Direction Direction

	// ConnectTimeout is how long looking up a name and connecting may take
	// together. 0: 10 s. Negative: as long as it likes.
	ConnectTimeout time.Duration

	// HandshakeTimeout is how long each layer above the transport may take, such
	// as TLS or a proxy. 0: 10 s. Negative: as long as it likes.
	HandshakeTimeout time.Duration

	// Family restricts names to addresses of IPv4 (4) or IPv6 (6). 0: both.
	Family int

	// Tap is where tap layers write to. nil: standard error. It must be safe for
	// concurrent use if connections are.
	Tap io.Writer

	// Observe is told of each step of opening a stream when it has ended. It is
	// called from the goroutine that opens.
	Observe func(Step)

	// Logger is told what children that do not end have to do with. nil:
	// slog.Default().
	Logger *slog.Logger
}

// Direction says which way bytes go through a stream.
type Direction int

// The directions.
const (
	BothWays    Direction = iota
	ReceiveOnly           // it is only received from
	SendOnly              // it is only sent to
)

// A Step is what became of one layer when a stream was opened.
type Step struct {
	Index    int    // of the layer in [Endpoint.Layers]
	Layer    string // the name of its kind
	Phase    Phase
	Start    time.Time
	Duration time.Duration // PhaseConnect includes looking up the name; see Report
	Err      error         // an *Error, or nil

	// Stream is what the layer became, nil if it failed. TLS and the like are
	// found in it with [trigo.As].
	Stream trigo.Stream

	// Report tells which addresses were tried, if there was a choice; nil
	// otherwise.
	Report *netstream.DialReport

	// Certificates are those that the peer of a TLS layer has shown, also if they
	// are the reason of a failure.
	Certificates []*x509.Certificate
}

const defaultTimeout = 10 * time.Second

// limit returns how long a phase may take, or 0 for no limit.
func (o *Options) limit(p Phase) time.Duration {
	switch p {
	case PhaseConnect:
		return max(0, cmp.Or(o.ConnectTimeout, defaultTimeout))
	case PhaseHandshake, PhaseProxy:
		return max(0, cmp.Or(o.HandshakeTimeout, defaultTimeout))
	}
	return 0
}
