package endpoint

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"trigo"
	"trigo/tlsstream"
	"trigo/tlsstream/devcert"
)

var tlsServerKind = &kind{
	Kind: Kind{
		Name: "tls-server", Form: "tls-server", Role: Wraps, Argument: "[[HOST:]PORT]",
		Help: "TLS as a server; with a port, over TCP connections to that",
		Options: append([]Option{
			{Key: "self-signed", Type: Bool, Help: "make a certificate that lasts as long as the program; its pin is for the peer"},
			{Key: "verify", Type: Enum, Choices: []string{"off", "optional", "require"}, Help: "whether clients need a certificate; require if there is a ca or a pin"},
			{Key: "allow-dns", Type: Text, List: true, Help: "let in only clients with this DNS name, or one of several"},
			{Key: "allow-cn", Type: Text, List: true, Help: "let in only clients with this common name"},
			{Key: "allow-uri", Type: Text, List: true, Help: "let in only clients with this URI, such as a SPIFFE id"},
		}, tlsOptions...),
	},
	parse:   parseListenHostPort,
	fill:    fillTLSServer,
	below:   "tcp-listen:443",
	check:   checkTLSServer,
	prepare: prepareTLSServer,
	explain: explainTLSServer,
}

func fillTLSServer(l Layer) (Layer, Layer, error) {
	if l.argument == "" {
		return l, l, errors.New("it needs a layer below it, or a port")
	}
	lower := Layer{kind: tcpListenKind, argument: l.argument}
	l.argument = ""
	return l, lower, nil
}

var allowKeys = []string{"allow-dns", "allow-cn", "allow-uri"}

func checkTLSServer(l Layer, below []Layer) *Error {
	name := l.kind.Name
	switch {
	case l.argument != "" && len(below) > 0:
		return mistake(name, "", "the layer below says where to listen", "its port would have no effect")
	case l.has("cert") && l.is("self-signed", "on"):
		return mistake(name, "self-signed", "leave one of them out", "cert and self-signed contradict each other")
	case l.has("key") && !l.has("cert"):
		return mistake(name, "key", "pass cert=FILE as well", "key has no effect without cert")
	case !l.has("cert") && !l.is("self-signed", "on"):
		return mistake(name, "cert", "pass cert=FILE,key=FILE, or self-signed for tests", "it has no certificate")
	case l.is("verify", "off") && (l.has("ca", "pin") || l.has(allowKeys...)):
		return mistake(name, "verify", "leave out verify=off", "verify=off contradicts ca, pin and allow")
	case l.is("verify", "optional") && (l.has("pin") || l.has(allowKeys...)):
		return mistake(name, "verify", "leave out verify=optional", "verify=optional lets anybody in, pin and allow only some")
	case l.has("verify") && !l.is("verify", "off") && !l.has("ca", "pin"):
		return mistake(name, "verify", "pass ca=FILE or pin=", "there is nothing to verify clients by")
	case l.has(allowKeys...) && !l.has("ca"):
		return mistake(name, "ca", "pass ca=FILE", "names in a certificate mean nothing without an authority")
	}
	return nil
}

func explainTLSServer(l Layer, _ []Layer) explained {
	ex := explained{name: "tls", text: "server"}
	if !l.has("verify") {
		verify := "verify=off"
		if l.has("ca", "pin") {
			verify = "verify=require"
		}
		ex.items = append(ex.items, verify)
	}
	ex.items = append(ex.items, l.defaults("min")...)
	return ex
}

func prepareTLSServer(s *setup) (*part, error) {
	peer := &tlsPeer{options: tlsstream.Options{HTTPSCompatible: s.text("ragged") == "ok"}}
	load := func() (use func(), err error) {
		config, err := s.serverConfig(peer.config.Load())
		return func() { peer.config.Store(config) }, err
	}
	use, err := load()
	if err != nil {
		return nil, err
	}
	use()
	return &part{
		phase: PhaseHandshake,
		with:  func() string { return "with a client" },
		load:  load,
		pins:  func() []string { return []string{CertificatePin(peer.config.Load().Certificates[0].Leaf)} },
		wrap: func(ctx context.Context, below trigo.Stream) (trigo.Stream, error) {
			return handshake(ctx, tlsstream.Server(below, peer.config.Load(), &peer.options))
		},
	}, nil
}

// serverConfig reads what the options of a server name. A certificate that was made
// here before is kept, for its pin is known to others.
func (s *setup) serverConfig(before *tls.Config) (*tls.Config, error) {
	config, err := s.commonConfig()
	if err != nil {
		return nil, err
	}
	switch {
	case s.set("cert"):
		cert, err := s.certificate()
		if err != nil {
			return nil, err
		}
		config.Certificates = []tls.Certificate{cert}
	case before != nil:
		config.Certificates = before.Certificates
	default:
		cert, err := throwaway(s.below)
		if err != nil {
			return nil, err
		}
		config.Certificates = []tls.Certificate{cert}
	}
	pins := s.pins()
	if s.set("ca") {
		if config.ClientCAs, err = s.authorities(); err != nil {
			return nil, err
		}
	}
	verify := s.text("verify")
	if verify == "" && (s.set("ca") || len(pins) > 0) {
		verify = "require"
	}
	config.ClientAuth = clientAuth(verify, s.set("ca"))
	allowed := make(map[string][]string)
	for _, key := range allowKeys {
		if names := s.list(key); len(names) > 0 {
			allowed[key] = names
		}
	}
	if len(pins) > 0 || len(allowed) > 0 {
		config.VerifyConnection = func(state tls.ConnectionState) error {
			if len(state.PeerCertificates) == 0 {
				return denied{errors.New("a client without a certificate")}
			}
			if len(pins) > 0 {
				if err := verifyPin(state, pins); err != nil {
					return denied{err}
				}
			}
			return verifyNames(state.PeerCertificates[0], allowed)
		}
	}
	return config, nil
}

func clientAuth(verify string, byAuthority bool) tls.ClientAuthType {
	switch {
	case verify == "require" && byAuthority:
		return tls.RequireAndVerifyClientCert
	case verify == "require":
		return tls.RequireAnyClientCert
	case verify == "optional":
		return tls.VerifyClientCertIfGiven
	}
	return tls.NoClientCert
}

// throwaway makes a certificate for this machine and the host that is listened on.
func throwaway(below []Layer) (tls.Certificate, error) {
	hosts := []string{"localhost", "127.0.0.1", "::1"}
	if name, err := os.Hostname(); err == nil && name != "" {
		hosts = append(hosts, strings.ToLower(name))
	}
	for _, b := range below {
		if b.kind == tcpListenKind && hasHost(b.argument) && !isWildcard(hostOf(b.argument)) {
			hosts = append(hosts, hostOf(b.argument))
		}
	}
	slices.Sort(hosts[3:])
	authority, err := devcert.NewAuthority()
	if err != nil {
		return tls.Certificate{}, err
	}
	return authority.Leaf(nil, slices.Compact(hosts)...)
}

// verifyNames lets a client in that has one of the names. Those of different kinds
// are alternatives too.
func verifyNames(cert *x509.Certificate, allowed map[string][]string) error {
	if len(allowed) == 0 {
		return nil
	}
	var uris []string
	for _, u := range cert.URIs {
		uris = append(uris, u.String())
	}
	has := map[string][]string{"allow-dns": cert.DNSNames, "allow-cn": {cert.Subject.CommonName}, "allow-uri": uris}
	for key, names := range allowed {
		for _, name := range names {
			if slices.ContainsFunc(has[key], func(h string) bool { return h == name || key == "allow-dns" && strings.EqualFold(h, name) }) {
				return nil
			}
		}
	}
	return denied{fmt.Errorf("a client with the certificate of %q", nameOf(cert))}
}

func nameOf(cert *x509.Certificate) string {
	switch {
	case len(cert.URIs) > 0:
		return cert.URIs[0].String()
	case len(cert.DNSNames) > 0:
		return cert.DNSNames[0]
	}
	return cert.Subject.CommonName
}

// denied is an error that Is ErrDenied.
type denied struct{ err error }

func (d denied) Error() string        { return d.err.Error() + " is " + ErrDenied.Error() }
func (d denied) Unwrap() error        { return d.err }
func (d denied) Is(target error) bool { return target == ErrDenied }
