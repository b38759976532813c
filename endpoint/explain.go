package endpoint

import "strings"

// An Explanation is what a person would want to know of an endpoint before it is
// opened.
type Explanation struct {
	// Canonical is the address without secrets. If there are none, it can be parsed.
	Canonical string

	// Text is one line with all layers, what they were told and what they assume:
	//
	//	tls(client name=site verify=system min=1.2) > tcp(site:443 rfc8305)
	//
	// A default is told once.
	Text string

	// Layers are the parts of Text.
	Layers []string

	Warnings []Warning

	// CopyReason is the name of the layer because of which bytes have to pass
	// through this program. If it is empty, they need not: all there is in the end
	// is a descriptor.
	CopyReason string
}

// A Warning is about something that is allowed and seldom wanted.
type Warning struct {
	Code  string // "exposed", "unverified" or "root"
	Layer string
	Text  string // goes on from the name of the endpoint: "listens on all addresses without tls"
}

// explained is what a kind says of a layer.
type explained struct {
	name     string   // in place of that of the kind
	text     string   // the argument
	items    []string // what was assumed: "KEY=VALUE"
	notes    []string // what else there is to say
	exposed  bool     // everybody can connect to it
	copied   bool     // bytes have to pass through this program, whatever the kind says
	warnings []Warning
}

// Explain tells what the endpoint is. It opens and reads nothing.
func (e Endpoint) Explain() Explanation {
	x := Explanation{Canonical: e.Redacted()}
	told := make(map[string]bool)
	for i, l := range e.layers {
		var ex explained
		if l.kind.explain != nil {
			ex = l.kind.explain(l, e.layers[i+1:])
		} else {
			ex.text = l.argument
		}
		x.Layers = append(x.Layers, l.describe(ex, told))
		for _, w := range ex.warnings {
			w.Layer = l.kind.Name
			x.Warnings = append(x.Warnings, w)
		}
		if ex.exposed && !e.Uses("tls-server") {
			x.Warnings = append(x.Warnings, Warning{"exposed", l.kind.Name, "listens on all addresses without tls"})
		}
		if (!l.kind.bare || ex.copied) && x.CopyReason == "" {
			x.CopyReason = l.kind.Name
		}
	}
	x.Text = strings.Join(x.Layers, " > ")
	return x
}

// describe writes one layer. told are the defaults that were told already.
func (l Layer) describe(ex explained, told map[string]bool) string {
	var items []string
	if ex.text != "" {
		items = append(items, printable(ex.text))
	}
	for _, s := range l.settings {
		items = append(items, s.text(true))
	}
	for _, item := range ex.items {
		if key := l.kind.Name + "," + item; !told[key] {
			told[key] = true
			items = append(items, item)
		}
	}
	items = append(items, ex.notes...)
	name := l.kind.Name
	if ex.name != "" {
		name = ex.name
	}
	if len(items) == 0 {
		return name
	}
	return name + "(" + strings.Join(items, " ") + ")"
}

// defaults returns the options with these keys that were not given, with what is
// assumed.
func (l Layer) defaults(keys ...string) []string {
	var items []string
	for _, key := range keys {
		if o, _ := l.kind.option(key); !l.has(key) {
			items = append(items, key+"="+o.Default)
		}
	}
	return items
}
