package docs

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// step is one directive of a guide, an HTML comment, and the block that follows
// it, if it has one.
type step struct {
	words []string // "file xor.go", "replace SendAll in xor.go", "run fails", "run passes"
	block string
}

var directive = regexp.MustCompile("(?m)^<!-- (file \\S+|replace \\S+ in \\S+|run fails|run passes) -->\n(?:```\\w+\n((?s:.*?))```\n)?")

func steps(t *testing.T, path string) (all []step) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range directive.FindAllStringSubmatch(string(text), -1) {
		all = append(all, step{strings.Fields(m[1]), m[2]})
	}
	if want := strings.Count(string(text), "<!--"); len(all) != want {
		t.Fatalf("%s has %d directives, of which %d are understood", path, want, len(all))
	}
	if blocks := strings.Count(string(text), "\n```go\n"); blocks > len(all) {
		t.Fatalf("%s has blocks of Go without a directive", path)
	}
	return all
}

func TestTheGuideToTestingYourStreamIsTrue(t *testing.T) {
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("there is no go command to run the guide with")
	}
	files := make(map[string]string)
	for _, s := range steps(t, "testing-your-stream.md") {
		switch s.words[0] {
		case "file":
			files[s.words[1]] = s.block
		case "replace":
			name := s.words[3]
			files[name] = replace(t, files[name], s.words[1], s.block)
		case "run":
			out, err := run(t, files)
			if fails := s.words[1] == "fails"; fails != (err != nil) {
				t.Fatalf("the guide says that this %s, and: %v\n%s", s.words[1], err, out)
			}
			for line := range strings.Lines(s.block) {
				if line = strings.TrimSpace(line); !strings.Contains(out, line) {
					t.Errorf("the guide says that the run prints %q, and it prints\n%s", line, out)
				}
			}
		}
	}
	if n := strings.Count(files["xor.go"], "\n"); n > 75 {
		t.Errorf("the stream has grown to %d lines", n)
	}
}

// replace replaces the method, or the import declaration, of a file.
func replace(t *testing.T, text, name, with string) string {
	t.Helper()
	begin, end := "func (s *Stream) "+name+"(", "\n}\n"
	if name == "import" {
		begin, end = "import (", "\n)\n"
	}
	from := strings.Index(text, begin)
	if from < 0 {
		t.Fatalf("there is no %s to replace", name)
	}
	to := from + strings.Index(text[from:], end) + len(end)
	return text[:from] + with + text[to:]
}

// run runs the tests of a package that has these files, and is laid over this
// module without being there.
func run(t *testing.T, files map[string]string) (string, error) {
	t.Helper()
	dir := t.TempDir()
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	overlay := struct{ Replace map[string]string }{make(map[string]string)}
	for name, text := range files {
		real := filepath.Join(dir, name)
		if err := os.WriteFile(real, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		overlay.Replace[filepath.Join(here, "xor", name)] = real
	}
	spec, err := json.Marshal(overlay)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(path, spec, 0o600); err != nil {
		t.Fatal(err)
	}
	// Built and run apart: go test would run it in its directory, which is not there.
	binary := filepath.Join(dir, "xor.test")
	build := exec.CommandContext(t.Context(), "go", "test", "-c", "-vet=off", "-o", binary, "-overlay", path, "./xor")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("the guide does not compile: %v\n%s", err, out)
	}
	cmd := exec.CommandContext(t.Context(), binary)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	return string(out), err
}
