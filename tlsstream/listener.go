package tlsstream

import (
	"context"
	"crypto/tls"

	"trigo"
)

// A Listener puts TLS on what another listener accepts. It is a
// [trigo.Listener].
//
// Trio: trio.SSLListener.
type Listener struct {
	transport trigo.Resource
	accept    func(ctx context.Context) (trigo.Stream, error)
	config    *tls.Config
	opts      Options
}

var _ trigo.Listener[*Stream] = (*Listener)(nil)

// NewListener returns a listener of TLS streams over those of transport, which
// it owns. config is that of [Server].
func NewListener[S trigo.Stream](transport trigo.Listener[S], config *tls.Config, opts *Options) *Listener {
	return &Listener{
		transport: transport,
		accept: func(ctx context.Context) (trigo.Stream, error) {
			return transport.Accept(ctx)
		},
		config: config,
		opts:   opts.orZero(),
	}
}

// Accept waits for the next connection. It does not wait for the handshake,
// which the first call on the stream does, so no client can keep others waiting.
// Its errors are those of the listener below. A cancelled Accept lost nothing.
func (l *Listener) Accept(ctx context.Context) (*Stream, error) {
	transport, err := l.accept(ctx)
	if err != nil {
		return nil, err
	}
	return Server(transport, l.config, &l.opts), nil
}

// Close closes the listener below, which wakes an Accept that waits, with
// [trigo.ErrClosed]. Whether it waits, and its error, are those of the listener
// below. Streams that were accepted stay open.
func (l *Listener) Close(ctx context.Context) error { return l.transport.Close(ctx) }

// Underlying returns the listener below, for [trigo.As].
func (l *Listener) Underlying() any { return l.transport }

// String names the listener by the one below: "tls over tcp 127.0.0.1:443".
func (l *Listener) String() string { return "tls over " + describe(l.transport) }
