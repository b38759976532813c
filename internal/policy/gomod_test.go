package policy

import (
	"strings"
	"testing"
)

// dependency is a module that go.mod may require.
type dependency struct {
	why      string
	tests    bool   // imported by tests only
	indirect bool   // imported by dependencies only
	only     string // imported by this package only
}

var dependencies = map[string]dependency{
	"golang.org/x/sys":                {why: "poll, splice and the socket options that package syscall lacks"},
	"golang.org/x/net":                {why: "idna: names with letters beyond ASCII, which package net does not look up"},
	"golang.org/x/text":               {why: "encodings of text files; x/net/idna normalizes with it"},
	"golang.org/x/term":               {why: "raw mode and the size of a terminal", only: "trigo/cmd/trigo"},
	"github.com/rogpeppe/go-internal": {why: "testscript runs the tool as a user does", tests: true},
	"pgregory.net/rapid":              {why: "model tests: it finds the sequence of steps that breaks a channel, and shortens it", tests: true},
	"golang.org/x/tools":              {why: "testscript needs its txtar", indirect: true},
	"golang.org/x/mod":                {why: "x/tools names it", indirect: true},
}

var goMod = rule{
	why: "whoever uses trigo inherits what it requires: a dependency is a decision, written down in gomod_test.go with its reason",
	check: func(m *module, r *report) {
		block := ""
		line := 0
		for text := range strings.Lines(m.texts["go.mod"]) {
			line++
			words := strings.Fields(strings.Split(text, "//")[0])
			switch {
			case len(words) == 0:
				continue
			case block != "" && words[0] == ")":
				block = ""
				continue
			case block != "":
				words = append([]string{block}, words...)
			case len(words) == 2 && words[1] == "(":
				block = words[0]
				continue
			}
			switch words[0] {
			case "replace", "exclude", "tool":
				r.add("go.mod", line, "a %s directive", words[0])
			case "require":
				if _, ok := dependencies[words[1]]; !ok {
					r.add("go.mod", line, "%s is not one of the dependencies agreed on", words[1])
				}
			}
		}
	},
}

func TestRequirementsAreAgreedOn(t *testing.T) {
	goMod.prove(t, `
-- go.mod --
module trigo

go 1.26.0

// The next line is good.
require golang.org/x/sys v0.1.0
require example.com/single v0.1.0 // want

require (
	golang.org/x/tools v0.1.0
	example.com/direct v0.1.0 // want
	example.com/far v0.1.0 // want
)

replace golang.org/x/sys => ../sys // want

replace (
	golang.org/x/term => ../term // want
)

tool example.com/checker // want
`)
	goMod.enforce(t)
}

var dependencyUse = rule{
	why: "a dependency stays where it was agreed on, so that those who do not need it do not link it",
	check: func(m *module, r *report) {
		for _, f := range m.files {
			for target, spec := range f.imports() {
				first, _, _ := strings.Cut(target, "/")
				if isOurs(target) || !strings.Contains(first, ".") {
					continue // this module and the standard library
				}
				d, ok := findDependency(target)
				switch {
				case !ok:
					r.at(f, spec.Pos(), "%s is not one of the dependencies agreed on", target)
				case d.indirect:
					r.at(f, spec.Pos(), "%s is there for other modules, not for this one", target)
				case d.tests && !f.test:
					r.at(f, spec.Pos(), "%s is for tests only", target)
				case d.only != "" && f.pkg != d.only:
					r.at(f, spec.Pos(), "%s is for %s only", target, d.only)
				}
			}
		}
	},
}

// findDependency returns the module that holds a package.
func findDependency(pkg string) (dependency, bool) {
	for name, d := range dependencies {
		if pkg == name || strings.HasPrefix(pkg, name+"/") {
			return d, true
		}
	}
	return dependency{}, false
}

func TestDependenciesStayInTheirPlaces(t *testing.T) {
	dependencyUse.prove(t, `
-- relay/a.go --
package relay

import (
	"net/http"
	"trigo"

	"example.com/surprise" // want
	"github.com/rogpeppe/go-internal/testscript" // want
	"golang.org/x/sys/unix"
	"golang.org/x/system" // want
	"golang.org/x/term" // want
	"golang.org/x/tools/txtar" // want
)
-- cmd/trigo/a.go --
package main

import "golang.org/x/term"
-- cmd/trigo/a_test.go --
package main

import "github.com/rogpeppe/go-internal/testscript"
`)
	dependencyUse.enforce(t)
}
