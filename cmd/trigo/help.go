package main

import (
	"fmt"
	"io"
	"strings"

	"trigo/endpoint"
)

// printHelp prints everything that there is to know about the command line, from
// the tables that it is parsed with.
func printHelp(w io.Writer) error {
	var b strings.Builder
	for i, c := range commands() {
		lead := "       "
		if i == 0 {
			lead = "usage: "
		}
		fmt.Fprintf(&b, "%s%-42s %s\n", lead, c.form(), c.help)
	}
	b.WriteString("\naddresses: LAYER[,OPTION...][+LAYER...], the transport last; at most one of two may listen\n")
	for _, k := range endpoint.Kinds() {
		form := strings.Join(append([]string{k.Form}, k.Aliases...), ", ")
		fmt.Fprintf(&b, "  %-27s %s\n", form, k.Help)
		if keys := optionKeys(k); keys != "" {
			b.WriteString(wrapped(keys, 30, 100))
		}
	}
	b.WriteString(`  short: - is stdio, HOST:PORT is tcp, a path is a file or a socket; %HH is any byte, @PATH a value
  from a file, env:NAME one from the environment; trigo man has every option
`)
	group := ""
	for _, f := range defaults().flags() {
		if f.help == "" {
			continue
		}
		if f.group != group {
			group = f.group
			fmt.Fprintf(&b, "\n%s%s\n", group, map[bool]string{true: " (durations need a unit: 500ms, 2m; 0: no limit)"}[group == "relay"])
		}
		help := f.help
		if p := f.preset(); p != "" {
			help += " (" + p + ")"
		}
		fmt.Fprintf(&b, "  %-34s %s\n", f.form(), help)
	}
	b.WriteString("\n" + signalsHelp + "\nexit codes\n")
	for _, c := range exitCodes {
		fmt.Fprintf(&b, "  %-6s %s\n", c.code, c.meaning)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

const signalsHelp = `signals: the first SIGTERM or SIGINT stops accepting and waits for --drain, the
second cuts, and a relay with stdio ends at once; SIGHUP reads certificates and
address lists again; SIGUSR1 lists the connections
`

// form is how the command is called.
func (c command) form() string {
	name := "trigo " + c.name
	if c.name == "relay" {
		name = "trigo [FLAGS]"
	}
	return strings.TrimSpace(name + " " + c.args)
}

func optionKeys(k endpoint.Kind) string {
	var keys []string
	for _, o := range k.Options {
		keys = append(keys, o.Key)
	}
	return strings.Join(keys, " ")
}

// wrapped breaks text into indented lines.
func wrapped(text string, indent, width int) string {
	var b strings.Builder
	line := strings.Repeat(" ", indent-1)
	for _, word := range strings.Fields(text) {
		if len(line)+1+len(word) > width {
			b.WriteString(line + "\n")
			line = strings.Repeat(" ", indent-1)
		}
		line += " " + word
	}
	b.WriteString(line + "\n")
	return b.String()
}
