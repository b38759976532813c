package endpoint

import (
	"context"
	"errors"

	"trigo"
	"trigo/internal/local"
)

// within returns the part of a stream that is made within this process, and so of
// nothing that could fail.
func within(open func() trigo.HalfCloseableStream) func(*setup) (*part, error) {
	return func(*setup) (*part, error) {
		return &part{
			phase: PhaseOpen,
			dial: func(ctx context.Context) (trigo.Stream, error) {
				if ctx.Err() != nil {
					return nil, trigo.CancelError(ctx)
				}
				return open(), nil
			},
		}, nil
	}
}

var echoKind = &kind{
	Kind:    Kind{Name: "echo", Form: "echo", Role: Connects, Help: "what is sent comes back"},
	prepare: within(local.Echo),
}

var discardKind = &kind{
	Kind:    Kind{Name: "discard", Form: "discard", Role: Connects, Help: "takes everything and says nothing"},
	prepare: within(local.Discard),
}

var zeroKind = &kind{
	Kind: Kind{
		Name: "zero", Form: "zero[:SIZE]", Role: Connects, Argument: "[SIZE]",
		Help: "zero bytes without end, or so many",
	},
	parse: func(argument string) (string, error) {
		_, err := ParseSize(argument)
		return argument, err
	},
	prepare: func(s *setup) (*part, error) {
		n := int64(-1)
		if s.argument != "" {
			n, _ = ParseSize(s.argument)
		}
		return within(func() trigo.HalfCloseableStream { return local.Zero(n) })(s)
	},
}

var literalKind = &kind{
	Kind: Kind{
		Name: "literal", Form: "literal:TEXT", Role: Connects, Argument: "TEXT",
		Help: "the text, and then the end; %0A is a newline",
	},
	parse: func(argument string) (string, error) {
		if argument == "" {
			return "", errors.New("missing text")
		}
		return argument, nil
	},
	prepare: func(s *setup) (*part, error) {
		return within(func() trigo.HalfCloseableStream { return local.Literal([]byte(s.argument)) })(s)
	},
}

var hubKind = &kind{
	Kind: Kind{
		Name: "hub", Form: "hub", Role: Connects,
		Help: "what one connection sends, all others receive",
		Options: []Option{
			{Key: "lag", Type: Size, Default: "1M", Help: "how far a slow one may fall behind before it is cut off"},
		},
	},
	prepare: func(s *setup) (*part, error) {
		hub := local.NewHub(int(min(s.size("lag"), 1<<40)))
		return within(hub.Join)(s)
	},
	check: func(l Layer, _ []Layer) *Error {
		if l.is("lag", "0") {
			return mistake("hub", "lag", "want a size such as 1M", "lag: nothing could be sent")
		}
		return nil
	},
}
