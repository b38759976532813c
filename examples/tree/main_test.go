package main

import (
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"testing"

	"trigo/examples/internal/program"
	"trigo/file"
)

func TestMain(m *testing.M) { program.Main(m, main) }

func makeTree(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string]string{
		"a.go":          "one\ntwo\n",
		"sub/b.go":      "one\r\ntwo\nunfinished",
		"sub/c.txt":     "",
		"sub/deep/d":    "\xff\xfe no text\n",
		".hidden/e.txt": "not seen\n",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestCountTree(t *testing.T) {
	got, err := countTree(t.Context(), file.Path(makeTree(t)))
	want := map[string]count{".go": {2, 5}, ".txt": {1, 0}, "": {1, 1}}
	if err != nil || !maps.Equal(got, want) {
		t.Errorf("got %v, %v; want %v", got, err, want)
	}
}

func TestCountTreeIsCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := countTree(ctx, file.Path(makeTree(t))); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestTheProgram(t *testing.T) {
	program.Run(t, func(ctx context.Context, p *program.Program) {
		if got := p.Line(ctx); got != ": 1 files, 1 lines" {
			t.Errorf("got %q", got)
		}
		p.EndsWell(ctx)
	}, makeTree(t))
}
