// Package endpoint turns addresses such as
//
//	tls:site.example+connect:site.example:443+tls:proxy.corp:8443
//	tls-server,cert=c.pem,key=k.pem+tcp-listen:443
//
// into streams and listeners. An address is a stack of layers, the one nearest
// to the program first and the transport last. [Parse] reads it, [Endpoint.String]
// writes it in its canonical form, [Endpoint.Dial] and [Endpoint.Listen] open it.
//
// # Grammar
//
//	ADDRESS = LAYER *( "+" LAYER )
//	LAYER   = NAME [ ":" ARGUMENT ] *( "," KEY [ "=" VALUE ] )
//
// Arguments and values are any bytes but a comma and a plus sign, which are written
// %2C and %2B; %HH is any byte. A value @PATH is read from a file and env:NAME from
// a variable, when the endpoint is opened; neither is ever printed. HOST:PORT, PATH
// and - are short for tcp, for a file or a socket, and for stdio; so are the forms
// tcp://HOST:PORT, unix:///PATH and the like. Layers that are plainly missing are
// filled in: tls:site:443 is tls:site+tcp:site:443.
//
// [Kinds] lists all layers with their options. What is not in it is an error, and
// so is an option that would have no effect.
//
// # Opening
//
// [Endpoint.Prepare] reads the files, certificates and variables of an endpoint
// once, and returns a [Recipe] that opens it any number of times. Endpoint.Dial and
// Endpoint.Listen do both at once.
//
// A [Listener] never waits for a particular peer. It yields an [Incoming] connection
// whose Open puts the upper layers on, so that belongs into the handler:
//
//	trigo.ServeListeners(ctx, func(ctx context.Context, in *endpoint.Incoming) error {
//		s, err := in.Open(ctx)
//		...
//	}, listeners, nil)
//
// # Errors
//
// What is wrong with an address and what goes wrong while it is opened is an
// [*Error]: one line, the layer, the [Phase], and a hint where one is known.
package endpoint
