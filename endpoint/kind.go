package endpoint

import (
	"slices"
	"strings"
)

// Role says where in a stack a layer stands.
type Role string

// The roles.
const (
	Connects Role = "connects" // at the bottom: it is the transport
	Listens  Role = "listens"  // at the bottom: it waits for others
	Wraps    Role = "wraps"    // on top of another layer
)

// A Kind is one kind of layer. From the list of all of them, [Kinds], a program can
// make its help text, its manual and its completion.
type Kind struct {
	Name     string
	Aliases  []string
	Form     string // of the layer without options: "tcp:HOST:PORT"
	Role     Role
	Argument string // what follows the name, "HOST:PORT"; in brackets if it may be left out
	Help     string // a line, without a period
	Options  []Option
}

// Type is the type of an option's value.
type Type string

// The types of values.
const (
	Bool     Type = "switch"   // KEY or KEY=on, KEY=off
	Int      Type = "number"   // 50
	Size     Type = "size"     // 512, 64k, 1.5M; powers of 1024
	Rate     Type = "rate"     // 10MB/s
	Duration Type = "duration" // 500ms, 5s, 2m; a unit is required
	Enum     Type = "choice"   // one of Option.Choices
	Text     Type = "text"
	Path     Type = "path"    // of a file
	Mode     Type = "mode"    // 0660
	Address  Type = "address" // an IP address
	Network  Type = "network" // 192.0.2.0/24 or an address
	Host     Type = "host"    // a name or an IP address
	Port     Type = "port"    // 0 to 65535
	Pin      Type = "pin"     // sha256:HEX of a public key
	Place    Type = "place"   // KEY@SIZE, without an equals sign
)

// An Option is one option of a kind of layer.
type Option struct {
	Key     string
	Type    Type
	Choices []string // of an Enum
	Default string   // "" if there is none, or nothing that can be written
	Help    string   // a line, without a period
	List    bool     // it may be given several times
	Secret  bool     // its value is never printed but by Endpoint.String

	argument bool // it is another way to give a part of the argument
}

// kind is a Kind with what makes it work.
type kind struct {
	Kind
	sep string // between name and argument; "" for a colon

	// parse returns the canonical form of the argument. nil: there must be none.
	parse func(argument string) (string, error)

	// fill returns the layer as it should be written and the transport that it
	// stands on, when there is nothing below it. nil: it needs a layer below.
	fill  func(Layer) (Layer, Layer, error)
	below string // what may stand below, as a hint

	// check finds settings that contradict each other or have no effect. below are
	// the layers under this one.
	check func(l Layer, below []Layer) *Error

	// prepare makes the layer ready.
	prepare func(*setup) (*part, error)

	// bare says that bytes can pass below this layer: it is a descriptor, or has
	// nothing to do with them once the stream is open.
	bare bool

	// explain returns what a person would want to know of the layer.
	explain func(l Layer, below []Layer) explained
}

func (k *kind) separator() string {
	if k.sep != "" {
		return k.sep
	}
	return ":"
}

func (k *kind) option(key string) (*Option, int) {
	i := slices.IndexFunc(k.Options, func(o Option) bool { return o.Key == key })
	if i < 0 {
		return nil, -1
	}
	return &k.Options[i], i
}

func (k *kind) keys() []string {
	keys := make([]string, len(k.Options))
	for i, o := range k.Options {
		keys[i] = o.Key
	}
	return keys
}

// Kinds returns all kinds of layers: first those at the bottom.
func Kinds() []Kind {
	all := make([]Kind, len(kinds))
	for i, k := range kinds {
		all[i] = k.Kind
		all[i].Options = slices.Clone(k.Options)
		all[i].Aliases = slices.Clone(k.Aliases)
	}
	return all
}

// FindKind returns the kind with this name or alias.
func FindKind(name string) (Kind, bool) {
	if k := findKind(name); k != nil {
		return k.Kind, true
	}
	return Kind{}, false
}

func findKind(name string) *kind {
	for _, k := range kinds {
		if k.Name == name || slices.Contains(k.Aliases, name) {
			return k
		}
	}
	return nil
}

// names returns the names of all kinds.
func names() []string {
	all := make([]string, len(kinds))
	for i, k := range kinds {
		all[i] = k.Name
	}
	return all
}

// want is the hint that goes with a wrong argument.
func (k *kind) want() string {
	if k.Argument == "DURATION" {
		return "units required, as in " + k.Name + k.separator() + "5s or 2m"
	}
	return "want " + k.Form
}

// optional reports whether the argument may be left out.
func (k *kind) optional() bool {
	return k.Argument == "" || strings.HasPrefix(k.Argument, "[") && strings.HasSuffix(k.Argument, "]")
}
