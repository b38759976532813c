package endpoint

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"

	"golang.org/x/net/idna"

	"trigo"
	"trigo/tlsstream"
)

// tlsOptions are those of both ends of TLS.
var tlsOptions = []Option{
	{Key: "ca", Type: Path, Help: "the authorities that may vouch for the peer (PEM)"},
	{Key: "cert", Type: Path, Help: "the certificate to show, with its chain (PEM)"},
	{Key: "key", Type: Path, Help: "its key (PEM); without it the key is in the file of cert"},
	{Key: "pin", Type: Pin, List: true, Help: "the peer must have this public key, or one of several"},
	{Key: "alpn", Type: Text, List: true, Help: "a protocol to offer, such as h2; the first is liked best"},
	{Key: "min", Type: Enum, Choices: []string{"1.2", "1.3"}, Default: "1.2", Help: "the oldest version of TLS to accept"},
	{Key: "ragged", Type: Enum, Choices: []string{"error", "ok"}, Default: "error", Help: "what the end of the transport without close_notify is; ok as for HTTPS"},
	{Key: "keylog", Type: Path, Help: "a file to append the keys of each connection to, for wireshark"},
}

var tlsKind = &kind{
	Kind: Kind{
		Name: "tls", Form: "tls:NAME[:PORT]", Role: Wraps, Argument: "[NAME[:PORT]]",
		Help: "TLS as a client; with a port, over TCP to that name",
		Options: append([]Option{
			{Key: "host", Type: Host, Help: "the name, in place of the argument", argument: true},
			{Key: "port", Type: Port, Help: "the port, in place of the argument", argument: true},
			{Key: "name", Type: Host, Help: "the name that the certificate must have"},
			{Key: "verify", Type: Enum, Choices: []string{"system", "off"}, Default: "system", Help: "how to verify the peer, if not by ca or pin"},
		}, tlsOptions...),
	},
	parse:   parseTLSName,
	fill:    fillTLS,
	below:   "tcp:HOST:443",
	check:   checkTLS,
	prepare: prepareTLS,
	explain: explainTLS,
}

// parseTLSName takes NAME and NAME:PORT.
func parseTLSName(argument string) (string, error) {
	if _, err := netip.ParseAddr(argument); err == nil {
		return argument, nil
	}
	if !strings.Contains(argument, ":") || strings.HasPrefix(argument, "[") && strings.HasSuffix(argument, "]") {
		return parseHost(argument)
	}
	return parseDialHostPort(argument)
}

// tlsName returns the name in an argument, and whether there is a port.
func tlsName(argument string) (name string, hasPort bool) {
	if _, err := netip.ParseAddr(argument); err == nil {
		return argument, false
	}
	host, _, err := net.SplitHostPort(argument)
	if err != nil {
		return argument, false
	}
	return host, true
}

func fillTLS(l Layer) (Layer, Layer, error) {
	name, hasPort := tlsName(l.argument)
	if !hasPort {
		return l, l, errors.New("it needs a layer below it, or a port")
	}
	lower := Layer{kind: tcpKind, argument: l.argument}
	l.argument = name
	if l.has("name") {
		l.argument = ""
	}
	return l, lower, nil
}

func checkTLS(l Layer, below []Layer) *Error {
	if _, hasPort := tlsName(l.argument); hasPort && len(below) > 0 {
		return mistake("tls", "", "the layer below says where to connect to; want tls:NAME", "its port would have no effect")
	}
	switch {
	case l.is("verify", "off") && l.has("ca"):
		return mistake("tls", "ca", "leave out verify=off", "verify=off and ca contradict each other")
	case l.has("key") && !l.has("cert"):
		return mistake("tls", "key", "pass cert=FILE as well", "key has no effect without cert")
	case l.has("name") && l.argument != "":
		return mistake("tls", "name", "leave one of them out", "the argument is the name of the peer, and name is too")
	case serverName(l, below) == "" && !l.has("name") && !l.has("pin") && !l.is("verify", "off"):
		return mistake("tls", "name", "want tls:NAME, or pin=", "it is not known which name the certificate must have")
	}
	return nil
}

// serverName returns the name of the server: as it is given, or that which is
// connected to.
func serverName(l Layer, below []Layer) string {
	if s, ok := l.given("name"); ok && s.Value.Source == Literal {
		return s.Value.Text
	}
	if name, _ := tlsName(l.argument); name != "" {
		return name
	}
	for _, b := range below {
		switch b.kind {
		case tcpKind, connectKind, socks5Kind:
			return hostOf(b.argument)
		}
	}
	return ""
}

// peerName returns the name with the port that is connected to, where that is known.
func peerName(name string, below []Layer) string {
	for _, b := range below {
		switch b.kind {
		case tcpKind, connectKind, socks5Kind:
			if hostOf(b.argument) == name {
				return b.argument
			}
			return name
		}
	}
	return name
}

func explainTLS(l Layer, below []Layer) explained {
	ex := explained{text: "client", items: nil}
	if name := serverName(l, below); name != "" && !l.has("name") {
		ex.text += " name=" + name
	}
	if !l.has("ca", "pin") {
		ex.items = l.defaults("verify")
	}
	ex.items = append(ex.items, l.defaults("min")...)
	if l.is("verify", "off") && !l.has("pin") {
		ex.warnings = append(ex.warnings, Warning{Code: "unverified", Text: "does not verify its peer"})
	}
	return ex
}

// A tlsPeer is one end of TLS that is ready.
type tlsPeer struct {
	config  atomic.Pointer[tls.Config]
	options tlsstream.Options
}

func prepareTLS(s *setup) (*part, error) {
	name := s.text("name")
	if name == "" {
		name = serverName(s.Layer, s.below)
	}
	peer := &tlsPeer{options: tlsstream.Options{HTTPSCompatible: s.text("ragged") == "ok"}}
	load := func() (use func(), err error) {
		config, err := s.clientConfig(name)
		return func() { peer.config.Store(config) }, err
	}
	use, err := load()
	if err != nil {
		return nil, err
	}
	use()
	return &part{
		phase: PhaseHandshake,
		with:  func() string { return strings.TrimSuffix("with "+peerName(name, s.below), "with ") },
		load:  load,
		wrap: func(ctx context.Context, below trigo.Stream) (trigo.Stream, error) {
			return handshake(ctx, tlsstream.Client(below, peer.config.Load(), &peer.options))
		},
	}, nil
}

// handshake does the handshake of a new stream.
func handshake(ctx context.Context, t *tlsstream.Stream) (trigo.Stream, error) {
	if err := t.Handshake(ctx); err != nil {
		trigo.CloseForcefully(t) // ends the handshake's goroutine
		return nil, err
	}
	return t, nil
}

// clientConfig reads what the options of a client name.
func (s *setup) clientConfig(name string) (*tls.Config, error) {
	config, err := s.commonConfig()
	if err != nil {
		return nil, err
	}
	config.ServerName = name
	if net.ParseIP(name) == nil && name != "" {
		ascii, err := idna.Lookup.ToASCII(name)
		if err == nil {
			config.ServerName = ascii
		}
	}
	if s.set("cert") {
		cert, err := s.certificate()
		if err != nil {
			return nil, err
		}
		config.Certificates = []tls.Certificate{cert}
	}
	if s.set("ca") {
		if config.RootCAs, err = s.authorities(); err != nil {
			return nil, err
		}
	}
	// A pin stands in for a chain, unless a chain was asked for as well.
	pins := s.pins()
	byChain := s.set("ca") || s.set("verify") && s.text("verify") == "system" || len(pins) == 0 && s.text("verify") == "system"
	config.InsecureSkipVerify = !byChain
	if len(pins) > 0 {
		config.VerifyConnection = func(state tls.ConnectionState) error { return verifyPin(state, pins) }
	}
	return config, nil
}

// commonConfig is what both ends have in common.
func (s *setup) commonConfig() (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: s.list("alpn")}
	if s.text("min") == "1.3" {
		config.MinVersion = tls.VersionTLS13
	}
	if s.set("keylog") {
		log := &keyLog{s.text("keylog")}
		if _, err := log.Write(nil); err != nil {
			return nil, s.failure("keylog", "", err)
		}
		config.KeyLogWriter = log
	}
	return config, nil
}

// pins returns the pins that the peer may have.
func (s *setup) pins() []string {
	var all []string
	for _, text := range s.list("pin") {
		pin, _ := parsePin(text)
		all = append(all, pin)
	}
	return slices.Compact(all)
}
