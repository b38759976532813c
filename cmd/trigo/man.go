package main

import (
	"fmt"
	"os"
	"strings"

	"trigo/endpoint"
)

// runMan prints the manual page, from the tables that the command line is parsed
// with.
func runMan(o *options, out *console) error {
	if err := o.takes(0, 0, "man"); err != nil {
		return err
	}
	_, err := os.Stdout.WriteString(manual())
	return err
}

func manual() string {
	var b strings.Builder
	p := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	p(".TH TRIGO 1")
	p(".SH NAME\ntrigo \\- connect any stream to any stream, and lose nothing")
	p(".SH SYNOPSIS")
	for _, c := range commands() {
		p(".B %s\n%s\n.br", roff(firstWords(c)), roff(c.args))
	}
	p(".SH DESCRIPTION")
	p(roff("trigo opens two addresses and moves bytes between them, both ways, until both directions have ended. " +
		"The end of one direction is passed on, and the other goes on; what breaks is passed on as broken. " +
		"Standard output carries data only."))
	p(".SH COMMANDS")
	for _, c := range commands() {
		p(".TP\n.B %s\n%s", roff(c.form()), roff(c.help))
	}
	p(".SH ADDRESSES")
	p(roff("An address is a stack of layers with + in between, the one nearest to the program first and the transport last. " +
		"Each has options with commas in between: NAME:ARGUMENT,KEY=VALUE. %HH is any byte; a value @PATH is read from a file and env:NAME from the environment. " +
		"- is stdio, HOST:PORT is tcp, a path is a file or a socket. Layers that are plainly missing are filled in."))
	for _, k := range endpoint.Kinds() {
		p(".TP\n.B %s\n%s", roff(k.Form), roff(sentence(k.Help)))
		for _, opt := range k.Options {
			p(".RS\n.TP\n.B %s\n%s\n.RE", roff(optionForm(opt)), roff(optionHelp(opt)))
		}
	}
	p(".SH OPTIONS")
	for _, f := range defaults().flags() {
		if f.help == "" {
			continue
		}
		help := f.help
		if preset := f.preset(); preset != "" {
			help += " (" + preset + ")"
		}
		p(".TP\n.B %s\n%s", roff(f.form()), roff(sentence(help)))
	}
	p(".SH SIGNALS\n%s", roff(strings.ReplaceAll(signalsHelp, "\n", " ")))
	p(".SH EXIT STATUS")
	for _, c := range exitCodes {
		p(".TP\n.B %s\n%s", c.code, roff(sentence(c.meaning)))
	}
	return b.String()
}

func firstWords(c command) string { return strings.TrimSuffix(c.form(), " "+c.args) }

// optionForm is KEY=TYPE, or KEY for a switch.
func optionForm(o endpoint.Option) string {
	switch {
	case o.Type == endpoint.Bool:
		return o.Key
	case o.Type == endpoint.Place:
		return o.Key + "SIZE"
	case len(o.Choices) > 0:
		return o.Key + "=" + strings.Join(o.Choices, "|")
	}
	return o.Key + "=" + strings.ToUpper(string(o.Type))
}

func optionHelp(o endpoint.Option) string {
	help := sentence(o.Help)
	if o.Default != "" {
		help += " Default: " + o.Default + "."
	}
	if o.List {
		help += " May be repeated."
	}
	return help
}

// sentence begins with a capital and ends with a period.
func sentence(s string) string { return strings.ToUpper(s[:1]) + s[1:] + "." }

// roff escapes text for troff.
func roff(s string) string {
	s = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(s)
	if strings.HasPrefix(s, ".") || strings.HasPrefix(s, "'") {
		s = `\&` + s
	}
	return s
}
