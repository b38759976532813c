package main

import (
	"flag"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// parseOptions parses the flags of one command. They may stand anywhere before
// "--", and what is behind that belongs to the command that is run.
func parseOptions(command string, args []string) (*options, error) {
	o := defaults()
	for i, arg := range args {
		if arg == "--" {
			args, o.argv = args[:i], args[i+1:]
			break
		}
	}
	fs := flag.NewFlagSet("trigo", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	specs := o.flags()
	for _, f := range specs {
		switch v := f.value.(type) {
		case *bool:
			fs.BoolVar(v, f.name, *v, "")
		case *int:
			fs.IntVar(v, f.name, *v, "")
		case *float64:
			fs.Float64Var(v, f.name, *v, "")
		case *string:
			fs.StringVar(v, f.name, *v, "")
		case *time.Duration:
			fs.DurationVar(v, f.name, *v, "")
		case flag.Value:
			fs.Var(v, f.name, "")
		}
	}
	for len(args) > 0 {
		if args[0] == "-" || !strings.HasPrefix(args[0], "-") {
			o.args = append(o.args, args[0])
			args = args[1:]
			continue
		}
		if err := fs.Parse(args); err != nil {
			return nil, flagError(specs, err)
		}
		args = fs.Args()
	}
	var err error
	fs.Visit(func(given *flag.Flag) {
		for _, f := range specs {
			if f.name != given.Name || err != nil {
				continue
			}
			if !strings.Contains(" "+f.for_+" ", " "+command+" ") {
				err = usage(f.dashed()+" is for trigo "+strings.ReplaceAll(f.for_, " ", ", "), "%s means nothing to trigo %s", f.dashed(), command)
			} else if len(f.choices) > 0 && !slices.Contains(f.choices, given.Value.String()) {
				err = usage("want "+orList(f.choices), "%s %q is unknown", f.dashed(), given.Value)
			}
		}
	})
	if err != nil {
		return nil, err
	}
	return o, o.check(specs)
}

// badValue is what package flag says of a value that a flag does not take.
var badValue = regexp.MustCompile(`^invalid (?:boolean )?value ("(?:[^"\\]|\\.)*") for (?:flag )?-([^ :]+): (.*)`)

// flagError says what package flag found in our words.
func flagError(specs []flagSpec, err error) error {
	text := err.Error()
	if name, ok := strings.CutPrefix(text, "flag provided but not defined: -"); ok {
		hint := "trigo --help lists the flags"
		if near := nearestFlag(specs, strings.TrimLeft(name, "-")); near != "" {
			hint = "did you mean " + near + "?"
		}
		dashes := "--"
		if len(name) == 1 {
			dashes = "-"
		}
		return usage(hint, "unknown flag %s%s", dashes, strings.TrimLeft(name, "-"))
	}
	if name, ok := strings.CutPrefix(text, "flag needs an argument: -"); ok {
		f := specOf(specs, name)
		return usage(f.want(), "%s needs a value", f.dashed())
	}
	if m := badValue.FindStringSubmatch(text); m != nil {
		f, reason := specOf(specs, m[2]), ": "+m[3]
		if m[3] == "parse error" {
			reason = ""
		}
		return usage(f.want(), "invalid value %s for flag %s%s", m[1], f.dashed(), reason)
	}
	return usage("flags are written --flag, --flag VALUE or --flag=VALUE", "%s", text)
}

func specOf(specs []flagSpec, name string) flagSpec {
	return specs[slices.IndexFunc(specs, func(f flagSpec) bool { return f.name == name })]
}

// want is the hint that goes with a wrong value.
func (f flagSpec) want() string {
	switch f.value.(type) {
	case *bool, *count, twice:
		return f.dashed() + " takes no value"
	case *int, *float64:
		return "want a number"
	case *time.Duration:
		return "durations need a unit, as in 500ms, 5s or 2m; 0 is no limit"
	case *bytesize:
		return "want a size such as 65536, 64k or 1M"
	case *networks:
		return "want networks such as 192.0.2.0/24, or @FILE with one a line"
	case *backoff:
		return "want durations such as 200ms..30s"
	}
	return "want " + f.form()
}

// check finds what makes no sense, in one flag or in several.
func (o *options) check(specs []flagSpec) error {
	for _, f := range specs {
		var negative bool
		switch v := f.value.(type) {
		case *int:
			negative = *v < 0
		case *float64:
			negative = *v < 0
		case *time.Duration:
			negative = *v < 0
		}
		if negative {
			return usage("0 stands for no limit", "%s is negative", f.dashed())
		}
	}
	const oneOf = "leave one of them out"
	switch {
	case o.oneWay && o.oneWayBack:
		return usage(oneOf, "-u and -U exclude each other")
	case o.ipv4 && o.ipv6:
		return usage(oneOf, "-4 and -6 exclude each other")
	case o.days < 1:
		return usage("want 1 or more", "--days is zero")
	case o.buffer == 0:
		return usage("want a size such as 64k", "--buffer is zero")
	case o.quiet > 0 && o.verbose > 0:
		return usage(oneOf, "-q and -v exclude each other")
	case o.once && o.maxAccepts > 1:
		return usage(oneOf, "--once and --max-accepts exclude each other")
	case o.ready != "" && o.ready != "notify" && !isDescriptor(o.ready):
		return usage("want the number of a descriptor, or notify", "--ready %q is neither", o.ready)
	}
	return nil
}

// isDescriptor reports whether text is N or fd:N.
func isDescriptor(text string) bool {
	_, err := strconv.ParseUint(strings.TrimPrefix(text, "fd:"), 10, 31)
	return err == nil
}
