package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"trigo"
	"trigo/endpoint"
	"trigo/netstream"
	"trigo/signals"
	"trigo/tlsstream"
)

// probed is what probe prints as JSON.
type probed struct {
	Address string
	Steps   []map[string]any
	Total   float64 `json:"total_ms"`
	OK      bool
	Error   string `json:",omitempty"`
	Hint    string `json:",omitempty"`
}

func runProbe(o *options, out *console) error {
	if err := o.takes(1, 1, "probe ADDR"); err != nil {
		return err
	}
	e, err := endpoint.Parse(o.args[0])
	if err != nil {
		return opening(0, err)
	}
	switch {
	case e.Listens():
		return usage("probe connects to what listens", "address %s listens itself", e.Redacted())
	case e.Uses("exec"):
		return usage("it opens what can be connected to, such as tcp:HOST:PORT", "probe starts no command")
	}
	return signals.Shutdown(context.Background(), func(ctx context.Context) error {
		return probe(ctx, o, out, e)
	})
}

// probe opens the endpoint and tells of each step. With --wait it tries again
// until it succeeds, and tells of the last time only.
func probe(ctx context.Context, o *options, out *console, e endpoint.Endpoint) error {
	var steps []endpoint.Step
	opts := o.endpoint(0)
	opts.Observe = func(s endpoint.Step) { steps = append(steps, s) }
	recipe, err := e.Prepare(ctx, opts)
	if err != nil {
		return opening(0, err)
	}
	if o.wait > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, o.wait, errWait)
		defer cancel()
	}
	for {
		steps = nil
		began := time.Now()
		s, err := recipe.Dial(ctx)
		took := time.Since(began)
		if err != nil && o.wait > 0 && mayPass(err) && sleep(ctx, jitter(o.backoff.first)) {
			continue
		}
		var f *failure
		if err != nil {
			if f = opening(0, err); errors.Is(context.Cause(ctx), errWait) {
				f.code = exitTimeout
			}
		}
		if err := printProbe(o, e, steps, took, f); err != nil {
			return err
		}
		if f != nil {
			if o.json {
				return &failure{code: f.code} // it is in the JSON
			}
			return f
		}
		return s.Close(ctx)
	}
}

var errWait = errors.New("not there within --wait")

func printProbe(o *options, e endpoint.Endpoint, steps []endpoint.Step, took time.Duration, f *failure) error {
	if !o.json {
		for _, s := range steps {
			if s.Err == nil || s.Report != nil || len(s.Certificates) > 0 {
				fmt.Println(strings.Join(stepLines(s), "\n"))
			}
		}
		if f == nil {
			fmt.Printf("ok %v\n", brief(took))
		}
		return nil
	}
	p := probed{Address: e.Redacted(), OK: f == nil, Total: milliseconds(took)}
	for _, s := range steps {
		p.Steps = append(p.Steps, stepFields(s))
	}
	if f != nil {
		p.Error, p.Hint = f.Error(), f.remedy()
	}
	enc := json.NewEncoder(os.Stdout)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(p)
}

// stepLine tells of a step in one line, for -vv.
func stepLine(side int, s endpoint.Step) string {
	return sideNames[side] + ": " + stepLines(s)[0]
}

// stepLines tells of a step: a line, and indented ones for what belongs to it.
func stepLines(s endpoint.Step) []string {
	what := s.Layer
	if s.Stream != nil {
		what = nameOf(s.Stream)
	}
	first := fmt.Sprintf("%-9s %-40s %8v", s.Phase, what, brief(s.Duration))
	if s.Err != nil {
		first = fmt.Sprintf("%-9s %s failed after %v", s.Phase, what, brief(s.Duration))
	}
	lines := []string{first}
	if r := s.Report; r != nil {
		if r.Resolve > 0 {
			lines = append(lines, fmt.Sprintf("  lookup %v: %d addresses", brief(r.Resolve), len(r.Addresses)))
		}
		for _, a := range r.Attempts {
			lines = append(lines, "  "+a.String())
		}
	}
	if t, ok := tlsState(s); ok {
		lines = append(lines, fmt.Sprintf("  %s %s alpn=%s", tls.VersionName(t.Version), tls.CipherSuiteName(t.CipherSuite), t.NegotiatedProtocol))
	}
	for i, c := range s.Certificates {
		lines = append(lines, fmt.Sprintf("  %d %s", i, certificateLine(c)))
	}
	return lines
}

// tlsState is the state of the TLS that the step has put on.
func tlsState(s endpoint.Step) (tls.ConnectionState, bool) {
	if s.Phase != endpoint.PhaseHandshake || s.Stream == nil {
		return tls.ConnectionState{}, false
	}
	t, ok := trigo.As[*tlsstream.Stream](s.Stream)
	if !ok {
		return tls.ConnectionState{}, false
	}
	state, err := t.ConnectionState()
	return state, err == nil
}

func certificateLine(c *x509.Certificate) string {
	names := strings.Join(append(c.DNSNames, c.Subject.CommonName), " ")
	return fmt.Sprintf("%s, issued by %s, until %s (%s), %s", strings.TrimSpace(names), c.Issuer.CommonName,
		c.NotAfter.Format(time.DateOnly), remaining(c.NotAfter), endpoint.CertificatePin(c))
}

func remaining(until time.Time) string {
	days := int(time.Until(until).Hours() / 24)
	if time.Until(until) < 0 {
		return "expired"
	}
	return fmt.Sprintf("%d days", days)
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func stepFields(s endpoint.Step) map[string]any {
	m := map[string]any{"layer": s.Layer, "phase": s.Phase, "ms": milliseconds(s.Duration)}
	if s.Err != nil {
		m["error"] = s.Err.Error()
	}
	if r := s.Report; r != nil {
		m["lookup_ms"] = milliseconds(r.Resolve)
		var tried []map[string]any
		for _, a := range r.Attempts {
			tried = append(tried, attemptFields(a))
		}
		m["attempts"] = tried
	}
	if t, ok := tlsState(s); ok {
		m["version"], m["cipher"], m["alpn"] = tls.VersionName(t.Version), tls.CipherSuiteName(t.CipherSuite), t.NegotiatedProtocol
	}
	var chain []map[string]any
	for _, c := range s.Certificates {
		chain = append(chain, map[string]any{
			"subject": c.Subject.String(), "issuer": c.Issuer.String(), "names": c.DNSNames,
			"not_after": c.NotAfter, "pin": endpoint.CertificatePin(c),
		})
	}
	if chain != nil {
		m["certificates"] = chain
	}
	return m
}

func attemptFields(a netstream.DialAttempt) map[string]any {
	m := map[string]any{"address": a.Address.String(), "start_ms": milliseconds(a.Start), "ms": milliseconds(a.Duration), "won": a.Won}
	if a.Err != nil {
		m["error"] = a.Err.Error()
	}
	return m
}
