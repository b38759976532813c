//go:build unix

package file

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"testing"
)

func TestRemoveAllRemovesEverythingAndFollowsNothing(t *testing.T) {
	outside := makeTree(t, "precious")
	root := makeTree(t, "x/a/b/c/1", "x/2", "x/link -> "+string(outside), "x/dangling -> nowhere", "x/empty/")
	if err := root.Join("x").RemoveAll(t.Context()); err != nil {
		t.Fatal(err)
	}
	if exists, err := root.Join("x").Exists(t.Context()); exists || err != nil {
		t.Errorf("it is there: %v", err)
	}
	if got := contentOf(t, outside.Join("precious")); got != "precious" {
		t.Errorf("got %q", got)
	}
}

func TestRemoveAllOfAFileALinkAndNothing(t *testing.T) {
	root := makeTree(t, "file", "dir/1", "link -> dir", "dangling -> nowhere")
	for _, name := range []string{"file", "link", "dangling", "gone", "gone/below"} {
		if err := root.Join(name).RemoveAll(t.Context()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := os.Lstat(string(root.Join(name))); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s is there: %v", name, err)
		}
	}
	if got := contentOf(t, root.Join("dir/1")); got != "dir/1" {
		t.Errorf("got %q", got)
	}
}

func TestRemoveAllOfWideAndHugeDirectories(t *testing.T) {
	for _, root := range []Path{wideTree(t, 80, 3), wideTree(t, 1, 3*batchSize)} {
		if err := root.RemoveAll(t.Context()); err != nil {
			t.Error(err)
		}
		if exists, err := root.Exists(t.Context()); exists || err != nil {
			t.Errorf("it is there: %v", err)
		}
	}
}

func TestRemoveAllRefusesNamesThatAreNone(t *testing.T) {
	t.Chdir(string(makeTree(t, "a/b")))
	for _, p := range []Path{"", ".", "..", "a/..", "/"} {
		if err := p.RemoveAll(t.Context()); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("%q: got %v", p, err)
		}
	}
}

func TestRemoveAllRemovesWhatItCan(t *testing.T) {
	root := makeTree(t, "a/1", "a/locked/2", "b/3")
	if err := os.Chmod(string(root.Join("b")), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(string(root.Join("a")), 0o777); err != nil {
		t.Fatal(err)
	}
	forbid(t, root.Join("a/locked"))
	if err := root.RemoveAll(t.Context()); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("got %v", err)
	}
	for _, name := range []string{"a/1", "b/3"} {
		if _, err := os.Lstat(string(root.Join(name))); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s is still there", name)
		}
	}
}

func TestACancelledRemoveAllLeavesTheRest(t *testing.T) {
	root := wideTree(t, 80, 10)
	if err := root.RemoveAll(cancelAfter(t, 20)); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if left := walkAll(t, root, nil); len(left) == 0 {
		t.Error("nothing is left")
	}
	if err := root.RemoveAll(t.Context()); err != nil {
		t.Error(err)
	}
}
