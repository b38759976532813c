package rows

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"

	"trigo/netconn"
	"trigo/tlsstream"
)

func httpRows() []Row {
	rows := []Row{}
	for _, idle := range []int{0, manyConns()} {
		name := "HTTP over TLS, a request of 100 connections"
		if idle > 0 {
			name = fmt.Sprintf("%s, beside %d that are idle", name, idle)
		}
		rows = append(rows, Row{Name: name, Unit: "µs", Setup: func(s *Scope) []Contestant {
			return []Contestant{
				requests(s, "trigo", s.Pick(min(idle, 200), idle)),
				requests(s, "net/http", s.Pick(min(idle, 200), idle)).within(1 / 0.95),
			}
		}})
	}
	return rows
}

func init() {
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "hello") })
	quiet := &http.Server{Handler: handler, ErrorLog: log.New(io.Discard, "", 0)} // wrk does not say goodbye
	servers["http trigo"] = func(ctx context.Context, ready func(net.Addr)) error {
		config, err := serverConfig(os.Args[1])
		if err != nil {
			return err
		}
		ls, err := tlsstream.ListenTCP(ctx, "127.0.0.1:0", config, nil)
		if err != nil {
			return err
		}
		l := netconn.Listener(ls[0], nil)
		defer context.AfterFunc(ctx, func() { l.Close() })()
		ready(l.Addr())
		return quiet.Serve(l)
	}
	servers["http net/http"] = func(ctx context.Context, ready func(net.Addr)) error {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		defer context.AfterFunc(ctx, func() { l.Close() })()
		ready(l.Addr())
		return quiet.ServeTLS(l, os.Args[1], os.Args[1])
	}
}

// requests has wrk send requests over a hundred connections to a server that has
// as many others as idle says. The value is the time of one, of all that were
// answered side by side.
func requests(s *Scope, server string, idle int) Contestant {
	c := Contestant{Name: server, Fewer: server != "trigo", Skip: lacks("wrk")}
	if c.Skip != "" {
		return c
	}
	address, _ := startServer(s, "http "+server, certificate(s, "tls"))
	for range idle {
		c := MustGet(tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true}))
		s.Cleanup(func() { c.Close() })
	}
	seconds := s.Pick(1, 3)
	c.Measure = func() float64 {
		out := MustGet(exec.CommandContext(s.Ctx, "wrk", "-t1", "-c100", fmt.Sprintf("-d%ds", seconds), "https://"+address+"/").Output())
		for line := range strings.Lines(string(out)) {
			if rate, ok := strings.CutPrefix(strings.TrimSpace(line), "Requests/sec:"); ok {
				return 1e6 / MustGet(strconv.ParseFloat(strings.TrimSpace(rate), 64))
			}
		}
		Must(fmt.Errorf("wrk says nothing of a rate: %s", out))
		return 0
	}
	return c
}
