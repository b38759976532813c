package endpoint

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/textproto"
	"slices"
	"strings"

	"trigo"
	"trigo/proxy"
)

var authOption = Option{Key: "auth", Type: Text, Secret: true, Help: "USER:PASSWORD for the proxy; better @FILE or env:NAME"}

var connectKind = &kind{
	Kind: Kind{
		Name: "connect", Form: "connect:HOST:PORT", Role: Wraps, Argument: "HOST:PORT",
		Help: "a connection through the HTTP proxy below (CONNECT)",
		Options: slices.Concat(hostPortOptions, []Option{
			authOption,
			{Key: "header", Type: Text, List: true, Secret: true, Help: "NAME: VALUE, a header to send to the proxy"},
		}),
	},
	bare:  true,
	parse: parseDialHostPort,
	below: "tcp:PROXY:3128",
	prepare: func(s *setup) (*part, error) {
		auth, err := s.auth()
		if err != nil {
			return nil, err
		}
		header, err := s.headers()
		if err != nil {
			return nil, err
		}
		o := proxy.ConnectOptions{Auth: auth, Header: header}
		return &part{
			phase: PhaseProxy,
			with:  func() string { return "connection to " + s.argument },
			wrap: func(ctx context.Context, below trigo.Stream) (trigo.Stream, error) {
				return below, proxy.Connect(ctx, below, s.argument, &o)
			},
		}, nil
	},
	explain: func(l Layer, _ []Layer) explained { return explained{name: "http-connect", text: l.argument} },
}

var socks5Kind = &kind{
	Kind: Kind{
		Name: "socks5", Form: "socks5:HOST:PORT", Role: Wraps, Argument: "HOST:PORT",
		Help: "a connection through the SOCKS5 proxy below",
		Options: slices.Concat(hostPortOptions, []Option{
			authOption,
			{Key: "dns", Type: Enum, Choices: []string{"remote", "local"}, Default: "remote", Help: "who looks up the name: the proxy or this machine"},
		}),
	},
	bare:  true,
	parse: parseDialHostPort,
	below: "tcp:PROXY:1080",
	prepare: func(s *setup) (*part, error) {
		auth, err := s.auth()
		if err != nil {
			return nil, err
		}
		o := proxy.SOCKS5Options{Auth: auth}
		if s.text("dns") == "local" {
			o.Lookup = s.lookup
		}
		return &part{
			phase: PhaseProxy,
			with:  func() string { return "connection to " + s.argument },
			wrap: func(ctx context.Context, below trigo.Stream) (trigo.Stream, error) {
				return below, proxy.SOCKS5(ctx, below, s.argument, &o)
			},
		}, nil
	},
	explain: func(l Layer, _ []Layer) explained { return explained{text: l.argument, items: l.defaults("dns")} },
}

// auth splits USER:PASSWORD.
func (s *setup) auth() (*proxy.Auth, error) {
	if !s.set("auth") {
		return nil, nil
	}
	user, password, found := strings.Cut(s.text("auth"), ":")
	if !found || user == "" {
		return nil, s.failure("auth", "want USER:PASSWORD", errors.New("it has no password"))
	}
	return &proxy.Auth{User: user, Password: password}, nil
}

// headers splits the values of header.
func (s *setup) headers() (textproto.MIMEHeader, error) {
	h := make(textproto.MIMEHeader)
	for _, line := range s.values["header"] {
		name, value, found := strings.Cut(line, ":")
		if !found || name == "" {
			return nil, s.failure("header", "want NAME: VALUE", errors.New("it has no colon"))
		}
		h.Add(strings.TrimSpace(name), strings.TrimSpace(value))
	}
	return h, nil
}

var proxySendKind = &kind{
	Kind: Kind{
		Name: "proxy-send", Form: "proxy-send", Role: Wraps,
		Help: "tells the peer who is connected (PROXY protocol)",
		Options: []Option{
			{Key: "v", Type: Enum, Choices: []string{"1", "2"}, Default: "2", Help: "the version of the protocol"},
		},
	},
	bare:  true,
	below: "tcp:HOST:PORT",
	prepare: func(s *setup) (*part, error) {
		version := s.number("v")
		return &part{
			phase: PhaseProxy,
			with:  func() string { return "header" },
			wrap: func(ctx context.Context, below trigo.Stream) (trigo.Stream, error) {
				return below, proxy.SendHeader(ctx, below, proxy.HeaderFor(clientOf(ctx), version))
			},
		}, nil
	},
	explain: func(l Layer, _ []Layer) explained { return explained{items: l.defaults("v")} },
}

type clientKey struct{}

// WithClient returns a ctx under which [Recipe.Dial] knows on whose behalf it
// connects: client is the stream that was accepted. The proxy-send layer tells the
// peer of it.
func WithClient(ctx context.Context, client trigo.Stream) context.Context {
	return context.WithValue(ctx, clientKey{}, client)
}

func clientOf(ctx context.Context) any { return ctx.Value(clientKey{}) }

var proxyAcceptKind = &kind{
	Kind: Kind{
		Name: "proxy-accept", Form: "proxy-accept", Role: Wraps,
		Help: "learns from a proxy in front who is connected (PROXY protocol)",
		Options: []Option{
			{Key: "from", Type: Network, List: true, Help: "where the proxy connects from; others are not let in"},
		},
	},
	bare:  true,
	below: "tcp-listen:PORT",
	check: func(l Layer, _ []Layer) *Error {
		if !l.has("from") {
			return mistake(l.kind.Name, "from", "pass from=ADDRESS or from=NETWORK", "anybody could pretend to be the proxy")
		}
		return nil
	},
	prepare: func(s *setup) (*part, error) {
		var trusted []netip.Prefix
		for _, text := range s.list("from") {
			p, err := parseNetwork(text)
			if err != nil {
				return nil, s.failure("from", "want networks such as 192.0.2.0/24", err)
			}
			trusted = append(trusted, p)
		}
		return &part{
			phase: PhaseProxy,
			with:  func() string { return "header" },
			wrap: func(ctx context.Context, below trigo.Stream) (trigo.Stream, error) {
				if err := checkSource(below, trusted); err != nil {
					return nil, err
				}
				h, err := proxy.AcceptHeader(ctx, below)
				if err != nil {
					return nil, err
				}
				return introduced(below, h), nil
			},
		}, nil
	},
}

// checkSource lets in only peers from trusted networks.
func checkSource(s trigo.Stream, trusted []netip.Prefix) error {
	a, ok := trigo.As[interface{ RemoteAddr() net.Addr }](s)
	if !ok {
		return denied{errors.New("a peer without an address")}
	}
	from, err := netip.ParseAddrPort(a.RemoteAddr().String())
	if err != nil {
		return denied{fmt.Errorf("a peer at %v", a.RemoteAddr())}
	}
	ip := from.Addr().Unmap().WithZone("")
	if !slices.ContainsFunc(trusted, func(p netip.Prefix) bool { return p.Contains(ip) }) {
		return denied{fmt.Errorf("a proxy at %v", ip)}
	}
	return nil
}
