package endpoint

import (
	"context"
	"errors"
	"path/filepath"

	"trigo"
	"trigo/netstream"
)

func parsePath(argument string) (string, error) {
	if argument == "" {
		return "", errors.New("missing path")
	}
	return argument, nil
}

var unixKind = &kind{
	Kind: Kind{
		Name: "unix", Form: "unix:PATH", Role: Connects, Argument: "PATH",
		Help:    "a Unix socket; @NAME is an abstract one",
		Options: bufferOptions,
	},
	parse: parsePath,
	bare:  true,
	prepare: func(s *setup) (*part, error) {
		socket, err := s.socketSettings()
		return &part{
			phase: PhaseConnect,
			dial: func(ctx context.Context) (trigo.Stream, error) {
				conn, err := netstream.DialUnix(ctx, s.argument)
				if err != nil {
					return nil, err
				}
				if err := socket.tune(conn); err != nil {
					conn.Abort()
					return nil, err
				}
				return conn, nil
			},
		}, err
	},
	explain: func(l Layer, _ []Layer) explained {
		e := explained{text: l.argument}
		if filepath.Base(l.argument) == "docker.sock" {
			e.warnings = append(e.warnings, Warning{Code: "root", Text: "docker.sock gives root"})
		}
		return e
	},
}

var unixListenKind = &kind{
	Kind: Kind{
		Name: "unix-listen", Aliases: []string{"unix-l"}, Form: "unix-listen:PATH", Role: Listens, Argument: "PATH",
		Help: "connections to a Unix socket, which is made; one that is there is replaced",
		Options: append([]Option{
			{Key: "mode", Type: Mode, Help: "the permissions of the socket; to connect is to write"},
			{Key: "unlink", Type: Bool, Default: "on", Help: "remove the socket in the end"},
			{Key: "max", Type: Int, Help: "connections at a time; others wait to be accepted"},
			{Key: "backlog", Type: Int, Help: "connections that may wait to be accepted"},
		}, bufferOptions...),
	},
	parse: parsePath,
	bare:  true,
	check: tcpListenKind.check,
	prepare: func(s *setup) (*part, error) {
		o := netstream.UnixListenOptions{Backlog: s.number("backlog"), KeepFile: !s.on("unlink")}
		if s.set("mode") {
			o.Mode, _ = parseMode(s.text("mode"))
		}
		socket, err := s.socketSettings()
		return &part{
			phase: PhaseListen,
			max:   s.number("max"),
			listen: func(ctx context.Context) ([]source, error) {
				l, err := netstream.ListenUnix(ctx, s.argument, &o)
				if err != nil {
					return nil, err
				}
				return []source{accepting[*netstream.Stream]{l, socket.tune}}, nil
			},
		}, err
	},
	explain: func(l Layer, _ []Layer) explained { return explained{text: l.argument} },
}
