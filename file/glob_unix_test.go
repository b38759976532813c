//go:build unix

package file

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os/exec"
	"slices"
	"testing"
)

// globAll collects the matches, relative to root and sorted.
func globAll(t *testing.T, root Path, pattern string, opts *GlobOptions) []string {
	t.Helper()
	all := []string{}
	for p, err := range root.Glob(t.Context(), pattern, opts) {
		if err != nil {
			t.Fatalf("%q: %v", pattern, err)
		}
		rel, err := p.RelativeTo(root)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, string(rel))
	}
	slices.Sort(all)
	return all
}

// globTree has files, links and names that are hard to tell from patterns.
var globTree = []string{
	"a/x.go", "a/y.txt", "a/b/x.go", "a/b/c/x.go", "a/b/c/deep/z.GO", "b/x.go", ".hidden/x.go", ".dot", "a/.dot.go", "empty/",
	"a/a/a/f", "a/a/a/a/f", "[x]/1", "x-y/ä.go", "README", "link -> a/b", "a/link -> ../b", "flink -> a/x.go", "dangling -> nowhere",
	"a/b/up -> ..", "n1/n2/n3/n4/end", "q?/r*",
}

var globPatterns = []string{
	"*", "**", "**/", "*/", "*/*", "**/*", "**/*/", "*.go", "**/*.go", "a/*.go", "a/**", "a/**/", "a/**/*.go", "**/x.go", "**/a", "**/a/**", "**/a/**/f",
	"a/x.go", "a/nope", "a/x.go/", "a/x.go/*", "a/x.go/**", "README", "README/", "link", "link/", "link/*", "link/**", "*/x.go", "*/*/x.go", "**/b/*", "**/link/*", "**/link/**",
	"dangling", "dangling/", "d*", "**/dangling", "flink", "f*/", "a/../b/*", "a/..", "*/..", "*/../R*", "../*/x", "**/..", "a/./b", "a//b", ".*", "**/.*", "[[]x]/*", "[!a]*", "?", "??",
	"**/**/x.go", "n1/*/n3/*/end", "**/n?/*/end", "*/**/*/f", "q[?]/r[*]", "q*/*", "empty/*", "empty/**", "**/empty", "nope/**", "nope", "x-y/*", "**/[a-c]/**/*.go", "a/*/..", "**/up/*",
}

func TestGlobFindsWhatCPythonFinds(t *testing.T) {
	python := findPython(t)
	root := makeTree(t, globTree...)
	const script = `
import json, pathlib, sys
given = json.load(sys.stdin)
root = pathlib.Path(given["root"])
found = []
for pattern in given["patterns"]:
    found.append(sorted({str(p.relative_to(root)) for p in root.glob(pattern)}))
json.dump(found, sys.stdout)
`
	question, err := json.Marshal(map[string]any{"root": root, "patterns": globPatterns})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), python, "-X", "utf8", "-c", script)
	cmd.Stdin = bytes.NewReader(question)
	answer, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var theirs [][]string
	if err := json.Unmarshal(answer, &theirs); err != nil {
		t.Fatal(err)
	}
	for i, pattern := range globPatterns {
		if got, want := globAll(t, root, pattern, nil), theirs[i]; !slices.Equal(got, want) {
			t.Errorf("%q: got %q, CPython %q", pattern, got, want)
		}
	}
}

func TestGlobTellsEachPathOnce(t *testing.T) {
	root := makeTree(t, "a/a/a/f")
	got := globAll(t, root, "**/a/**/f", nil)
	if want := []string{"a/a/a/f"}; !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

func TestGlobThroughLinks(t *testing.T) {
	root := makeTree(t, "real/x.go", "real/up -> ..", "link -> real")
	if got, want := globAll(t, root, "**/*.go", nil), []string{"real/x.go"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	got := globAll(t, root, "**/*.go", &GlobOptions{FollowSymlinks: true})
	if want := []string{"link/x.go", "real/x.go"}; !slices.Equal(got, want) {
		t.Errorf("with links: got %q, want %q", got, want)
	}
}

func TestGlobWithAChoiceAboutCase(t *testing.T) {
	root := makeTree(t, "Dir/a.GO", "dir2/B.go")
	got := globAll(t, root, "DIR*/*.go", &GlobOptions{Case: CaseInsensitive})
	if want := []string{"Dir/a.GO", "dir2/B.go"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	got = globAll(t, root, "dir2/b.GO", &GlobOptions{Case: CaseInsensitive})
	if want := []string{"dir2/B.go"}; !slices.Equal(got, want) {
		t.Errorf("without wildcards: got %q, want %q", got, want)
	}
	if got := globAll(t, root, "dir*/*.go", &GlobOptions{Case: CaseSensitive}); !slices.Equal(got, []string{"dir2/B.go"}) {
		t.Errorf("sensitive: got %q", got)
	}
}

func TestRGlobSearchesBelow(t *testing.T) {
	root := makeTree(t, "x.go", "a/b/x.go", "a/c")
	for pattern, want := range map[string][]string{
		"x.go": {"a/b/x.go", "x.go"}, "*/": {"a", "a/b"}, "": {".", "a", "a/b", "a/b/x.go", "a/c", "x.go"},
	} {
		got := []string{}
		for p, err := range root.RGlob(t.Context(), pattern, nil) {
			if err != nil {
				t.Fatal(err)
			}
			rel, _ := p.RelativeTo(root)
			got = append(got, string(rel))
		}
		if slices.Sort(got); !slices.Equal(got, want) {
			t.Errorf("%q: got %q, want %q", pattern, got, want)
		}
	}
}

func TestBadPatternsOfGlobAreNamed(t *testing.T) {
	for pattern, want := range map[string]string{
		"": `glob file dir: pattern "" is empty`, ".": `glob file dir: pattern "." is empty`, "/x": `glob file dir: pattern "/x" is not relative`,
	} {
		var errs []error
		for _, err := range Path("dir").Glob(t.Context(), pattern, nil) {
			errs = append(errs, err)
		}
		if len(errs) != 1 || !errors.Is(errs[0], fs.ErrInvalid) || errs[0].Error() != want {
			t.Errorf("%q: got %v", pattern, errs)
		}
	}
}

func TestGlobGoesOnPastADirectoryThatCannotBeRead(t *testing.T) {
	root := makeTree(t, "a/1", "locked/2", "z/3")
	forbid(t, root.Join("locked"))
	var got []string
	var failed Path
	for p, err := range root.Glob(t.Context(), "*/*", nil) {
		if err != nil {
			if !errors.Is(err, fs.ErrPermission) {
				t.Error(err)
			}
			failed = p
			continue
		}
		rel, _ := p.RelativeTo(root)
		got = append(got, string(rel))
	}
	if slices.Sort(got); !slices.Equal(got, []string{"a/1", "z/3"}) || failed != root.Join("locked") {
		t.Errorf("got %q, and failed at %q", got, failed)
	}
}

func TestACancelInMidGlobEndsIt(t *testing.T) {
	root := wideTree(t, 80, 10)
	for after := range 40 {
		ctx, cancel := context.WithCancel(t.Context())
		count := 0
		var last error
		for _, err := range root.Glob(ctx, "**/*.go", nil) {
			if last != nil {
				t.Fatal("it went on after the error")
			}
			if last = err; err == nil {
				if count++; count == 1+after*7 {
					cancel()
				}
			}
		}
		cancel()
		if !errors.Is(last, context.Canceled) || count != 1+after*7 {
			t.Fatalf("cancelled after %d: got %d, %v", 1+after*7, count, last)
		}
	}
	dead, cancel := context.WithCancel(t.Context())
	cancel()
	for p, err := range Path("/nonexistent").Glob(dead, "**", nil) {
		if p != "" || !errors.Is(err, context.Canceled) {
			t.Errorf("dead: got %q, %v", p, err)
		}
	}
}

func TestGlobOfCurrentDirectory(t *testing.T) {
	t.Chdir(string(makeTree(t, "a/b.go")))
	for pattern, want := range map[string]Path{"**/*.go": "a/b.go", "a/b.go": "a/b.go", "a/*": "a/b.go"} {
		for p, err := range Path("").Glob(t.Context(), pattern, nil) {
			if p != want || err != nil {
				t.Errorf("%q: got %q, %v", pattern, p, err)
			}
		}
	}
}
