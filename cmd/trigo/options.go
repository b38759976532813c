package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"trigo/relay"
)

const helpText = `usage: trigo [flags] ADDR [ADDR]     relay; the second ADDR defaults to stdio
       trigo demo [--size 64M]       push data through a relay and check it

addresses (either side; at most one may listen)
  -, stdio                     standard input and output
  tcp:HOST:PORT, HOST:PORT     tcp-listen:[HOST:]PORT    port 0: a free one
  unix:PATH, /PATH, ./PATH     unix-listen:PATH
  echo                         discard

flags (durations need a unit: 500ms, 2m)
  --once                 a listener serves one connection (implied by stdio)
  --max-conns N          connections at a time (1024); 0: no limit
  --connect-timeout DUR  to open a side (10s); 0: none
  --linger DUR           silence allowed once a direction has ended (60s); 0: any
  --idle DUR             silence allowed in both directions (0: any)
  --drain DUR            after SIGTERM or SIGINT, for open connections (30s)
  --buffer SIZE          for each direction (64k)
  --progress auto|plain|off   a meter on terminals, lines every second, or nothing
  -v, -q                 a line for each connection; errors only
  --version, --help

signals: the first SIGTERM or SIGINT stops accepting and waits for --drain, the
second cuts; a relay with stdio ends at once

exit codes
  0  both directions ended cleanly, or drained   8  ended without proof of an end
  1  another failure                             9  timed out: connect, idle, linger
  2  usage or address                           11  cut after --drain
  3  could not open the first ADDR           128+n  stopped by signal n
  4  could not open the second ADDR
  7  the peer broke the stream
`

// options are the command line.
type options struct {
	once           bool
	maxConns       int
	connectTimeout time.Duration
	linger         time.Duration
	idle           time.Duration
	drain          time.Duration
	buffer         size
	demoSize       size
	progress       string
	verbose, quiet bool
	version        bool

	args []string // what is left: addresses
}

func parseOptions(args []string) (*options, error) {
	o := &options{
		maxConns:       1024,
		connectTimeout: 10 * time.Second,
		linger:         60 * time.Second,
		drain:          30 * time.Second,
		buffer:         64 << 10,
		demoSize:       64 << 20,
		progress:       "auto",
	}
	fs := flag.NewFlagSet("trigo", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.BoolVar(&o.once, "once", o.once, "")
	fs.IntVar(&o.maxConns, "max-conns", o.maxConns, "")
	fs.DurationVar(&o.connectTimeout, "connect-timeout", o.connectTimeout, "")
	fs.DurationVar(&o.linger, "linger", o.linger, "")
	fs.DurationVar(&o.idle, "idle", o.idle, "")
	fs.DurationVar(&o.drain, "drain", o.drain, "")
	fs.Var(&o.buffer, "buffer", "")
	fs.Var(&o.demoSize, "size", "")
	fs.StringVar(&o.progress, "progress", o.progress, "")
	fs.BoolVar(&o.verbose, "v", false, "")
	fs.BoolVar(&o.quiet, "q", false, "")
	fs.BoolVar(&o.version, "version", false, "")

	for { // flags may stand after addresses, and "--" ends them
		if err := fs.Parse(args); errors.Is(err, flag.ErrHelp) {
			return nil, err
		} else if err != nil {
			text := strings.NewReplacer("flag provided but not defined: -", "unknown flag --", "flag -", "flag --").Replace(err.Error())
			return nil, usage("trigo --help lists the flags; durations need a unit, as in 5s", "%s", text)
		}
		done := len(args) - fs.NArg() // how many were parsed
		if fs.NArg() == 0 || done > 0 && args[done-1] == "--" {
			o.args = append(o.args, fs.Args()...)
			return o, o.check()
		}
		o.args = append(o.args, fs.Arg(0))
		args = fs.Args()[1:]
	}
}

func (o *options) check() error {
	switch {
	case o.progress != "auto" && o.progress != "plain" && o.progress != "off":
		return usage("want auto, plain or off", "--progress %q is unknown", o.progress)
	case o.maxConns < 0:
		return usage("", "--max-conns is negative")
	case o.linger < 0, o.idle < 0, o.drain < 0, o.connectTimeout < 0:
		return usage("0 stands for no limit", "a duration is negative")
	case o.buffer == 0:
		return usage("", "--buffer is zero")
	case o.quiet && o.verbose:
		return usage("", "-q and -v exclude each other")
	}
	return nil
}

// relay returns the options of one relay. Here zero is "never", there it is the
// default.
func (o *options) relay(counters *relay.Counters) *relay.Options {
	linger := o.linger
	if linger == 0 {
		linger = -1
	}
	return &relay.Options{Linger: linger, Idle: o.idle, BufferSize: int(o.buffer), Counters: counters}
}

// version returns one line for --version.
func version() string {
	v := "(devel)"
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		v = info.Main.Version
	}
	return fmt.Sprintf("trigo %s %s %s/%s", v, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
