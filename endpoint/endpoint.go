package endpoint

import (
	"slices"
	"strings"
)

// An Endpoint is an address that has been parsed: a stack of layers, outermost
// first. It is a value that never changes. [Parse] makes it; the zero value has no
// layers and cannot be opened.
type Endpoint struct {
	layers []Layer
}

// String returns the canonical form. Parsing it gives an equal endpoint. It holds
// everything that the address held, passwords too; see [Endpoint.Redacted].
func (e Endpoint) String() string { return e.text(false) }

// Redacted is String with three dots in place of secrets. It is for logs.
func (e Endpoint) Redacted() string { return e.text(true) }

func (e Endpoint) text(redact bool) string {
	texts := make([]string, len(e.layers))
	for i, l := range e.layers {
		texts[i] = l.text(redact)
	}
	return strings.Join(texts, "+")
}

// Equal reports whether both have the same layers with the same settings.
func (e Endpoint) Equal(other Endpoint) bool { return e.String() == other.String() }

// Layers returns the layers, outermost first.
func (e Endpoint) Layers() []Layer { return slices.Clone(e.layers) }

// Listens reports whether the endpoint is to be opened by [Endpoint.Listen], and
// not by [Endpoint.Dial].
func (e Endpoint) Listens() bool {
	return len(e.layers) > 0 && e.bottom().kind.Role == Listens
}

// Uses reports whether one of the layers is of the kind with this name.
func (e Endpoint) Uses(name string) bool {
	return slices.ContainsFunc(e.layers, func(l Layer) bool { return l.kind.Name == name })
}

// bottom returns the transport.
func (e Endpoint) bottom() Layer { return e.layers[len(e.layers)-1] }

// A Layer is one layer of an endpoint.
type Layer struct {
	kind     *kind
	argument string
	settings []Setting // in the order of the table
}

// A Setting is an option that was given.
type Setting struct {
	Key   string
	Value Value

	option *Option
}

// Kind returns what is known of layers of this kind.
func (l Layer) Kind() Kind { return l.kind.Kind }

// Name returns the name of the kind.
func (l Layer) Name() string { return l.kind.Name }

// Argument returns what followed the name, in its canonical form.
func (l Layer) Argument() string { return l.argument }

// Settings returns the options that were given, in the order of the table.
func (l Layer) Settings() []Setting { return slices.Clone(l.settings) }

// String returns the canonical form of the layer.
func (l Layer) String() string { return l.text(false) }

func (l Layer) text(redact bool) string {
	var b strings.Builder
	b.WriteString(l.kind.Name)
	if l.argument != "" {
		b.WriteString(l.kind.separator())
		argument := escape(l.argument)
		if strings.HasPrefix(argument, "//") { // not to be taken for NAME://
			argument = "%2F" + argument[1:]
		}
		b.WriteString(argument)
	}
	for _, s := range l.settings {
		b.WriteByte(',')
		b.WriteString(s.text(redact))
	}
	return b.String()
}

// given reports whether an option is set, and returns its last setting.
func (l Layer) given(key string) (Setting, bool) {
	for _, s := range slices.Backward(l.settings) {
		if s.Key == key {
			return s, true
		}
	}
	return Setting{}, false
}

// has reports whether one of the options is set.
func (l Layer) has(keys ...string) bool {
	return slices.ContainsFunc(l.settings, func(s Setting) bool { return slices.Contains(keys, s.Key) })
}

// is reports whether an option is set to a literal value.
func (l Layer) is(key, value string) bool {
	s, ok := l.given(key)
	return ok && s.Value == Value{Text: value}
}

func (s Setting) text(redact bool) string {
	switch {
	case s.option.Type == Bool && s.Value == on:
		return s.Key
	case s.option.Type == Place:
		return s.Key + escape(s.Value.Text) // the key ends in @
	case redact && s.option.Secret && s.Value.Source == Literal:
		return s.Key + "=..."
	}
	return s.Key + "=" + s.Value.String()
}

// Source says where a value comes from.
type Source int

// The sources of values.
const (
	Literal  Source = iota // it is written in the address
	FromFile               // @PATH: the file at Text, without a newline at its end
	FromEnv                // env:NAME: the environment variable Text
)

// A Value is the value of an option. What comes from a file or the environment is
// looked at when the endpoint is prepared.
type Value struct {
	Source Source
	Text   string
}

// on and off are the values of options that are switches.
var on, off = Value{Text: "on"}, Value{Text: "off"}

// String returns the value as it is written in an address.
func (v Value) String() string {
	text := escape(v.Text)
	switch {
	case v.Source == FromFile:
		return "@" + text
	case v.Source == FromEnv:
		return "env:" + text
	case strings.HasPrefix(text, "@"):
		return "%40" + text[1:]
	case strings.HasPrefix(text, "env:"):
		return "env%3A" + text[4:]
	}
	return text
}
