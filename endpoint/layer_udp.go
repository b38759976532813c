package endpoint

import (
	"context"
	"slices"

	"trigo"
	"trigo/netstream"
)

var udpKind = &kind{
	Kind: Kind{
		Name: "udp", Form: "udp:HOST:PORT", Role: Connects, Argument: "HOST:PORT",
		Help:    "datagrams to and from one peer; each piece that is sent is one datagram",
		Options: hostPortOptions,
	},
	parse: parseDialHostPort,
	prepare: func(s *setup) (*part, error) {
		return &part{
			phase: PhaseConnect,
			dial: func(ctx context.Context) (trigo.Stream, error) {
				address, err := s.inFamily(ctx, s.argument)
				if err != nil {
					return nil, err
				}
				u, err := netstream.DialUDP(ctx, address)
				if err != nil {
					return nil, err
				}
				return &datagrams{udp: u}, nil
			},
		}, nil
	},
	explain: func(l Layer, _ []Layer) explained { return explained{text: l.argument} },
}

var udpListenKind = &kind{
	Kind: Kind{
		Name: "udp-listen", Aliases: []string{"udp-l"}, Form: "udp-listen:[HOST:]PORT", Role: Listens, Argument: "[HOST:]PORT",
		Help: "datagrams to a port of this machine; each peer is a connection, which ends when it is silent",
		Options: slices.Concat(hostPortOptions, []Option{
			{Key: "idle", Type: Duration, Default: "60s", Help: "how long a peer may be silent"},
			{Key: "max", Type: Int, Help: "peers at a time; others wait"},
		}),
	},
	parse: parseListenHostPort,
	check: tcpListenKind.check,
	prepare: func(s *setup) (*part, error) {
		address := s.listenAddress()
		idle := s.duration("idle")
		return &part{
			phase: PhaseListen,
			max:   s.number("max"),
			listen: func(ctx context.Context) ([]source, error) {
				address, err := s.inFamily(ctx, address)
				if err != nil {
					return nil, err
				}
				u, err := netstream.ListenUDP(ctx, address)
				if err != nil {
					return nil, err
				}
				return []source{newSessions(u, idle)}, nil
			},
		}, nil
	},
	explain: func(l Layer, below []Layer) explained {
		ex := tcpListenKind.explain(l, below)
		ex.items = l.defaults("idle")
		return ex
	},
}
