package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"strings"
	"time"

	"trigo/endpoint"
	"trigo/nursery"
)

// liveConnection is one relay under way, as /conns and trigo ps have it.
type liveConnection struct {
	Number   int        `json:"number"`
	Peer     string     `json:"peer"`
	A        string     `json:"a"`
	B        string     `json:"b"`
	Layers   [][]string `json:"layers"` // of a and of b, outermost first
	Since    time.Time  `json:"since"`
	Sent     int64      `json:"sent"`
	Received int64      `json:"received"`
}

// live is what /conns answers.
type live struct {
	Draining bool             `json:"draining"`
	Ended    int64            `json:"ended"`
	Failed   int64            `json:"failed"`
	Sent     int64            `json:"sent"`
	Received int64            `json:"received"`
	Open     []liveConnection `json:"open"`
}

// withStatus calls f, and serves --status meanwhile.
func (j *job) withStatus(ctx context.Context, s *stopper, f func(ctx context.Context) error) error {
	if j.status == "" {
		return f(ctx)
	}
	network, address := statusAddress(j.status)
	l, err := net.Listen(network, address)
	if err != nil {
		return usage(cmp.Or(endpoint.Hint(err), "want unix:PATH or HOST:PORT"), "--status: %w", err)
	}
	srv := &http.Server{Handler: j.statusHandler(s), ReadHeaderTimeout: 10 * time.Second}
	var result error
	err = nursery.Run(ctx, func(ctx context.Context, n *nursery.Nursery) error {
		n.Go(func(context.Context) error {
			if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
				return fmt.Errorf("--status: %w", err)
			}
			return nil
		})
		defer srv.Close()
		result = f(ctx)
		return nil
	})
	if result != nil {
		return result
	}
	return err
}

// statusAddress splits unix:PATH, a path, or HOST:PORT.
func statusAddress(text string) (network, address string) {
	if path, ok := strings.CutPrefix(text, "unix:"); ok {
		return "unix", path
	}
	if strings.Contains(text, "/") {
		return "unix", text
	}
	return "tcp", text
}

func (j *job) statusHandler(s *stopper) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /conns", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(j.live(s))
	})
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		writeMetrics(w, j.live(s))
	})
	mux.HandleFunc("POST /drain", func(w http.ResponseWriter, r *http.Request) {
		s.askToDrain()
		fmt.Fprintln(w, "draining")
	})
	return mux
}

func (j *job) live(s *stopper) live {
	t := j.conns.totals()
	answer := live{Ended: t.relays, Failed: t.failed, Sent: t.aToB, Received: t.bToA, Open: []liveConnection{}}
	select {
	case <-s.drain:
		answer.Draining = true
	default:
	}
	for _, c := range j.conns.list() {
		answer.Open = append(answer.Open, liveConnection{
			Number: c.number, Peer: c.peer, A: c.a, B: c.b, Layers: c.layers[:], Since: c.since,
			Sent: c.counters.AToB.Load(), Received: c.counters.BToA.Load(),
		})
	}
	return answer
}

// writeMetrics writes the text format of Prometheus.
func writeMetrics(w http.ResponseWriter, l live) {
	draining := 0
	if l.Draining {
		draining = 1
	}
	for _, m := range []struct {
		name, kind, help string
		value            int64
	}{
		{"trigo_relays_open", "gauge", "Relays under way.", int64(len(l.Open))},
		{"trigo_relays_ended_total", "counter", "Relays that are over.", l.Ended},
		{"trigo_relays_failed_total", "counter", "Connections that failed or were not served.", l.Failed},
		{"trigo_sent_bytes_total", "counter", "Bytes from the first address to the second.", l.Sent},
		{"trigo_received_bytes_total", "counter", "Bytes from the second address to the first.", l.Received},
		{"go_goroutines", "gauge", "Goroutines of the process.", int64(runtime.NumGoroutine())},
		{"trigo_draining", "gauge", "1 if no connection is accepted any more.", int64(draining)},
	} {
		fmt.Fprintf(w, "# HELP %s %s\n# TYPE %s %s\n%s %d\n", m.name, m.help, m.name, m.kind, m.name, m.value)
	}
}
