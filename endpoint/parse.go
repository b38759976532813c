package endpoint

import (
	"cmp"
	"errors"
	"slices"
	"strings"
)

// Parse reads an address. The file system is asked only about a bare path, which
// may be a socket, a file or a FIFO; nothing is opened. The error is an [*Error] with
// [PhaseParse].
func Parse(text string) (Endpoint, error) {
	e, err := parse(text)
	if err != nil {
		err.Text = text
		return Endpoint{}, err
	}
	return e, nil
}

func parse(text string) (e Endpoint, _ *Error) {
	if text == "" {
		return e, mistake("", "", "try tcp:HOST:PORT, or - for standard input and output", "it is empty")
	}
	text, err := expandScheme(text)
	if err != nil {
		return e, err
	}
	parts := strings.Split(text, "+")
	for i, part := range parts {
		if i == len(parts)-1 {
			if part, err = expandSugar(part); err != nil {
				return e, err
			}
		}
		l, err := parseLayer(part)
		if err != nil {
			return e, err
		}
		e.layers = append(e.layers, l)
	}
	if err := e.complete(); err != nil {
		return e, err
	}
	return e, e.check()
}

// parseLayer parses NAME [ ":" ARGUMENT ] *( "," KEY [ "=" VALUE ] ).
func parseLayer(text string) (l Layer, _ *Error) {
	items := strings.Split(text, ",")
	name := items[0]
	if i := strings.IndexAny(name, ":="); i >= 0 {
		name = name[:i]
	}
	l.kind = findKind(name)
	switch {
	case l.kind != nil:
	case text == "":
		return l, mistake("", "", "write %2B for a + in a path", "a layer is empty")
	case nearest(name, names()) != "":
		return l, mistake("", "", "did you mean "+nearest(name, names())+"?", "unknown layer %q", name)
	default:
		return l, mistake("", "", "the layers are "+strings.Join(names(), " "), "unknown layer %q", name)
	}
	argument := items[0][len(name):]
	if argument != "" {
		if argument[0] == '=' && l.kind.sep != "=" {
			return l, mistake(l.kind.Name, "", "want "+l.kind.Form, "an argument follows a colon")
		}
		argument = argument[1:]
		if argument == "" {
			return l, mistake(l.kind.Name, "", "want "+l.kind.Form, "nothing after the name")
		}
	}
	argument, err := unescape(argument)
	if err != nil {
		return l, mistake(l.kind.Name, "", hintEscape, "%w", err)
	}
	for _, item := range items[1:] {
		if err := l.parseSetting(item); err != nil {
			return l, err
		}
	}
	if argument, err = l.takeArgument(argument); err == nil {
		l.argument, err = l.kind.parseArgument(argument)
	}
	if err != nil {
		return l, mistake(l.kind.Name, "", l.kind.want(), "%w", err)
	}
	slices.SortStableFunc(l.settings, func(a, b Setting) int {
		_, i := l.kind.option(a.Key)
		_, j := l.kind.option(b.Key)
		return cmp.Compare(i, j)
	})
	return l, nil
}

// hintEscape is the hint that goes with an escapeError.
const hintEscape = "write %25 for a %"

func (k *kind) parseArgument(argument string) (string, error) {
	switch {
	case strings.ContainsRune(argument, 0):
		return "", errors.New("a zero byte has no place here")
	case k.parse == nil && argument != "":
		return "", errors.New("it takes no argument")
	case k.parse == nil:
		return "", nil
	case argument == "" && k.optional():
		return "", nil
	case argument == "":
		return "", errors.New("missing " + k.Argument)
	}
	return k.parse(argument)
}

// parseSetting parses KEY [ "=" VALUE ], or KEY@SIZE.
func (l *Layer) parseSetting(item string) *Error {
	key, value, hasValue := strings.Cut(item, "=")
	if i := strings.IndexByte(key, '@'); i >= 0 {
		key, value, hasValue = item[:i+1], item[i+1:], true
	}
	option, _ := l.kind.option(key)
	if option == nil {
		return l.unknownOption(key)
	}
	s := Setting{Key: key, option: option}
	var err error
	switch raw := value; {
	case option.Type != Bool && !hasValue:
		return mistake(l.kind.Name, key, option.want(), "%s needs a value", key)
	case option.Type == Bool || option.Type == Place:
		s.Value.Text, err = unescape(raw)
	case strings.HasPrefix(raw, "@"):
		s.Value.Source = FromFile
		s.Value.Text, err = unescape(raw[1:])
	case strings.HasPrefix(raw, "env:"):
		s.Value.Source = FromEnv
		s.Value.Text, err = unescape(raw[4:])
	default:
		s.Value.Text, err = unescape(raw)
	}
	switch {
	case err != nil:
	case strings.ContainsRune(s.Value.Text, 0):
		err = errors.New("a zero byte has no place here")
	case s.Value.Source != Literal && s.Value.Text == "":
		err = errors.New("nothing to read it from")
	case option.Type == Bool && !hasValue:
		s.Value = on
	case s.Value.Source == Literal:
		err = option.check(s.Value.Text)
	}
	if err == nil && option.Type == Bool {
		s.Value, err = switchValue(s.Value.Text)
	}
	switch {
	case as[*escapeError](err):
		return mistake(l.kind.Name, key, hintEscape, "%s: %w", key, err)
	case err != nil:
		return mistake(l.kind.Name, key, option.want(), "%s: %w", key, err)
	case !option.List && l.has(key):
		return mistake(l.kind.Name, key, "leave one of them out", "%s: given twice", key)
	}
	l.settings = append(l.settings, s)
	return nil
}

func (l *Layer) unknownOption(key string) *Error {
	name := l.kind.Name
	if key == "" {
		return mistake(name, key, "write %2C for a comma in a value", "an option is empty")
	}
	for _, k := range kinds { // perhaps it belongs to another layer
		if o, _ := k.option(key); o != nil && k.Role != l.kind.Role && k.Role == Wraps {
			return mistake(name, key, "it is an option of "+k.Name, "unknown option %q", key)
		}
	}
	if near := nearest(key, l.kind.keys()); near != "" {
		return mistake(name, key, "did you mean "+near+"?", "unknown option %q", key)
	}
	hint := name + " has no options"
	if len(l.kind.Options) > 0 {
		hint = "the options of " + name + " are " + strings.Join(l.kind.keys(), " ")
	}
	return mistake(name, key, hint, "unknown option %q", key)
}

// takeArgument makes of host= and port= the argument that they stand for.
func (l *Layer) takeArgument(argument string) (string, error) {
	var host, port string
	var rest []Setting
	for _, s := range l.settings {
		switch {
		case !s.option.argument:
			rest = append(rest, s)
			continue
		case s.Value.Source != Literal:
			return "", errors.New(s.Key + " must be written out")
		case s.Key == "host":
			host = s.Value.Text
		default:
			port = s.Value.Text
		}
	}
	l.settings = rest
	switch {
	case host == "" && port == "":
		return argument, nil
	case argument != "":
		return "", errors.New("it has an argument, and host= or port= as well")
	case port == "":
		return host, nil
	case l.kind.Role == Listens && host == "":
		return port, nil
	}
	return joinHostPort(host, port), nil
}

// complete fills in the transport where the layers above it say what it is.
func (e *Endpoint) complete() *Error {
	l := e.bottom()
	if l.kind.Role != Wraps {
		return nil
	}
	if l.kind.fill == nil {
		return mistake(l.kind.Name, "", "such as "+l.text(true)+"+"+l.kind.below, "it needs a layer below it")
	}
	upper, lower, err := l.kind.fill(l)
	if err != nil {
		return mistake(l.kind.Name, "", "such as "+l.text(true)+"+"+l.kind.below, "%w", err)
	}
	e.layers = append(e.layers[:len(e.layers)-1], upper, lower)
	return nil
}

// check looks at the whole stack.
func (e Endpoint) check() *Error {
	for i, l := range e.layers {
		if below := e.layers[i+1:]; len(below) > 0 && l.kind.Role != Wraps {
			return mistake(l.kind.Name, "", "put it last, or write %2B for a + in an argument",
				"it is a transport and cannot stand on %s", below[0].kind.Name)
		}
		if l.kind.check == nil {
			continue
		}
		if err := l.kind.check(l, e.layers[i+1:]); err != nil {
			return err
		}
	}
	return nil
}
