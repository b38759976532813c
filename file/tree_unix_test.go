//go:build unix

package file

import (
	"testing"
)

func TestTreesNeedOnlyOnePlace(t *testing.T) {
	defer SetLimit(SetLimit(1))
	root := wideTree(t, 60, 3)
	to := Path(t.TempDir()).Join("copy")
	if err := root.CopyTree(t.Context(), to, nil); err != nil {
		t.Fatal(err)
	}
	want := len(walkAll(t, root, &WalkOptions{Workers: 8}))
	if got := len(globAll(t, to, "**/*", &GlobOptions{Workers: 8})); got != want {
		t.Errorf("got %d, want %d", got, want)
	}
	if err := to.RemoveAll(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestAWalkDuringAWalk(t *testing.T) {
	root := makeTree(t, "a/1", "a/b/2", "c/3")
	total := 0
	for e, err := range root.Walk(t.Context(), nil) {
		if err != nil {
			t.Fatal(err)
		}
		if e.IsDir() {
			total += len(walkAll(t, e.Path, nil))
		}
	}
	if total != 3+1+1 {
		t.Errorf("found %d", total)
	}
}

func TestWhatTheLoopRemovesIsNotAnError(t *testing.T) {
	root := wideTree(t, 60, 3)
	for e, err := range root.Walk(t.Context(), nil) {
		if err != nil {
			t.Fatal(err)
		}
		if e.IsDir() && e.Name() == "d07" {
			if err := e.Path.RemoveAll(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
}
