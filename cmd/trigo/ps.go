package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"trigo/endpoint"
	"trigo/signals"
)

// runPS lists the connections of a relay that runs with --status. It asks twice,
// for the rates.
func runPS(o *options, out *console) error {
	if err := o.takes(1, 1, "ps ADDR"); err != nil {
		return err
	}
	return signals.Shutdown(context.Background(), func(ctx context.Context) error {
		return ps(ctx, o)
	})
}

func ps(ctx context.Context, o *options) error {
	network, address := statusAddress(o.args[0])
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, network, address)
		},
	}}
	defer client.CloseIdleConnections()
	failed := func(err error) error {
		hint := cmp.Or(endpoint.Hint(err), "want unix:PATH or HOST:PORT, as a relay has it in --status")
		return &failure{code: exitOpenA, err: err, hint: hint}
	}
	before, err := askLive(ctx, client)
	if err != nil {
		return failed(err)
	}
	now := before
	const pause = 500 * time.Millisecond
	if len(before.Open) > 0 && !o.json {
		sleep(ctx, pause)
		if now, err = askLive(ctx, client); err != nil {
			return failed(err)
		}
	}
	if o.json {
		enc := json.NewEncoder(os.Stdout)
		enc.SetIndent("", "  ")
		enc.SetEscapeHTML(false)
		return enc.Encode(now)
	}
	return printLive(now, before, pause)
}

func askLive(ctx context.Context, client *http.Client) (l live, err error) {
	req, err := http.NewRequestWithContext(ctx, "GET", "http://trigo/conns", nil)
	if err != nil {
		return l, err
	}
	res, err := client.Do(req)
	if err != nil {
		return l, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return l, fmt.Errorf("it answers %s and is no relay with --status", res.Status)
	}
	return l, json.NewDecoder(res.Body).Decode(&l)
}

// printLive prints a tree: a line for each connection, and its layers below.
func printLive(now, before live, pause time.Duration) error {
	past := map[int]liveConnection{}
	for _, c := range before.Open {
		past[c.Number] = c
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "NUMBER\tPEER\tSENT\t\tRECEIVED\t\tAGE\tBETWEEN")
	rate := func(now, then int64) string {
		return human(float64(now-then)/pause.Seconds()) + "/s"
	}
	for _, c := range now.Open {
		p, known := past[c.Number]
		if !known {
			p = c
		}
		fmt.Fprintf(w, "#%d\t%s\t%s\t%s\t%s\t%s\t%v\t%s\n", c.Number, c.Peer,
			human(c.Sent), rate(c.Sent, p.Sent), human(c.Received), rate(c.Received, p.Received),
			brief(time.Since(c.Since)), strings.Join([]string{"a=" + c.A, "b=" + c.B}, " "))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	state := ""
	if now.Draining {
		state = ", draining"
	}
	_, err := fmt.Printf("%d open, %d ended, %d failed, %s sent, %s received%s\n",
		len(now.Open), now.Ended, now.Failed, human(now.Sent), human(now.Received), state)
	return err
}
