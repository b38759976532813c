package policy

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestREADME holds the README against what it shows: the program is the one in
// the examples, whose test runs it, and the commands are run by .ci/run.
func TestREADME(t *testing.T) {
	root, err := findRoot()
	if err != nil {
		t.Fatal(err)
	}
	read := func(name string) string {
		text, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	readme, ci := read("README.md"), read(".ci/run")
	blocks := regexp.MustCompile("(?s)```(\\w+)\n(.*?)```").FindAllStringSubmatch(readme, -1)
	if len(blocks) != 2 {
		t.Fatalf("%d blocks of code, want the commands and the program", len(blocks))
	}
	for _, block := range blocks {
		language, code := block[1], block[2]
		switch language {
		case "sh":
			for command := range strings.Lines(code) {
				if !strings.Contains(ci, strings.TrimSpace(command)) {
					t.Errorf("%q is not in .ci/run", strings.TrimSpace(command))
				}
			}
		case "go":
			if !strings.HasSuffix(read("examples/forward/main.go"), code) {
				t.Error("the program differs from examples/forward/main.go")
			}
		default:
			t.Errorf("a block of %s, which nothing runs", language)
		}
	}
	for _, link := range regexp.MustCompile(`\]\(([^)#]+)`).FindAllStringSubmatch(readme, -1) {
		if _, err := os.Stat(filepath.Join(root, link[1])); err != nil {
			t.Errorf("a link to nowhere: %v", err)
		}
	}
}
