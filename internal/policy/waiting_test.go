package policy

import (
	"go/ast"
	"go/token"
	"testing"
)

var sleeping = rule{
	why: "in a test, a sleep is a guess about a busy machine: wait for the event itself, or run in a synctest bubble; " +
		"anywhere else, a sleep cannot be cancelled: select on ctx.Done too",
	exempt: map[string]string{
		"trigo/trigotest.inventory.leftovers": "nobody tells when a goroutine is gone, or a descriptor: it can only look again",
		"trigo/trigotest.dataDefects":         "streams with defects, only ever run in bubbles",
		"trigo/trigotest.closeDefects":        "streams with defects, only ever run in bubbles",
		"trigo/nursery.napping":               "a child that takes its time, only ever run in bubbles",
	},
	check: func(m *module, r *report) {
		for _, f := range m.files {
			bubbles := findBubbles(m, f)
			report := func(p token.Pos, what string) {
				for _, b := range bubbles {
					if b.Pos() <= p && p < b.End() {
						return
					}
				}
				if !r.allows(f.owner(p)) {
					r.at(f, p, "%s", what)
				}
			}
			inSelect := map[ast.Stmt]bool{}
			nodes(f, func(c *ast.CommClause) { inSelect[c.Comm] = true })
			nodes(f, func(s *ast.SelectorExpr) {
				if f.isFrom(s, "time", "Sleep") {
					report(s.Pos(), "time.Sleep")
				}
			})
			nodes(f, func(s *ast.ExprStmt) {
				recv, ok := s.X.(*ast.UnaryExpr)
				if !ok || recv.Op != token.ARROW || inSelect[s] {
					return
				}
				if call, ok := recv.X.(*ast.CallExpr); ok && f.isFrom(call.Fun, "time", "After") {
					report(s.Pos(), "a sleep by the name of time.After")
				}
			})
		}
	},
}

// findBubbles returns the functions of f that are known to run in a synctest
// bubble: those given to synctest.Test, written out or by name.
func findBubbles(m *module, f *file) (bubbles []ast.Node) {
	if !f.test {
		return nil
	}
	named := map[string]bool{}
	for _, other := range m.files {
		if other.pkg != f.pkg {
			continue
		}
		nodes(other, func(call *ast.CallExpr) {
			if len(call.Args) != 2 || !other.isFrom(call.Fun, "testing/synctest", "Test") {
				return
			}
			switch fn := call.Args[1].(type) {
			case *ast.FuncLit:
				if other == f {
					bubbles = append(bubbles, fn)
				}
			case *ast.Ident:
				named[fn.Name] = true
			}
		})
	}
	for _, decl := range f.Decls {
		if fn, ok := decl.(*ast.FuncDecl); ok && fn.Recv == nil && named[fn.Name.Name] {
			bubbles = append(bubbles, fn)
		}
	}
	return bubbles
}

func TestNobodySleeps(t *testing.T) {
	sleeping.prove(t, `
-- a/a.go --
package a

import "time"

func f(done chan int) {
	time.Sleep(1) // want
	<-time.After(1) // want
	select {
	case <-done:
	case <-time.After(1):
	}
}
-- a/a_test.go --
package a

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestReal(t *testing.T) {
	time.Sleep(1) // want
	pause := time.Sleep // want
	pause(1)
}

func TestBubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(1)
		go func() { <-time.After(1) }()
	})
	time.Sleep(1) // want
}

func TestNamed(t *testing.T) { synctest.Test(t, inBubble) }

func inBubble(t *testing.T) { time.Sleep(1) }

func allowed() { time.Sleep(1) }
`, "trigo/a.allowed")
	sleeping.enforce(t)
}

var goStatements = rule{
	why: "nothing outlives its call: goroutines belong to a nursery, and none is started for a single operation",
	exempt: map[string]string{
		"trigo/nursery.Nursery.Go":        "this is the place where goroutines are started",
		"trigo/nursery.Start":             "and this one hands them over to the nursery",
		"trigo/netconn.stray.start":       "some net.Listeners can be woken only by closing them: one Accept waits there for all cancelled calls, and Close ends it",
		"trigo/tlsstream.handshake.start": "crypto/tls remembers every error of a handshake, so it must be able to park between the calls that move it on; it does no I/O but while one of them waits, and Close and Abort end it",
		"trigo/endpoint.child.start":      "a child is supervised for as long as its stream is open, which is longer than any call; Close waits for the end",
		"trigo/trigotest.startCall":       "the call under test may hang, and a nursery would wait for it for ever",
	},
	check: func(m *module, r *report) {
		for _, f := range m.files {
			if f.test {
				continue
			}
			nodes(f, func(g *ast.GoStmt) {
				if !r.allows(f.owner(g.Pos())) {
					r.at(f, g.Pos(), "a go statement outside package nursery")
				}
			})
		}
	},
}

func TestGoroutinesBelongToNurseries(t *testing.T) {
	goStatements.prove(t, `
-- a/a.go --
package a

type owner struct{}

func (o *owner) start() { go f() }

func f() {
	go f() // want
	func() {
		go f() // want
	}()
}
-- a/a_test.go --
package a

func g() { go f() }
`, "trigo/a.owner.start")
	goStatements.enforce(t)
}
