package tlsstream

import (
	"cmp"
	"crypto/tls"
	"fmt"

	"golang.org/x/net/idna"
)

// Options are the choices of [Client], [Server] and [NewListener] beside those
// of a tls.Config. The zero value is good, and is what nil means.
type Options struct {
	// HTTPSCompatible is for HTTPS and other protocols in which peers skip
	// close_notify. The end of the transport then counts as the end of the
	// stream, also during the handshake, and Close sends no close_notify. A
	// close_notify that the peer does send is understood. Somebody on the way
	// can then cut the stream without being noticed, so the protocol above must
	// know itself where its messages end.
	//
	// Trio: https_compatible.
	HTTPSCompatible bool
}

func (o *Options) orZero() Options {
	if o == nil {
		return Options{}
	}
	return *o
}

// clientConfig returns config as crypto/tls is to have it, in a copy if that is
// not how it is.
func clientConfig(config *tls.Config, host string) (*tls.Config, error) {
	if config == nil {
		config = &tls.Config{}
	}
	name, err := asciiName(cmp.Or(config.ServerName, host))
	if err != nil {
		return config, err
	}
	if config.ServerName != name || config.Renegotiation != tls.RenegotiateNever {
		config = config.Clone()
		config.ServerName = name
		config.Renegotiation = tls.RenegotiateNever
	}
	return config, nil
}

// asciiName returns the form of a host name that certificates have.
func asciiName(host string) (string, error) {
	for _, r := range host {
		if r >= 0x80 {
			name, err := idna.Lookup.ToASCII(host)
			if err != nil {
				return "", fmt.Errorf("server name %q is not a valid name: %w", host, err)
			}
			return name, nil
		}
	}
	return host, nil
}
