package tlsstream

import (
	"cmp"
	"context"
	"crypto/tls"
	"log/slog"
	"time"

	"trigo"
	"trigo/netstream"
	"trigo/nursery"
)

// ListenOptions are the choices of [ListenTCP]. The zero value is good, and is
// what nil means.
type ListenOptions struct {
	TLS Options
	TCP netstream.ListenOptions
}

// ListenTCP listens on address as [netstream.ListenTCP] does, for TLS, and its
// errors are those of that. config is that of [Server]. Only the lookup of a name
// waits, until ctx ends; a cancelled call leaves nothing open. Afterwards ctx has
// no effect on the listeners.
//
// Trio: trio.open_ssl_over_tcp_listeners.
func ListenTCP(ctx context.Context, address string, config *tls.Config, opts *ListenOptions) ([]*Listener, error) {
	var o ListenOptions
	if opts != nil {
		o = *opts
	}
	below, err := netstream.ListenTCP(ctx, address, &o.TCP)
	if err != nil {
		return nil, err
	}
	listeners := make([]*Listener, len(below))
	for i, l := range below {
		listeners[i] = NewListener(l, config, &o.TLS)
	}
	return listeners, nil
}

// ServeTCPOptions are the choices of [ServeTCP]. The zero value is good, and is
// what nil means.
type ServeTCPOptions struct {
	Listen ListenOptions

	// HandshakeTimeout is how long a client may take for the handshake.
	// 0: 10 s. Negative: as long as it likes.
	HandshakeTimeout time.Duration

	// HandshakeError is told of every handshake that failed, from the goroutine
	// of the connection. nil: Serve.Logger is told, at level Debug, because
	// anybody on the network can cause it.
	HandshakeError func(error)

	// Ready is called once, when every listener accepts, and before
	// Serve.Ready. It has the shape of the started function of
	// [nursery.Start], which is a way to learn the port.
	Ready func(listeners []*Listener)

	Serve trigo.ServeOptions
}

// ServeTCP listens on address, as [ListenTCP] does, and runs handler for each
// connection that has completed its handshake, in a goroutine of its own. In
// everything else it is like [trigo.ServeListeners]; in particular a handler that
// wants its peer to see the end of the stream calls Close or SendEOF.
//
// A handshake that fails ends that connection and nothing else.
//
// Trio: trio.serve_ssl_over_tcp.
func ServeTCP(ctx context.Context, address string, config *tls.Config, handler func(context.Context, *Stream) error, opts *ServeTCPOptions) error {
	var o ServeTCPOptions
	if opts != nil {
		o = *opts
	}
	listeners, err := ListenTCP(ctx, address, config, &o.Listen)
	if err != nil {
		return err
	}
	serve := o.Serve
	serve.Ready = func() {
		if o.Ready != nil {
			o.Ready(listeners)
		}
		if o.Serve.Ready != nil {
			o.Serve.Ready()
		}
	}
	if handler != nil { // without one ServeListeners complains
		handler = o.afterHandshake(handler)
	}
	return trigo.ServeListeners(ctx, handler, listeners, &serve)
}

// afterHandshake is handler for connections whose handshake is still to be done.
func (o *ServeTCPOptions) afterHandshake(handler func(context.Context, *Stream) error) func(context.Context, *Stream) error {
	return func(ctx context.Context, s *Stream) error {
		err := o.handshake(ctx, s)
		switch {
		case err == nil:
			return handler(ctx, s)
		case nursery.IsCancellation(ctx, err):
			return err
		case o.HandshakeError != nil:
			o.HandshakeError(err)
		default:
			cmp.Or(o.Serve.Logger, slog.Default()).LogAttrs(ctx, slog.LevelDebug, "TLS handshake failed", slog.Any("error", err))
		}
		return nil
	}
}

func (o *ServeTCPOptions) handshake(ctx context.Context, s *Stream) error {
	limit := cmp.Or(o.HandshakeTimeout, 10*time.Second)
	if limit < 0 {
		return s.Handshake(ctx)
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return s.Handshake(ctx)
}
