package file

import (
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"
)

func TestDirectoriesFarBelowAreOpenedWithoutLinks(t *testing.T) {
	root := makeTree(t, "a/b/c/", "link -> a", "a/link -> b")
	top, err := openDir(string(root))
	if err != nil {
		t.Fatal(err)
	}
	defer top.close()
	want, err := os.Stat(string(root.Join("a/b/c")))
	if err != nil {
		t.Fatal(err)
	}
	inode := want.Sys().(*syscall.Stat_t).Ino
	open := map[string]func(rel string) (dirHandle, error){
		"in one call":   func(rel string) (dirHandle, error) { return top.openBelow(rel, false) },
		"step by step":  top.openSteps,
		"through links": func(rel string) (dirHandle, error) { return top.openBelow(rel, true) },
	}
	for how, open := range open {
		for rel, hasLink := range map[string]bool{"a/b/c": false, "link/b/c": true, "a/link/c": true} {
			d, err := open(rel)
			if hasLink && how != "through links" {
				if !errors.Is(err, syscall.ELOOP) && !errors.Is(err, syscall.ENOTDIR) {
					t.Errorf("%s %s: got %v", how, rel, err)
				}
				continue
			}
			if err != nil {
				t.Errorf("%s %s: %v", how, rel, err)
				continue
			}
			if id, err := d.id(); id.ino != inode || err != nil {
				t.Errorf("%s %s: got another directory, %v", how, rel, err)
			}
			d.close()
		}
	}
}

func TestDirectoriesBelowAnyDepthAreOpened(t *testing.T) {
	const depth = 900
	root := deepTree(t, depth)
	top, err := openDir(string(root))
	if err != nil {
		t.Fatal(err)
	}
	defer top.close()
	rel := strings.TrimSuffix(strings.Repeat("nnnnnnnnnn/", depth), "/")
	d, err := top.openBelow(rel, false)
	if err != nil {
		t.Fatal(err)
	}
	defer d.close()
	if _, err := d.kind("file", false); err != nil {
		t.Error(err)
	}
}

func TestDeepTreesNeedFewDescriptors(t *testing.T) {
	root := deepTree(t, 400)
	var old syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &old); err != nil {
		t.Fatal(err)
	}
	few := old
	few.Cur = min(old.Cur, 4*maxHeld)
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &few); err != nil {
		t.Fatal(err)
	}
	defer syscall.Setrlimit(syscall.RLIMIT_NOFILE, &old)
	if got := walkAll(t, root, &WalkOptions{BottomUp: true}); len(got) != 401 {
		t.Errorf("found %d", len(got))
	}
	if err := root.RemoveAll(t.Context()); err != nil {
		t.Error(err)
	}
}
