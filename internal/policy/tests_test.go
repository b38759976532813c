package policy

import (
	"go/ast"
	"testing"
)

var silentSkips = rule{
	why: "a test that is skipped must say what it lacks, or nobody ever runs it",
	exempt: map[string]string{
		"trigo/nursery.TestSkipNowInAChildSkipsTheTest": "SkipNow is what it tests",
	},
	check: func(m *module, r *report) {
		for _, f := range m.files {
			if _, ok := f.imports()["testing"]; !ok {
				continue
			}
			nodes(f, func(call *ast.CallExpr) {
				s, ok := call.Fun.(*ast.SelectorExpr)
				if ok && len(call.Args) == 0 && (s.Sel.Name == "Skip" || s.Sel.Name == "SkipNow") && !r.allows(f.owner(call.Pos())) {
					r.at(f, call.Pos(), "a skip without a reason")
				}
			})
		}
	},
}

func TestSkippedTestsSayWhy(t *testing.T) {
	silentSkips.prove(t, `
-- a/a_test.go --
package a

import "testing"

func TestA(t *testing.T) {
	t.Skip("no socat here")
	t.Skipf("no %s here", "socat")
	t.Skip() // want
	t.SkipNow() // want
}

func allowed(t *testing.T) { t.SkipNow() }
-- a/a.go --
package a

func f(r interface{ Skip() }) { r.Skip() }
`, "trigo/a.allowed")
	silentSkips.enforce(t)
}

var fdCalls = rule{
	why: "Fd takes the descriptor away from the runtime's poller: no ctx can wake a call on it any more; use SyscallConn",
	exempt: map[string]string{
		"trigo/trigotest.TestLeakCheckShowsWhatADescriptorIsOpenOn": "it wants the number of a regular file, for which there is no poller",
	},
	check: func(m *module, r *report) {
		for _, f := range m.files {
			nodes(f, func(call *ast.CallExpr) {
				s, ok := call.Fun.(*ast.SelectorExpr)
				if ok && len(call.Args) == 0 && s.Sel.Name == "Fd" && !r.allows(f.owner(call.Pos())) {
					r.at(f, call.Pos(), "a call of Fd")
				}
			})
		}
	},
}

func TestNobodyTakesADescriptorFromThePoller(t *testing.T) {
	fdCalls.prove(t, `
-- a/a.go --
package a

import "os"

type stream struct{}

func (stream) FD() int { return 0 }

var bad = os.Stdin.Fd() // want

func f(s stream, file *os.File) int {
	file.Fd() // want
	return s.FD()
}

func allowed(file *os.File) uintptr { return file.Fd() }
`, "trigo/a.allowed")
	fdCalls.enforce(t)
}
