package policy

import (
	"go/ast"
	"strings"
	"testing"
)

var packageDocs = rule{
	why: "the package comment is the first thing that a reader sees, and often the only one",
	check: func(m *module, r *report) {
		first := map[string]*file{} // by package: its first file that is no test
		has := map[string]bool{}
		for _, f := range m.files {
			if f.test {
				continue
			}
			if first[f.pkg] == nil {
				first[f.pkg] = f
			}
			if f.Name.Name == "main" {
				has[f.pkg] = has[f.pkg] || f.Doc != nil
			} else {
				has[f.pkg] = has[f.pkg] || strings.HasPrefix(f.Doc.Text(), "Package "+f.Name.Name+" ")
			}
		}
		for pkg, f := range first {
			if !has[pkg] {
				r.at(f, f.Name.Pos(), "package %s has no comment that begins with its name", pkg)
			}
		}
	},
}

func TestPackagesAreDocumented(t *testing.T) {
	packageDocs.prove(t, `
-- good/a.go --
package good
-- good/b.go --
// Package good is good.
package good
-- cmd/good/a.go --
// Good greets.
package main
-- bad/a.go --
package bad // want
-- bad/b.go --
package bad
-- wrong/a.go --
// Copyright somebody.
package wrong // want
-- cmd/bad/a.go --
package main // want
-- tests/a_test.go --
package tests
`)
	packageDocs.enforce(t)
}

var exportedDocs = rule{
	why: "an exported name is a promise, and the comment says which",
	check: func(m *module, r *report) {
		for _, f := range m.files {
			if f.test || f.Name.Name == "main" || strings.Contains(f.pkg+"/", "/internal/") {
				continue
			}
			for _, decl := range f.Decls {
				switch d := decl.(type) {
				case *ast.FuncDecl:
					if d.Doc == nil && needsDoc(d) {
						r.at(f, d.Name.Pos(), "%s has no comment", d.Name.Name)
					}
				case *ast.GenDecl:
					checkGroup(f, d, r)
				}
			}
		}
	},
}

// ownWords are the methods whose meaning package errors, package fmt and the
// language give.
var ownWords = map[string]bool{"Error": true, "Unwrap": true, "Is": true, "As": true, "String": true}

func needsDoc(d *ast.FuncDecl) bool {
	if d.Recv == nil {
		return d.Name.IsExported()
	}
	return d.Name.IsExported() && ast.IsExported(receiver(d)) && !ownWords[d.Name.Name]
}

// checkGroup checks a declaration of types, constants or variables. In a group
// the comment may be that of the group.
func checkGroup(f *file, d *ast.GenDecl, r *report) {
	for _, spec := range d.Specs {
		switch s := spec.(type) {
		case *ast.TypeSpec:
			if s.Name.IsExported() && s.Doc == nil && (d.Doc == nil || d.Lparen.IsValid()) {
				r.at(f, s.Name.Pos(), "%s has no comment", s.Name.Name)
			}
		case *ast.ValueSpec:
			for _, name := range s.Names {
				if name.IsExported() && s.Doc == nil && s.Comment == nil && d.Doc == nil {
					r.at(f, name.Pos(), "%s has no comment", name.Name)
				}
			}
		}
	}
}

func TestExportedNamesAreDocumented(t *testing.T) {
	exportedDocs.prove(t, `
-- a/a.go --
package a

// T is good.
type T struct{}

type U struct{} // want

type (
	// V is good.
	V int
	W int // want
)

// A group of types is no type.
type (
	X int // want
)

// F is good.
func F() {}

func G() {} // want

func h() {}

// M is good.
func (T) M() {}

func (*T) N() {} // want

func (T) Error() string { return "" }

type hidden struct{}

func (hidden) M() {}

// The kinds.
const (
	A = iota
	B
)

const C = 1 // want

var D = 1 // the comment may follow
-- cmd/a/a.go --
package main

func G() {}
-- internal/a/a.go --
package a

func G() {}
`)
	exportedDocs.enforce(t)
}
