package tlsstream

import (
	"context"
	"crypto/tls"
	"net"
	"strings"

	"trigo"
	"trigo/netstream"
)

// DialOptions are the choices of [DialTCP]. The zero value is good, and is what
// nil means.
type DialOptions struct {
	TLS Options
	TCP netstream.DialOptions
}

// DialTCP connects to address, "host:port", as [netstream.DialTCP] does, and
// puts TLS on the connection. The server must have a certificate for the
// ServerName of config, or, if that is empty, for the host. Either may be an
// international name. config may be nil: then the roots of the system count.
//
// It does not do the handshake; the first call on the stream does, or
// [Stream.Handshake].
//
// Trio: trio.open_ssl_over_tcp_stream.
func DialTCP(ctx context.Context, address string, config *tls.Config, opts *DialOptions) (*Stream, error) {
	var o DialOptions
	if opts != nil {
		o = *opts
	}
	host, _, err := net.SplitHostPort(address)
	if err == nil {
		host, _, _ = strings.Cut(host, "%") // certificates know nothing of zones
		config, err = clientConfig(config, host)
	}
	if err != nil {
		return nil, &trigo.OpError{Op: "dial", Layer: "tls over tcp " + address, Err: err}
	}
	transport, err := netstream.DialTCP(ctx, address, &o.TCP)
	if err != nil {
		return nil, err
	}
	return Client(transport, config, &o.TLS), nil
}
