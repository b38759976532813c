//go:build unix

package file

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"trigo"
)

func TestCopyKeepsContentsAndPermissions(t *testing.T) {
	for _, size := range []int{0, 1, 4096, copyPiece, 2*copyPiece + 7} {
		root := Path(t.TempDir())
		data := bytes.Repeat([]byte("0123456"), size/7+1)[:size]
		if err := root.Join("a").WriteBytes(t.Context(), data); err != nil {
			t.Fatal(err)
		}
		when := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
		if err := errors.Join(os.Chmod(string(root.Join("a")), 0o741), os.Chtimes(string(root.Join("a")), when, when)); err != nil {
			t.Fatal(err)
		}
		if err := root.Join("b").WriteText(t.Context(), "what was there before, and is longer than some", nil); err != nil {
			t.Fatal(err)
		}
		if err := root.Join("a").Copy(t.Context(), root.Join("b"), &CopyOptions{KeepTimes: true}); err != nil {
			t.Fatal(err)
		}
		got, err := root.Join("b").ReadBytes(t.Context())
		if err != nil || !bytes.Equal(got, data) {
			t.Errorf("%d bytes: got %d, %v", size, len(got), err)
		}
		info, err := root.Join("b").Stat(t.Context())
		if err != nil || info.Mode().Perm() != 0o741 || !info.ModTime().Equal(when) {
			t.Errorf("got %v, %v, %v", info.Mode(), info.ModTime(), err)
		}
	}
}

func TestCopyRefusesWhatItCannotCopy(t *testing.T) {
	root := makeTree(t, "file", "dir/", "link -> file")
	for _, pair := range [][2]string{{"file", "file"}, {"file", "link"}, {"dir", "new"}} {
		if err := root.Join(pair[0]).Copy(t.Context(), root.Join(pair[1]), nil); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("%s to %s: got %v", pair[0], pair[1], err)
		}
	}
	if got := contentOf(t, root.Join("file")); got != "file" {
		t.Errorf("the file now holds %q", got)
	}
	if err := root.Join("gone").Copy(t.Context(), root.Join("new"), nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

// cancelsAfter is a ctx that is cancelled when it has been looked at n times.
type cancelsAfter struct {
	context.Context
	cancel func()
	n      atomic.Int32
}

func (c *cancelsAfter) Err() error {
	if c.n.Add(-1) == 0 {
		c.cancel()
	}
	return c.Context.Err()
}

func cancelAfter(t *testing.T, looks int32) context.Context {
	inner, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	c := &cancelsAfter{Context: inner, cancel: cancel}
	c.n.Store(looks)
	return c
}

func TestACancelledCopyLeavesNoHalfFile(t *testing.T) {
	root := Path(t.TempDir())
	if err := root.Join("a").WriteBytes(t.Context(), make([]byte, 3*copyPiece)); err != nil {
		t.Fatal(err)
	}
	err := root.Join("a").Copy(cancelAfter(t, 2), root.Join("b"), nil)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if exists, err := root.Join("b").Exists(t.Context()); exists || err != nil {
		t.Errorf("there is a target: %v", err)
	}
}

func TestCopyTreeCopiesEverything(t *testing.T) {
	names := []string{"a/b/c/1", "a/2", "empty/", "link -> a/2", "dangling -> nowhere", "a/up -> ..", "3"}
	for i := range 40 {
		names = append(names, "wide/"+string(rune('a'+i%26))+string(rune('A'+i/26))+"/file")
	}
	root := makeTree(t, names...)
	if err := os.Chmod(string(root.Join("a/b/c")), 0o555); err != nil { // into which nobody could copy
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Chmod(string(root.Join("a/b/c")), 0o755) })
	to := Path(t.TempDir()).Join("copy")
	t.Cleanup(func() { os.Chmod(string(to.Join("a/b/c")), 0o755) })
	if err := root.CopyTree(t.Context(), to, nil); err != nil {
		t.Fatal(err)
	}
	if got, want := below(t, to, walkAll(t, to, nil)), below(t, root, walkAll(t, root, nil)); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := contentOf(t, to.Join("a/b/c/1")); got != "a/b/c/1" {
		t.Errorf("got %q", got)
	}
	if target, err := to.Join("link").Readlink(t.Context()); target != "a/2" || err != nil {
		t.Errorf("got %q, %v", target, err)
	}
	if info, err := to.Join("a/b/c").Stat(t.Context()); err != nil || info.Mode().Perm() != 0o555 {
		t.Errorf("got %v, %v", info.Mode(), err)
	}
}

func TestCopyTreeThroughLinks(t *testing.T) {
	root := makeTree(t, "a/1", "link -> a", "flink -> a/1", "a/up -> ..")
	to := Path(t.TempDir()).Join("copy")
	if err := root.CopyTree(t.Context(), to, &CopyOptions{FollowSymlinks: true}); err != nil {
		t.Fatal(err)
	}
	for _, e := range []string{"a/1", "link/1", "flink"} {
		if info, err := os.Lstat(string(to.Join(e))); err != nil || !info.Mode().IsRegular() {
			t.Errorf("%s: %v", e, err)
		}
	}
}

func TestCopyTreeOverWhatIsThere(t *testing.T) {
	root := makeTree(t, "a/1", "a/link -> 1")
	to := makeTree(t, "a/old", "a/1", "a/link")
	if err := root.CopyTree(t.Context(), to, nil); !errors.Is(err, fs.ErrExist) {
		t.Errorf("without Merge: got %v", err)
	}
	if err := to.Join("a/1").WriteText(t.Context(), "other", nil); err != nil {
		t.Fatal(err)
	}
	if err := root.CopyTree(t.Context(), to, &CopyOptions{Merge: true}); err != nil {
		t.Fatal(err)
	}
	if got := contentOf(t, to.Join("a/1")); got != "a/1" {
		t.Errorf("got %q", got)
	}
	if target, err := to.Join("a/link").Readlink(t.Context()); target != "1" || err != nil {
		t.Errorf("the link: %q, %v", target, err)
	}
	if got := contentOf(t, to.Join("a/old")); got != "a/old" {
		t.Errorf("got %q", got)
	}
}

func TestCopyTreeIntoItselfIsRefused(t *testing.T) {
	root := makeTree(t, "a/1")
	for _, to := range []Path{root, root.Join("new"), root.Join("a/b")} {
		if err := root.CopyTree(t.Context(), to, nil); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("%s: got %v", to, err)
		}
	}
}

func TestCopyTreeStopsAtTheFirstError(t *testing.T) {
	root := makeTree(t, "a/1", "b/2", "c/3")
	to := makeTree(t, "b/2/is a directory")
	err := root.CopyTree(t.Context(), to, &CopyOptions{Merge: true})
	var op *trigo.OpError
	if !errors.As(err, &op) || op.Op != "copy tree" || op.Layer != layerOf(root.Join("b/2")) {
		t.Errorf("got %v", err)
	}
}

func TestMoveWithinAndAcrossFileSystems(t *testing.T) {
	here := makeTree(t, "dir/a/1", "file", "link -> file")
	for _, there := range []Path{Path(t.TempDir()), otherFileSystem(t, here)} {
		if there == "" {
			t.Log("there is no other file system to move to")
			continue
		}
		for _, name := range []string{"dir", "file", "link"} {
			if err := here.Join(name).Move(t.Context(), there.Join(name)); err != nil {
				t.Fatal(err)
			}
			if _, err := os.Lstat(string(here.Join(name))); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s is still there: %v", name, err)
			}
		}
		if got := contentOf(t, there.Join("dir/a/1")); got != "dir/a/1" {
			t.Errorf("got %q", got)
		}
		if target, err := there.Join("link").Readlink(t.Context()); target != "file" || err != nil {
			t.Errorf("the link: %q, %v", target, err)
		}
		here = there
	}
}

// otherFileSystem makes a directory that nothing in p can be renamed into, or returns
// nothing.
func otherFileSystem(t *testing.T, p Path) Path {
	t.Helper()
	for _, base := range []string{"/dev/shm", "/var/tmp", "/tmp"} {
		dir, err := os.MkdirTemp(base, "trigo-move-")
		if err != nil {
			continue
		}
		t.Cleanup(func() { os.RemoveAll(dir) })
		if _, err := p.Join("file").Rename(t.Context(), Path(dir).Join("probe")); isOtherDevice(err) {
			return Path(dir)
		} else if err == nil {
			os.Rename(string(Path(dir).Join("probe")), string(p.Join("file")))
		}
	}
	return ""
}

func TestMoveOfATreeDoesNotReplace(t *testing.T) {
	here := makeTree(t, "dir/1", "file")
	there := otherFileSystem(t, here)
	if there == "" {
		t.Skip("there is no other file system to move to")
	}
	if err := there.Join("dir").Mkdir(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if err := here.Join("dir").Move(t.Context(), there.Join("dir")); !errors.Is(err, fs.ErrExist) {
		t.Errorf("got %v", err)
	}
}

func TestTreeCallsWithADeadContextTouchNothing(t *testing.T) {
	root := makeTree(t, "a/1")
	dead := deadCtxOf(t)
	to := Path(t.TempDir()).Join("to")
	for name, err := range map[string]error{
		"Copy":      root.Join("a/1").Copy(dead, to, nil),
		"CopyTree":  root.CopyTree(dead, to, nil),
		"Move":      root.Join("a").Move(dead, to),
		"RemoveAll": root.RemoveAll(dead),
	} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if got := below(t, root, walkAll(t, root, nil)); !slices.Equal(got, []string{"a", "a/1"}) {
		t.Errorf("left: %q", got)
	}
	if exists, _ := to.Exists(t.Context()); exists {
		t.Error("there is a target")
	}
}
