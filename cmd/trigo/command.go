package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"

	"trigo/endpoint"
)

// command is one of the things that the tool does.
type command struct {
	name string
	args string // what follows the name
	help string
	run  func(o *options, out *console) error
}

// commands are all of them; "relay" is the one without a name.
func commands() []command {
	return []command{
		{"relay", "ADDR [ADDR] [-- ARGV...]", "connect two addresses; the second is stdio if it is not given", runRelay},
		{"probe", "ADDR", "open an address layer by layer, and tell of each", runProbe},
		{"explain", "ADDR [ADDR]", "tell what the addresses mean, and open nothing", runExplain},
		{"cert", "DIR HOST...", "make a throw-away authority and a certificate for servers or clients", runCert},
		{"ps", "ADDR", "list the connections of a relay that runs with --status", runPS},
		{"demo", "", "push data through TLS in TLS through an HTTPS proxy, and check it", runDemo},
		{"man", "", "print the manual page, for man -l -", runMan},
		{"completion", "bash|zsh|fish|pwsh", "print the completion for a shell", runCompletion},
	}
}

// run runs the command line and returns its exit code.
func run(args []string, out *console) int {
	err := dispatch(args, out)
	if err == nil {
		return exitOK
	}
	var f *failure
	if !errors.As(err, &f) {
		f = &failure{code: exitFailure, err: err}
	}
	if f.err != nil { // or it was told of already
		out.fail("", f)
	}
	return f.code
}

func dispatch(args []string, out *console) error {
	cmd := commands()[0]
	for _, c := range commands()[1:] {
		if len(args) > 0 && args[0] == c.name {
			cmd, args = c, args[1:]
		}
	}
	o, err := parseOptions(cmd.name, args)
	switch {
	case err != nil:
		return err
	case o.help:
		return printHelp(os.Stdout)
	case o.version:
		_, err := fmt.Println(version())
		return err
	case len(o.argv) > 0 && cmd.name != "relay" && cmd.name != "explain":
		return usage("what stands behind -- is for an exec layer of a relay", "trigo %s runs no command", cmd.name)
	}
	out.quiet, out.verbose = o.quiet, o.verbose
	if o.logFile != "" {
		f, err := os.OpenFile(o.logFile, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o666)
		if err != nil {
			return usage(endpoint.Hint(err), "--log-file: %w", err)
		}
		out.w = f // to the end of the process, which has the last word
	}
	if o.logAs == "json" {
		out.asJSON()
	}
	return cmd.run(o, out)
}

// takes checks how many arguments a command was given.
func (o *options) takes(least, most int, form string) error {
	if n := len(o.args); n < least || n > most {
		return usage("usage: trigo "+form, "%d arguments are too %s", n, map[bool]string{true: "few", false: "many"}[n < least])
	}
	return nil
}

// version returns one line for --version.
func version() string {
	v := "(devel)"
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		v = info.Main.Version
	}
	return fmt.Sprintf("trigo %s %s %s/%s", v, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
