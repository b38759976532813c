package policy

import (
	"fmt"
	"go/ast"
	"go/token"
	"maps"
	"slices"
	"strings"
	"testing"
)

// A rule says what may not be in the module.
type rule struct {
	why    string
	exempt map[string]string // what may be all the same, and the reason
	check  func(m *module, r *report)
}

// report collects what a check found. exempt holds the exemptions that it has
// not met yet.
type report struct {
	found  map[string]string // by place: "dir/file.go:12"
	exempt map[string]string
	used   map[string]bool
}

func (r *report) add(path string, line int, format string, args ...any) {
	r.found[fmt.Sprintf("%s:%d", path, line)] = fmt.Sprintf(format, args...)
}

// at is add for a position in a Go file.
func (r *report) at(f *file, p token.Pos, format string, args ...any) {
	r.add(f.path, f.line(p), format, args...)
}

// allows reports whether there is an exemption for key.
func (r *report) allows(key string) bool {
	_, ok := r.exempt[key]
	r.used[key] = ok
	return ok
}

func (ru rule) run(m *module, exempt map[string]string) *report {
	r := &report{found: map[string]string{}, exempt: exempt, used: map[string]bool{}}
	ru.check(m, r)
	return r
}

// enforce holds the module to the rule.
func (ru rule) enforce(t *testing.T) {
	t.Helper()
	r := ru.run(thisModule(t), ru.exempt)
	for _, place := range slices.Sorted(maps.Keys(r.found)) {
		t.Errorf("%s: %s\n\twhy: %s", place, r.found[place], ru.why)
	}
	for _, key := range slices.Sorted(maps.Keys(ru.exempt)) {
		if !r.used[key] {
			t.Errorf("the exemption of %s is needed no more: remove it", key)
		}
	}
}

// prove shows that the rule finds what it should and nothing else. The archive
// is a small module; lines that violate the rule end in "// want". The
// exemptions are those given, never the rule's own.
func (ru rule) prove(t *testing.T, archive string, exempt ...string) {
	t.Helper()
	texts, want := unpack(t, archive)
	m, err := newModule(texts)
	if err != nil {
		t.Fatal(err)
	}
	allowed := map[string]string{}
	for _, key := range exempt {
		allowed[key] = "for the example"
	}
	r := ru.run(m, allowed)
	for place, text := range r.found {
		if !want[place] {
			t.Errorf("example: %s: good, but reported: %s", place, text)
		}
	}
	for place := range want {
		if _, ok := r.found[place]; !ok {
			t.Errorf("example: %s: bad, but not reported", place)
		}
	}
	for _, key := range exempt {
		if !r.used[key] {
			t.Errorf("example: the exemption of %s was not looked at", key)
		}
	}
}

// unpack splits an archive, in which each file follows a line "-- path --",
// and returns the places marked in it.
func unpack(t *testing.T, archive string) (texts map[string]string, want map[string]bool) {
	t.Helper()
	const mark = "// want"
	texts, want = map[string]string{}, map[string]bool{}
	name, line := "", 0
	for text := range strings.Lines(strings.TrimLeft(archive, "\n")) {
		if rest, ok := strings.CutPrefix(text, "-- "); ok {
			name, line = strings.TrimSuffix(strings.TrimSpace(rest), " --"), 0
			continue
		}
		line++
		if before, ok := strings.CutSuffix(text, mark+"\n"); ok {
			want[fmt.Sprintf("%s:%d", name, line)] = true
			text = strings.TrimRight(before, " \t") + "\n" // the rule must not see the mark
		}
		texts[name] += text
	}
	if len(want) == 0 {
		t.Fatal("example: nothing in it is bad")
	}
	return texts, want
}

// nodes calls visit for every node of type N in f, outermost first.
func nodes[N ast.Node](f *file, visit func(n N)) {
	ast.Inspect(f.File, func(n ast.Node) bool {
		if n, ok := n.(N); ok {
			visit(n)
		}
		return true
	})
}
