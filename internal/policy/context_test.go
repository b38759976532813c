package policy

import (
	"go/ast"
	"testing"
)

var ctxInStruct = rule{
	why: "a ctx is the caller's, for one call: a type that keeps one outlives the call that it belongs to",
	exempt: map[string]string{
		"trigo/nursery.Nursery":       "a nursery is a scope, and lives as long as the call that has the ctx",
		"trigo/trigotest.observed":    "it is a ctx itself, one that tells when it is looked at",
		"trigo/trigotest.hookContext": "it is a ctx itself, one that is made when a hook looks at it",
		"trigo/netconn.live":          "a net.Conn has a deadline in place of a ctx for each call: this is the ctx that the deadline cancels",
		"trigo/tlsstream.gate":        "the ctx of the receive under way, for crypto/tls to read under; gone when the call ends",
		"trigo/internal/pollio.call":  "the ctx of the call under way, for the runtime's wait loop to register; gone when the call ends",
	},
	check: func(m *module, r *report) {
		for _, f := range m.files {
			if f.test { // a table of cases may hold contexts
				continue
			}
			nodes(f, func(s *ast.StructType) {
				for _, field := range s.Fields.List {
					if f.isFrom(field.Type, "context", "Context") && !r.allows(f.owner(s.Pos())) {
						r.at(f, field.Pos(), "a struct holds a context.Context")
					}
				}
			})
		}
	},
}

func TestNoStructKeepsAContext(t *testing.T) {
	ctxInStruct.prove(t, `
-- a/a.go --
package a

import "context"

type bad struct {
	name string
	ctx  context.Context // want
}

type embeds struct {
	context.Context // want
}

type scope struct{ ctx context.Context }

type cancels struct{ cancel context.CancelFunc }

func f() {
	var v struct {
		ctx context.Context // want
	}
	_ = v
}
-- a/renamed.go --
package a

import c "context"

type alias struct {
	ctx c.Context // want
}
-- a/a_test.go --
package a

import "context"

type table struct{ ctx context.Context }
`, "trigo/a.scope")
	ctxInStruct.enforce(t)
}

var ctxFirst = rule{
	why: "in every call of this module the ctx comes first, so that nobody has to look",
	check: func(m *module, r *report) {
		for _, f := range m.files {
			nodes(f, func(fn *ast.FuncType) {
				var before int
				for i, p := range fn.Params.List {
					if f.isFrom(p.Type, "context", "Context") && before > 0 {
						r.at(f, p.Pos(), "the ctx is not the first parameter")
					}
					if i > 0 || !isTesting(f, p.Type) {
						before += max(1, len(p.Names))
					}
				}
			})
		}
	},
}

// isTesting reports whether x is *testing.T or one of its kin. In a helper of
// tests that comes before the ctx.
func isTesting(f *file, x ast.Expr) bool {
	if star, ok := x.(*ast.StarExpr); ok {
		x = star.X
	}
	for _, name := range []string{"T", "TB", "B", "F"} {
		if f.isFrom(x, "testing", name) {
			return true
		}
	}
	return false
}

func TestContextComesFirst(t *testing.T) {
	ctxFirst.prove(t, `
-- a/a.go --
package a

import (
	"context"
	"testing"
)

func good(ctx context.Context, n int)                 {}
func only(context.Context)                            {}
func helper(t *testing.T, ctx context.Context, n int) {}

func bad(n int, ctx context.Context) {} // want

func late(t *testing.T, n int, ctx context.Context) {} // want

type doer interface {
	Do(ctx context.Context)
	Undo(n int, ctx context.Context) // want
}

var literal = func(n int, _ context.Context) {} // want
`)
	ctxFirst.enforce(t)
}
