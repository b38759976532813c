package netstream

import (
	"context"

	"trigo"
)

// ServeTCPOptions are the choices of [ServeTCP]. The zero value is good, and is
// what nil means.
type ServeTCPOptions struct {
	Listen ListenOptions

	// Ready is called once, when every listener accepts, and before
	// Serve.Ready. It has the shape of the started function of
	// [trigo/nursery.Start], which is a way to learn the port.
	Ready func(listeners []*Listener)

	Serve trigo.ServeOptions
}

// ServeTCP listens on address, as [ListenTCP] does, and runs handler for each
// connection, in a goroutine of its own, as [trigo.ServeListeners] does. It
// returns when ctx is cancelled or something fails, an error of handler
// included, and then nothing is left of it: no listener, no connection, no
// handler.
//
// The stream belongs to ServeTCP, which closes it when handler returns.
//
// Trio: trio.serve_tcp.
func ServeTCP(ctx context.Context, address string, handler func(context.Context, *Stream) error, opts *ServeTCPOptions) error {
	var o ServeTCPOptions
	if opts != nil {
		o = *opts
	}
	listeners, err := ListenTCP(ctx, address, &o.Listen)
	if err != nil {
		return err
	}
	var ready func()
	if o.Ready != nil {
		ready = func() { o.Ready(listeners) }
	}
	return trigo.ServeListeners(ctx, handler, listeners, readyFirst(o.Serve, ready))
}

// ServeUnixOptions are the choices of [ServeUnix]. The zero value is good, and
// is what nil means.
type ServeUnixOptions struct {
	Listen UnixListenOptions

	// Ready is called once, when the listener accepts, and before Serve.Ready.
	Ready func(*Listener)

	Serve trigo.ServeOptions
}

// ServeUnix listens on path, as [ListenUnix] does, and runs handler for each
// connection. In everything else it is like [ServeTCP].
func ServeUnix(ctx context.Context, path string, handler func(context.Context, *Stream) error, opts *ServeUnixOptions) error {
	var o ServeUnixOptions
	if opts != nil {
		o = *opts
	}
	listener, err := ListenUnix(ctx, path, &o.Listen)
	if err != nil {
		return err
	}
	var ready func()
	if o.Ready != nil {
		ready = func() { o.Ready(listener) }
	}
	return trigo.ServeListeners(ctx, handler, []*Listener{listener}, readyFirst(o.Serve, ready))
}

// readyFirst adds ready, which may be nil, to what opts does when the server is
// ready.
func readyFirst(opts trigo.ServeOptions, ready func()) *trigo.ServeOptions {
	if then := opts.Ready; ready != nil {
		opts.Ready = func() {
			ready()
			if then != nil {
				then()
			}
		}
	}
	return &opts
}
