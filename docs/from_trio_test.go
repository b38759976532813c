package docs

import (
	"flag"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The page from-trio.md is held against its examples, against the names that
// Trio's page has, and against the packages that it sends its readers to.

var update = flag.Bool("update", false, "write the examples into from-trio.md")

const fromTrio = "from-trio.md"

func readPage(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(fromTrio)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// shown is a directive of the page and the code that follows it.
var shown = regexp.MustCompile("(?m)^<!-- run (\\w+) -->\n(?:\n?```go\n((?s:.*?))```\n)?")

// examples returns the body of each function of the files from_trio_*_test.go
// that the page could show, by its name.
func examples(t *testing.T) map[string]string {
	t.Helper()
	names, err := filepath.Glob("from_trio_*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[string]string)
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, name, text, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range file.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok || f.Recv != nil || !strings.HasPrefix(f.Name.Name, "Example") && !strings.HasPrefix(f.Name.Name, "TestFromTrio") {
				continue
			}
			body := string(text[fset.Position(f.Body.Lbrace).Offset+1 : fset.Position(f.Body.Rbrace).Offset])
			all[f.Name.Name] = strings.ReplaceAll(strings.Trim(body, "\n"), "\n\t", "\n")[1:] + "\n"
		}
	}
	return all
}

func TestFromTrioShowsWhatIsRun(t *testing.T) {
	all := examples(t)
	page := readPage(t)
	seen := make(map[string]bool)
	for _, m := range shown.FindAllStringSubmatch(page, -1) {
		name, code := m[1], m[2]
		want, ok := all[name]
		switch {
		case !ok:
			t.Errorf("there is no %s", name)
		case seen[name]:
			t.Errorf("%s is shown twice", name)
		case code != want && !*update:
			t.Errorf("the code of %s on the page is not that in the test: run go test ./docs -update", name)
		}
		seen[name] = true
	}
	for name, body := range all {
		if !seen[name] {
			t.Errorf("%s is not on the page", name)
		}
		if strings.HasPrefix(name, "Example") && !regexp.MustCompile(`(?m)^// (Unordered o|O)utput:`).MatchString(body) {
			t.Errorf("%s has no output, so it is not run", name)
		}
	}
	if got, want := strings.Count(page, "```go\n"), len(all); got != want && !*update {
		t.Errorf("%d blocks of code, of which %d are run", got, want)
	}
	if !*update || t.Failed() {
		return
	}
	page = shown.ReplaceAllStringFunc(page, func(s string) string {
		name := shown.FindStringSubmatch(s)[1]
		return fmt.Sprintf("<!-- run %s -->\n```go\n%s```\n", name, all[name])
	})
	if err := os.WriteFile(fromTrio, []byte(page), 0o644); err != nil {
		t.Fatal(err)
	}
}

// A row is one of those of the tables of the page.
type row struct {
	section          string // the heading with two marks that it stands under
	trio, trigo, why string
}

func rows(t *testing.T) (all []row) {
	t.Helper()
	section := ""
	for line := range strings.Lines(readPage(t)) {
		line = strings.TrimSpace(line)
		if heading, ok := strings.CutPrefix(line, "## "); ok {
			section = heading
		}
		if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| Trio |") {
			continue
		}
		cells := strings.Split(line, " |")
		if len(cells) != 4 || cells[3] != "" {
			t.Errorf("not a row of three cells: %s", line)
			continue
		}
		for i := range cells {
			cells[i] = strings.TrimSpace(strings.TrimPrefix(cells[i], "|"))
		}
		all = append(all, row{section, cells[0], cells[1], cells[2]})
	}
	if len(all) < 100 {
		t.Fatalf("%d rows", len(all))
	}
	return all
}

var quoted = regexp.MustCompile("`([^`]+)`")

func code(text string) (all []string) {
	for _, m := range quoted.FindAllStringSubmatch(text, -1) {
		all = append(all, m[1])
	}
	return all
}

// TestFromTrioLeavesNothingOut compares the names in the first column with a
// list of those that Trio's page has. f(a, b) is f, f(a) and f(b).
func TestFromTrioLeavesNothingOut(t *testing.T) {
	got := make(map[string]bool)
	for _, r := range rows(t) {
		for _, name := range code(r.trio) {
			name = strings.TrimPrefix(name, "trio.")
			name, args, _ := strings.Cut(strings.TrimSuffix(name, ")"), "(")
			got[name] = true
			for arg := range strings.SplitSeq(args, ", ") {
				if arg != "" {
					got[name+"("+arg+")"] = true
				}
			}
		}
	}
	text, err := os.ReadFile("testdata/trio-names.txt")
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Fields(string(text))
	if !slices.IsSorted(want) || len(slices.Compact(slices.Clone(want))) != len(want) {
		t.Error("the list of names is not sorted, or has one twice")
	}
	for _, name := range want {
		if !got[name] {
			t.Errorf("%s is not on the page", name)
		}
		delete(got, name)
	}
	for name := range got {
		t.Errorf("%s is not in the list of names", name)
	}
}

// TestFromTrioIsRunRowByRow demands that what a row names is used by the
// examples of its section, and that a row which has nothing says why.
func TestFromTrioIsRunRowByRow(t *testing.T) {
	used := make(map[string]map[string]bool) // by section, then by identifier
	all := examples(t)
	for section := range strings.SplitSeq("\n"+readPage(t), "\n## ") {
		heading, _, _ := strings.Cut(section, "\n")
		used[heading] = make(map[string]bool)
		for _, m := range shown.FindAllStringSubmatch(section, -1) {
			expr, err := parser.ParseExpr("func() {\n" + all[m[1]] + "}")
			if err != nil {
				t.Fatal(m[1], err)
			}
			ast.Inspect(expr, func(n ast.Node) bool {
				if id, ok := n.(*ast.Ident); ok {
					used[heading][id.Name] = true
				}
				return true
			})
		}
	}
	for _, r := range rows(t) {
		if r.trigo == "none" {
			if r.why == "" {
				t.Errorf("%s: nothing, and no reason", r.trio)
			}
			continue
		}
		symbols := code(r.trigo)
		if rest := strings.Trim(quoted.ReplaceAllString(r.trigo, ""), ", "); rest != "" || len(symbols) == 0 {
			t.Errorf("%s: %q is neither symbols nor none", r.trio, r.trigo)
		}
		for _, symbol := range symbols {
			if last := symbol[strings.LastIndex(symbol, ".")+1:]; !used[r.section][last] {
				t.Errorf("%s: no example in its section uses %s", r.trio, symbol)
			}
		}
	}
}

// paths are the packages that the page speaks of, by their names.
var paths = map[string]string{
	"trigo": "trigo", "nursery": "trigo/nursery", "channel": "trigo/channel", "file": "trigo/file", "netconn": "trigo/netconn",
	"netstream": "trigo/netstream", "process": "trigo/process", "proxy": "trigo/proxy", "relay": "trigo/relay",
	"signals": "trigo/signals", "socket": "trigo/socket", "tlsstream": "trigo/tlsstream", "devcert": "trigo/tlsstream/devcert",
	"trigotest": "trigo/trigotest", "vnet": "trigo/trigotest/vnet",
	"bytes": "bytes", "context": "context", "errors": "errors", "fs": "io/fs", "io": "io", "net": "net", "os": "os", "slog": "log/slog",
	"strings": "strings", "synctest": "testing/synctest", "syscall": "syscall", "testing": "testing", "time": "time", "tls": "crypto/tls",
}

// load returns what imports the packages of paths.
func load(t *testing.T) types.Importer {
	t.Helper()
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("there is no go command to find the packages with")
	}
	args := []string{"list", "-export", "-deps", "-f", "{{.ImportPath}} {{.Export}}"}
	for _, path := range paths {
		args = append(args, path)
	}
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	export := make(map[string]string)
	for line := range strings.Lines(string(out)) {
		path, name, _ := strings.Cut(strings.TrimSpace(line), " ")
		export[path] = name
	}
	return importer.ForCompiler(token.NewFileSet(), "gc", func(path string) (io.ReadCloser, error) {
		return os.Open(export[path])
	})
}

// exists looks up a symbol such as process.Command.Args.
func exists(from types.Importer, symbol string) error {
	names := strings.Split(symbol, ".")
	path, ok := paths[names[0]]
	if !ok {
		return fmt.Errorf("%s: not a package that the page speaks of", symbol)
	}
	pkg, err := from.Import(path)
	if err != nil {
		return err
	}
	var object types.Object = types.NewPkgName(0, pkg, names[0], pkg)
	for i, name := range names[1:] {
		if i == 0 {
			object = pkg.Scope().Lookup(name)
		} else {
			object, _, _ = types.LookupFieldOrMethod(object.Type(), true, pkg, name)
		}
		if object == nil || !object.Exported() {
			return fmt.Errorf("%s does not exist", symbol)
		}
	}
	return nil
}

func TestFromTrioSendsNobodyAstray(t *testing.T) {
	from := load(t)
	for _, wrong := range []string{"trigo.Nonsense", "netstream.Stream.Nonsense", "nonsense.Stream", "process.Command.args"} {
		if exists(from, wrong) == nil {
			t.Errorf("%s is found", wrong)
		}
	}
	for _, r := range rows(t) {
		for _, symbol := range code(r.trigo) {
			if err := exists(from, symbol); err != nil {
				t.Errorf("%s: %v", r.trio, err)
			}
		}
	}
	// In the text, whatever begins with the name of a package.
	name := regexp.MustCompile("`([a-z]+)((?:\\.[A-Z]\\w*)+)")
	for line := range strings.Lines(shown.ReplaceAllString(readPage(t), "")) {
		if strings.HasPrefix(line, "| ") { // the first column has names of Python
			cells := strings.SplitN(line, " |", 3)
			line = cells[len(cells)-1]
		}
		for _, m := range name.FindAllStringSubmatch(line, -1) {
			if paths[m[1]] == "" {
				continue
			}
			if err := exists(from, m[1]+m[2]); err != nil {
				t.Error(err)
			}
		}
	}
}
