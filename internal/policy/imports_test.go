package policy

import (
	"slices"
	"strings"
	"testing"
)

// house is the order of the packages: each may import those of the rows above
// its own. Whatever begins with "dir/" stands for all packages in dir.
var house = [][]string{
	{"trigo/nursery"}, // usable alone, in place of errgroup
	{"trigo"},         // the contracts
	{"trigo/internal/bench", "trigo/internal/fault", "trigo/internal/local", "trigo/internal/netseam", "trigo/internal/vigil", "trigo/internal/wrap"},
	{"trigo/internal/pollio", "trigo/trigotest", "trigo/channel"},
	{"trigo/internal/fdstream", "trigo/socket"},
	{"trigo/netstream", "trigo/file"},
	{"trigo/tlsstream", "trigo/tlsstream/devcert", "trigo/netconn", "trigo/process", "trigo/signals", "trigo/trigotest/"},
	{"trigo/relay", "trigo/proxy"},
	{"trigo/endpoint"},
	{"trigo/cmd/", "trigo/examples/", "trigo/internal/policy"},
}

// narrow names packages that may import less than their row allows.
var narrow = map[string][]string{
	"trigo/internal/pollio": {"trigo"}, // the kinds of errors, and nothing that moves
}

// row returns the place of a package in the house, or -1.
func row(pkg string) int {
	return slices.IndexFunc(house, func(row []string) bool {
		return slices.ContainsFunc(row, func(entry string) bool {
			return pkg == entry || strings.HasSuffix(entry, "/") && strings.HasPrefix(pkg, entry)
		})
	})
}

func isOurs(pkg string) bool { return pkg == modulePath || strings.HasPrefix(pkg, modulePath+"/") }

var importDirection = rule{
	why: "imports go one way, from what builds on to what is built on: so every package can be read, and used, without those above it",
	check: func(m *module, r *report) {
		for _, f := range m.files {
			if f.test {
				continue
			}
			from := row(f.pkg)
			if from < 0 {
				r.at(f, f.Name.Pos(), "%s has no place in the order of the packages: give it one", f.pkg)
				continue
			}
			for target, spec := range f.imports() {
				if !isOurs(target) {
					continue
				}
				some, isNarrow := narrow[f.pkg]
				switch {
				case isNarrow && !slices.Contains(some, target):
					r.at(f, spec.Pos(), "%s may import only %s, and imports %s", f.pkg, strings.Join(some, ", "), target)
				case row(target) < 0 || row(target) >= from:
					r.at(f, spec.Pos(), "%s imports %s, which does not stand below it", f.pkg, target)
				}
			}
		}
	},
}

func TestImportsGoOneWay(t *testing.T) {
	importDirection.prove(t, `
-- nursery/a.go --
package nursery

import (
	"context"
	"trigo" // want
)
-- a.go --
package trigo

import (
	"trigo/internal/pollio" // want
	"trigo/nursery"
)
-- internal/pollio/a.go --
package pollio

import (
	"trigo"
	"trigo/nursery" // want
)
-- trigotest/a.go --
package trigotest

import (
	"trigo"
	"trigo/netstream" // want
	"trigo/nursery"
	"trigo/relay" // want
)
-- trigotest/a_test.go --
package trigotest

import "trigo/relay"
-- netstream/a.go --
package netstream

import (
	"trigo/cmd/trigo" // want
	"trigo/internal/fdstream"
	"trigo/relay" // want
)
-- cmd/trigo/a.go --
package main

import (
	"trigo/examples/echo" // want
	"trigo/relay"
)
-- surprise/a.go --
package surprise // want
`)
	importDirection.enforce(t)
}

var testOnlyImports = rule{
	why: "the testing kit is for tests: in a program it brings the flags and the weight of package testing along",
	exempt: map[string]string{
		"trigo/internal/bench":            "reports to a testing.B, and only benchmarks import it",
		"trigo/examples/internal/program": "runs the examples for their tests",
	},
	check: func(m *module, r *report) {
		for _, f := range m.files {
			if f.test || underTrigotest(f.pkg) {
				continue
			}
			for target, spec := range f.imports() {
				kit := target == "testing" || strings.HasPrefix(target, "testing/") || underTrigotest(target)
				if kit && !r.allows(f.pkg) {
					r.at(f, spec.Pos(), "%s imports %s", f.path, target)
				}
			}
		}
	},
}

func underTrigotest(pkg string) bool {
	return pkg == "trigo/trigotest" || strings.HasPrefix(pkg, "trigo/trigotest/")
}

func TestProgramsDoNotImportTheTestingKit(t *testing.T) {
	testOnlyImports.prove(t, `
-- trigotest/a.go --
package trigotest

import "testing"
-- relay/a.go --
package relay

import (
	"testing" // want
	"testing/iotest" // want
	"trigo/trigotest" // want
)
-- relay/a_test.go --
package relay

import (
	"testing"
	"trigo/trigotest"
)
`)
	testOnlyImports.enforce(t)
}
