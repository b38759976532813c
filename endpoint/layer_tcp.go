package endpoint

import (
	"context"
	"net"
	"net/netip"
	"slices"

	"trigo"
	"trigo/netstream"
)

var hostPortOptions = []Option{
	{Key: "host", Type: Host, Help: "the host, in place of the argument", argument: true},
	{Key: "port", Type: Port, Help: "the port, in place of the argument", argument: true},
}

var tcpKind = &kind{
	Kind: Kind{
		Name: "tcp", Form: "tcp:HOST:PORT", Role: Connects, Argument: "HOST:PORT",
		Help: "a TCP connection; all addresses of the name are tried, the fastest wins",
		Options: slices.Concat(hostPortOptions, []Option{
			{Key: "bind", Type: Address, Help: "the address to connect from; 0.0.0.0 or :: choose the family"},
		}, connectionOptions, socketOptions),
	},
	parse:   parseDialHostPort,
	bare:    true,
	prepare: prepareTCP,
	explain: func(l Layer, _ []Layer) explained { return explained{text: l.argument, notes: []string{"rfc8305"}} },
}

func prepareTCP(s *setup) (*part, error) {
	var o netstream.DialOptions
	switch {
	case s.set("bind"):
		o.LocalAddress, _ = parseIP(s.text("bind"))
	case s.opts.Family == 4:
		o.LocalAddress = netip.IPv4Unspecified()
	case s.opts.Family == 6:
		o.LocalAddress = netip.IPv6Unspecified()
	}
	socket, err := s.socketSettings()
	if err != nil {
		return nil, err
	}
	return &part{
		phase: PhaseConnect,
		dial: func(ctx context.Context) (trigo.Stream, error) {
			conn, err := netstream.DialTCP(socket.inject(ctx), s.argument, &o)
			if err != nil {
				return nil, ofFamily(o.LocalAddress, err)
			}
			if err := socket.tune(conn); err != nil {
				conn.Abort()
				return nil, err
			}
			return conn, nil
		},
	}, nil
}

var tcpListenKind = &kind{
	Kind: Kind{
		Name: "tcp-listen", Aliases: []string{"tcp-l"}, Form: "tcp-listen:[HOST:]PORT", Role: Listens, Argument: "[HOST:]PORT",
		Help: "TCP connections to a port of this machine; without a host on all its addresses, port 0 is a free one",
		Options: slices.Concat(hostPortOptions, []Option{
			{Key: "max", Type: Int, Help: "connections at a time; others wait to be accepted"},
			{Key: "backlog", Type: Int, Help: "connections that may wait to be accepted"},
			{Key: "reuseport", Type: Bool, Help: "share the port with other listeners that set this too"},
		}, connectionOptions, socketOptions),
	},
	parse:   parseListenHostPort,
	bare:    true,
	prepare: prepareTCPListen,
	explain: func(l Layer, _ []Layer) explained {
		e := explained{text: l.argument}
		if isWildcard(hostOf(l.argument)) || !hasHost(l.argument) {
			e.text = "*:" + portOf(l.argument)
			e.exposed = true
		}
		return e
	},
	check: func(l Layer, _ []Layer) *Error {
		if s, ok := l.given("max"); ok && s.Value == (Value{Text: "0"}) {
			return mistake(l.kind.Name, "max", "leave it out for no limit", "max: nobody could connect")
		}
		return nil
	},
}

func prepareTCPListen(s *setup) (*part, error) {
	address := s.listenAddress()
	o := netstream.ListenOptions{Backlog: s.number("backlog")}
	socket, err := s.socketSettings()
	if err != nil {
		return nil, err
	}
	return &part{
		phase: PhaseListen,
		max:   s.number("max"),
		listen: func(ctx context.Context) ([]source, error) {
			address, err := s.inFamily(ctx, address)
			if err != nil {
				return nil, err
			}
			listeners, err := netstream.ListenTCP(socket.inject(ctx), address, &o)
			if err != nil {
				return nil, err
			}
			sources := make([]source, len(listeners))
			for i, l := range listeners {
				sources[i] = accepting[*netstream.Stream]{l, socket.tune}
			}
			return sources, nil
		},
	}, nil
}

// hasHost reports whether an argument of tcp-listen is more than a port.
func hasHost(argument string) bool {
	_, _, err := net.SplitHostPort(argument)
	return err == nil
}

func portOf(argument string) string {
	if _, port, err := net.SplitHostPort(argument); err == nil {
		return port
	}
	return argument
}

func isWildcard(host string) bool {
	a, err := netip.ParseAddr(host)
	return err == nil && a.IsUnspecified()
}
