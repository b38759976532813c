package main

import (
	"strconv"
	"strings"
	"time"

	"trigo/endpoint"
	"trigo/relay"
)

// options are what the flags say. The zero value of a duration is "no limit".
type options struct {
	oneWay, oneWayBack bool
	once               bool
	maxAccepts         int
	maxConns, maxPerIP int
	acceptRate         float64
	overload           string
	allow, deny        networks

	retry   retries
	backoff backoff

	connectTimeout, handshakeTimeout time.Duration
	idle, linger, drain              time.Duration
	ipv4, ipv6                       bool
	buffer                           bytesize
	copy                             string
	tap                              string
	exitFrom                         string
	strict                           bool

	progress string
	verbose  count
	quiet    count
	logAs    string
	logFile  string
	ready    string
	pidFile  string
	status   string
	dryRun   bool

	json bool
	wait time.Duration
	days int
	size bytesize

	version, help bool

	args []string // addresses and the like
	argv []string // what stands behind "--"
}

func defaults() *options {
	return &options{
		maxConns:         1024,
		overload:         "wait",
		backoff:          backoff{200 * time.Millisecond, 30 * time.Second},
		connectTimeout:   10 * time.Second,
		handshakeTimeout: 10 * time.Second,
		linger:           60 * time.Second,
		drain:            30 * time.Second,
		buffer:           64 << 10,
		copy:             "auto",
		progress:         "auto",
		logAs:            "text",
		days:             30,
		size:             64 << 20,
	}
}

// flagSpec is one flag. All that help, manual and completion know of it is here.
type flagSpec struct {
	name    string // without dashes; one letter means one dash
	arg     string // what its value is called; "" for a switch
	choices []string
	help    string
	value   any    // a pointer into the options
	group   string // of the help
	for_    string // the commands that heed it, "relay" for none
}

// flags is the one place where flags are defined.
func (o *options) flags() []flagSpec {
	const (
		relaying  = "relay"
		listening = "listening"
		opening   = "opening"
		telling   = "telling"
		others    = "other commands"
	)
	all := "relay probe explain cert ps demo man completion"
	return []flagSpec{
		{"u", "", nil, "bytes go from the first address to the second only", &o.oneWay, relaying, "relay explain"},
		{"U", "", nil, "bytes go from the second address to the first only", &o.oneWayBack, relaying, "relay explain"},
		{"idle", "DUR", nil, "silence allowed in both directions at once", &o.idle, relaying, "relay explain"},
		{"linger", "DUR", nil, "silence allowed once a direction has ended", &o.linger, relaying, "relay explain demo"},
		{"buffer", "SIZE", nil, "for each direction", &o.buffer, relaying, "relay demo"},
		{"copy", "HOW", []string{"auto", "splice", "plain"}, "in the kernel where it pays, wherever it can be, or never", &o.copy, relaying, "relay explain demo"},
		{"tap", "HOW", []string{"text", "hex"}, "show on standard error what passes", &o.tap, relaying, "relay"},
		{"exit-from", "SIDE", []string{"a", "b"}, "exit with the status of the child on this side; of the only child by itself, with --once", &o.exitFrom, relaying, "relay"},

		{"once", "", nil, "serve one connection; implied by stdio", &o.once, listening, "relay explain"},
		{"max-accepts", "N", nil, "end after so many connections", &o.maxAccepts, listening, "relay"},
		{"max-conns", "N", nil, "connections at a time; others wait", &o.maxConns, listening, "relay explain"},
		{"overload", "HOW", []string{"wait", "reject"}, "what becomes of those others", &o.overload, listening, "relay"},
		{"max-per-ip", "N", nil, "connections at a time from one address", &o.maxPerIP, listening, "relay"},
		{"accept-rate", "N", nil, "connections accepted in a second", &o.acceptRate, listening, "relay"},
		{"allow", "CIDR,..", nil, "serve only these; @FILE has one a line, and SIGHUP reads it again", &o.allow, listening, "relay explain"},
		{"deny", "CIDR,..", nil, "do not serve these", &o.deny, listening, "relay explain"},
		{"drain", "DUR", nil, "for open connections, after SIGTERM or SIGINT", &o.drain, listening, "relay explain"},
		{"strict", "", nil, "exit as the worst connection did; explain: a warning is an error", &o.strict, listening, "relay explain"},

		{"connect-timeout", "DUR", nil, "to look up a name and to connect", &o.connectTimeout, opening, "relay probe"},
		{"handshake-timeout", "DUR", nil, "for each layer above: tls, proxies", &o.handshakeTimeout, opening, "relay probe"},
		{"retry", "N|forever", nil, "try so many times more to connect", &o.retry, opening, "relay"},
		{"backoff", "DUR..DUR", nil, "before the first of them; twice as long before the next, up to the second", &o.backoff, opening, "relay probe"},
		{"4", "", nil, "IPv4 only", &o.ipv4, opening, "relay probe"},
		{"6", "", nil, "IPv6 only", &o.ipv6, opening, "relay probe"},

		{"v", "", nil, "a line for each connection; -vv: for each step of it", &o.verbose, telling, "relay"},
		{"vv", "", nil, "", twice{&o.verbose}, telling, "relay"},
		{"q", "", nil, "errors only; -qq: nothing", &o.quiet, telling, "relay demo"},
		{"qq", "", nil, "", twice{&o.quiet}, telling, "relay demo"},
		{"progress", "HOW", []string{"auto", "plain", "json", "off"}, "a meter on terminals, a line a second, the same as JSON", &o.progress, telling, "relay demo"},
		{"log", "FORM", []string{"text", "json"}, "of what is said on standard error", &o.logAs, telling, "relay"},
		{"log-file", "FILE", nil, "to say it there instead", &o.logFile, telling, "relay"},
		{"status", "ADDR", nil, "serve /metrics, /conns and /drain on unix:PATH or HOST:PORT", &o.status, telling, "relay"},
		{"ready", "FD|notify", nil, "tell this descriptor, or systemd, when connections are accepted", &o.ready, telling, "relay"},
		{"pidfile", "FILE", nil, "write the process id there meanwhile", &o.pidFile, telling, "relay"},
		{"dry-run", "", nil, "explain, and do nothing", &o.dryRun, telling, "relay"},

		{"json", "", nil, "print JSON", &o.json, others, "probe explain ps"},
		{"wait", "DUR", nil, "probe: try again for so long", &o.wait, others, "probe"},
		{"days", "N", nil, "cert: how long they are valid", &o.days, others, "cert"},
		{"size", "SIZE", nil, "demo: how much to push through", &o.size, others, "demo"},
		{"help", "", nil, "print this", &o.help, others, all},
		{"h", "", nil, "", &o.help, others, all},
		{"version", "", nil, "print the version", &o.version, others, all},
	}
}

// dashed is the flag as it is written.
func (f flagSpec) dashed() string {
	if len(f.name) == 1 || f.name == "vv" || f.name == "qq" {
		return "-" + f.name
	}
	return "--" + f.name
}

// form is the flag with the name of its value.
func (f flagSpec) form() string {
	if f.arg == "" {
		return f.dashed()
	}
	if len(f.choices) > 0 {
		return f.dashed() + " " + strings.Join(f.choices, "|")
	}
	return f.dashed() + " " + f.arg
}

// preset is the value that the flag has if it is not given, as people write it.
func (f flagSpec) preset() string {
	switch v := f.value.(type) {
	case *time.Duration:
		if *v == 0 {
			return "off"
		}
		return brevity(*v)
	case *int:
		if *v != 0 {
			return strconv.Itoa(*v)
		}
	case *bytesize:
		return strings.ReplaceAll(strings.TrimSuffix(tight(int64(*v)), "iB"), ".0", "")
	case *string:
		return *v
	case *backoff:
		return v.String()
	}
	return ""
}

// brevity writes a duration as people do: 1m and not 1m0s.
func brevity(d time.Duration) string {
	if d >= time.Minute && d%time.Minute == 0 && d != time.Minute {
		return strings.TrimSuffix(d.String(), "0s")
	}
	if d == time.Minute {
		return "60s"
	}
	return d.String()
}

// relay returns the options of one relay. Here zero is "never", there it is the
// default.
func (o *options) relay(counters *relay.Counters) *relay.Options {
	modes := map[string]relay.CopyMode{"auto": relay.CopyAuto, "splice": relay.CopySplice, "plain": relay.CopyPlain}
	r := &relay.Options{Linger: o.linger, Idle: o.idle, BufferSize: int(o.buffer), Copy: modes[o.copy], Counters: counters}
	if o.linger == 0 || o.oneWay || o.oneWayBack {
		r.Linger = -1 // of one direction the other can never have ended first
	}
	return r
}

// endpoint returns the options of one side.
func (o *options) endpoint(side int) *endpoint.Options {
	noLimit := func(d time.Duration) time.Duration {
		if d == 0 {
			return -1
		}
		return d
	}
	e := &endpoint.Options{
		ConnectTimeout:   noLimit(o.connectTimeout),
		HandshakeTimeout: noLimit(o.handshakeTimeout),
	}
	switch {
	case o.ipv4:
		e.Family = 4
	case o.ipv6:
		e.Family = 6
	}
	if o.oneWay || o.oneWayBack {
		e.Direction = endpoint.SendOnly
		if (side == 0) == o.oneWay {
			e.Direction = endpoint.ReceiveOnly
		}
	}
	return e
}
