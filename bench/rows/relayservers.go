package rows

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"

	"trigo"
	"trigo/netconn"
	"trigo/netstream"
	"trigo/relay"
	"trigo/tlsstream"
	"trigo/tlsstream/devcert"
)

// relayPeer is a program that hands on what it gets.
type relayPeer struct {
	name  string
	from  string // what it can listen at, in the words of [relayWork]
	lacks func() string
	start func(s *Scope, from, target string) (address string, pid int)
}

// relays are those of the rows with relays, trigo first.
var relays = []relayPeer{
	{"trigo", "tcp unix tls", func() string { return "" }, childRelay("relay trigo")},
	{"io.Copy", "tcp unix tls", func() string { return "" }, childRelay("relay io.Copy")},
	{"socat", "tcp unix tls", func() string { return lacks("socat") }, socatRelay},
	{"haproxy", "tcp tls", func() string { return lacks("haproxy") }, haproxyRelay},
	{"ncat", "tcp", func() string { return lacks("ncat") }, ncatRelay},
	{"tokio", "tcp", tokioLacks, func(s *Scope, from, target string) (string, int) {
		return startProgram(s, nil, tokioPeer(), "relay", target)
	}},
}

func childRelay(name string) func(s *Scope, from, target string) (address string, pid int) {
	return func(s *Scope, from, target string) (string, int) {
		return startServer(s, name, from, listenAt(s, from, "127.0.0.1:0"), target, certificate(s, from))
	}
}

func socatRelay(s *Scope, from, target string) (address string, pid int) {
	address = listenAt(s, from, freeAddress().String())
	switch from {
	case "unix":
		pid = startForeign(s, "unix", address, "socat", "UNIX-LISTEN:"+address+",fork,backlog=1024", "UNIX-CONNECT:"+target)
	case "tls":
		pid = startForeign(s, "tcp", address, "socat",
			"OPENSSL-LISTEN:"+port(address)+",bind=127.0.0.1,fork,reuseaddr,nodelay,verify=0,cert="+certificate(s, from), "TCP:"+target+",nodelay")
	default:
		pid = startForeign(s, "tcp", address, "socat",
			"TCP-LISTEN:"+port(address)+",bind=127.0.0.1,fork,reuseaddr,nodelay,backlog=1024", "TCP:"+target+",nodelay")
	}
	return address, pid
}

func haproxyRelay(s *Scope, from, target string) (address string, pid int) {
	address = freeAddress().String()
	bind := address
	if from == "tls" {
		bind += " ssl crt " + certificate(s, from)
	}
	config := filepath.Join(s.Dir(), "haproxy.cfg")
	Must(os.WriteFile(config, fmt.Appendf(nil, `global
	maxconn 2000
defaults
	mode tcp
	option splice-auto
	timeout connect 5s
	timeout client 1h
	timeout server 1h
listen relay
	bind %s
	server target %s
`, bind, target), 0o600))
	return address, startForeign(s, "tcp", address, "haproxy", "-db", "-f", config)
}

func ncatRelay(s *Scope, from, target string) (address string, pid int) {
	address = freeAddress().String()
	host, targetPort, err := net.SplitHostPort(target)
	Must(err)
	return address, startForeign(s, "tcp", address, "ncat", "-l", "-k", "127.0.0.1", port(address),
		"--sh-exec", "exec ncat "+host+" "+targetPort)
}

// listenAt returns where a relay is to listen.
func listenAt(s *Scope, from, address string) string {
	if from == "unix" {
		return filepath.Join(s.Dir(), "relay")
	}
	return address
}

// certificate returns a file with a certificate and its key, if TLS wants one.
func certificate(s *Scope, from string) string {
	if from != "tls" {
		return ""
	}
	ca := MustGet(devcert.NewAuthority())
	certs, key, err := devcert.PEM(MustGet(ca.Leaf(nil, "bench.test")))
	Must(err)
	file := filepath.Join(s.Dir(), "cert.pem")
	Must(os.WriteFile(file, append(certs, key...), 0o600))
	return file
}

func init() {
	servers["relay trigo"] = func(ctx context.Context, ready func(net.Addr)) error {
		from, listen, target, file := os.Args[1], os.Args[2], os.Args[3], os.Args[4]
		hand := func(ctx context.Context, c trigo.Stream) error {
			d, err := dialTarget(ctx, from, target)
			if err != nil {
				return err
			}
			relay.Run(ctx, c, d, nil)
			return nil
		}
		plain := func(ctx context.Context, c *netstream.Stream) error { return hand(ctx, c) }
		switch from {
		case "unix":
			return netstream.ServeUnix(ctx, listen, plain,
				&netstream.ServeUnixOptions{Ready: func(l *netstream.Listener) { ready(l.Addr()) }})
		case "tls":
			config, err := serverConfig(file)
			if err != nil {
				return err
			}
			return tlsstream.ServeTCP(ctx, listen, config,
				func(ctx context.Context, c *tlsstream.Stream) error { return hand(ctx, c) },
				&tlsstream.ServeTCPOptions{Ready: func(ls []*tlsstream.Listener) { ready(netconn.Listener(ls[0], nil).Addr()) }})
		}
		return netstream.ServeTCP(ctx, listen, plain,
			&netstream.ServeTCPOptions{Ready: func(ls []*netstream.Listener) { ready(ls[0].Addr()) }})
	}
	servers["relay io.Copy"] = func(ctx context.Context, ready func(net.Addr)) error {
		from, listen, target, file := os.Args[1], os.Args[2], os.Args[3], os.Args[4]
		to := from
		if from == "tls" {
			from, to = "tcp", "tcp"
		}
		l, err := net.Listen(from, listen)
		if err != nil {
			return err
		}
		if file != "" {
			config, err := serverConfig(file)
			if err != nil {
				return err
			}
			l = tls.NewListener(l, config)
		}
		return serveOn(ctx, l, ready, func(_ context.Context, c net.Conn) {
			d, err := net.Dial(to, target)
			if err != nil {
				return
			}
			defer d.Close()
			copyBoth(c, d)
		})
	}
}

func dialTarget(ctx context.Context, from, target string) (*netstream.Stream, error) {
	if from == "unix" {
		return netstream.DialUnix(ctx, target)
	}
	return netstream.DialTCP(ctx, target, nil)
}

func serverConfig(file string) (*tls.Config, error) {
	cert, err := tls.LoadX509KeyPair(file, file)
	return &tls.Config{Certificates: []tls.Certificate{cert}}, err
}

// copyBoth is a relay as everyone writes it.
func copyBoth(a, b net.Conn) {
	var both sync.WaitGroup
	for _, way := range [][2]net.Conn{{a, b}, {b, a}} {
		both.Go(func() {
			io.Copy(way[1], way[0])
			way[1].(interface{ CloseWrite() error }).CloseWrite()
		})
	}
	both.Wait()
}
