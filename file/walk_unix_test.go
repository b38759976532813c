//go:build unix

package file

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"trigo"
)

// makeTree makes files, and directories where a name ends with a slash, and
// links where it has the form "name -> target". It returns the root.
func makeTree(tb testing.TB, names ...string) Path {
	tb.Helper()
	root := tb.TempDir()
	for _, name := range names {
		name, target, isLink := strings.Cut(name, " -> ")
		full := filepath.Join(root, name)
		err := os.MkdirAll(filepath.Dir(full), 0o777)
		switch {
		case err != nil:
		case isLink:
			err = os.Symlink(target, full)
		case strings.HasSuffix(name, "/"):
			err = os.MkdirAll(full, 0o777)
		default:
			err = os.WriteFile(full, []byte(name), 0o666)
		}
		if err != nil {
			tb.Fatal(err)
		}
	}
	return Path(root)
}

// wideTree makes dirs directories, some within each other, with files in each.
func wideTree(tb testing.TB, dirs, files int) Path {
	tb.Helper()
	root := tb.TempDir()
	for i := range dirs {
		dir := filepath.Join(root, fmt.Sprintf("d%02d", i%70), fmt.Sprintf("e%03d", i/70))
		if err := os.MkdirAll(dir, 0o777); err != nil {
			tb.Fatal(err)
		}
		for j := range files {
			f, err := os.Create(filepath.Join(dir, fmt.Sprintf("file-%03d.%s", j, []string{"go", "txt"}[j%2])))
			if err != nil {
				tb.Fatal(err)
			}
			f.Close()
		}
	}
	return Path(root)
}

// below collects paths, relative to root, sorted.
func below(t *testing.T, root Path, paths []Path) []string {
	t.Helper()
	var all []string
	for _, p := range paths {
		rel, err := p.RelativeTo(root)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, string(rel))
	}
	slices.Sort(all)
	return all
}

// walkAll collects what a walk tells, in its order.
func walkAll(t *testing.T, root Path, opts *WalkOptions) (paths []Path) {
	t.Helper()
	for e, err := range root.Walk(t.Context(), opts) {
		if err != nil {
			t.Fatal(err)
		}
		paths = append(paths, e.Path)
	}
	return paths
}

func stdlibWalk(t *testing.T, root Path) (paths []Path) {
	t.Helper()
	err := filepath.WalkDir(string(root), func(path string, _ fs.DirEntry, err error) error {
		if path != string(root) {
			paths = append(paths, Path(path))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

func TestWalkFindsEverythingOnceAndDirectoriesFirst(t *testing.T) {
	root := wideTree(t, 150, 5)
	for _, workers := range []int{0, 1, 4} {
		got := walkAll(t, root, &WalkOptions{Workers: workers})
		if want := stdlibWalk(t, root); !slices.Equal(below(t, root, got), below(t, root, want)) {
			t.Fatalf("%d workers: found %d, package filepath %d", workers, len(got), len(want))
		}
		seen := map[Path]bool{root: true}
		for _, p := range got {
			if !seen[p.Parent()] {
				t.Fatalf("%s came before its directory", p)
			}
			seen[p] = true
		}
	}
}

func TestWalkBottomUpTellsADirectoryLast(t *testing.T) {
	root := wideTree(t, 150, 3)
	for _, workers := range []int{0, 1, 4} {
		got := walkAll(t, root, &WalkOptions{BottomUp: true, Workers: workers})
		if want := stdlibWalk(t, root); !slices.Equal(below(t, root, got), below(t, root, want)) {
			t.Fatalf("%d workers: found %d, package filepath %d", workers, len(got), len(want))
		}
		told := map[Path]bool{}
		for _, p := range got {
			if told[p.Parent()] {
				t.Fatalf("%s came after its directory", p)
			}
			told[p] = true
		}
	}
}

func TestWalkEntersOnlyWhereItIsTold(t *testing.T) {
	root := makeTree(t, "a/x/1", "a/y/2", "skip/3", "b/skip/z/4", "c/")
	for _, bottomUp := range []bool{false, true} {
		got := walkAll(t, root, &WalkOptions{BottomUp: bottomUp, Enter: func(dir Entry) bool { return dir.Name() != "skip" }})
		want := []string{"a", "a/x", "a/x/1", "a/y", "a/y/2", "b", "b/skip", "c", "skip"}
		if got := below(t, root, got); !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestWalkTellsTypes(t *testing.T) {
	root := makeTree(t, "dir/", "file", "link -> dir", "dangling -> nowhere")
	types := map[string]fs.FileMode{}
	for e, err := range root.Walk(t.Context(), nil) {
		if err != nil {
			t.Fatal(err)
		}
		types[e.Name()] = e.Type
		if e.IsDir() != (e.Name() == "dir") || e.IsFile() != (e.Name() == "file") || e.IsSymlink() == (e.IsDir() || e.IsFile()) {
			t.Errorf("wrong answers about %s", e.Name())
		}
	}
	want := map[string]fs.FileMode{"dir": fs.ModeDir, "file": 0, "link": fs.ModeSymlink, "dangling": fs.ModeSymlink}
	if fmt.Sprint(types) != fmt.Sprint(want) {
		t.Errorf("got %v", types)
	}
}

func TestWalkFollowsLinksWhenAskedAndNeverInCircles(t *testing.T) {
	root := makeTree(t, "a/b/file", "a/b/up -> ../..", "a/self -> .", "other/x", "link -> other", "dangling -> nowhere")
	got := below(t, root, walkAll(t, root, &WalkOptions{FollowSymlinks: true}))
	want := []string{"a", "a/b", "a/b/file", "a/b/up", "a/self", "dangling", "link", "link/x", "other", "other/x"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := walkAll(t, root, nil); len(got) != 9 {
		t.Errorf("without following: got %q", got)
	}
}

func TestWalkOfADirectoryGivenInManyWays(t *testing.T) {
	root := makeTree(t, "a/b")
	t.Chdir(string(root))
	for given, want := range map[Path][]Path{
		"":                  {"a", "a/b"},
		".":                 {"a", "a/b"},
		"a/":                {"a/b"},
		"./a/../a":          {"a/../a/b"},
		Path(root + "//a/"): {root + "/a/b"},
	} {
		if got := walkAll(t, given, nil); !slices.Equal(got, want) {
			t.Errorf("%q: got %q, want %q", given, got, want)
		}
	}
}

func TestWalkGoesOnPastADirectoryThatCannotBeRead(t *testing.T) {
	root := makeTree(t, "a/1", "locked/2", "z/3")
	forbid(t, root.Join("locked"))
	var paths, failed []Path
	for e, err := range root.Walk(t.Context(), nil) {
		if err != nil {
			var op *trigo.OpError
			if !errors.Is(err, fs.ErrPermission) || !errors.As(err, &op) || op.Op != "walk" || op.Layer != layerOf(e.Path) {
				t.Errorf("got %v", err)
			}
			failed = append(failed, e.Path)
			continue
		}
		paths = append(paths, e.Path)
	}
	if got := below(t, root, paths); !slices.Equal(got, []string{"a", "a/1", "locked", "z", "z/3"}) {
		t.Errorf("got %q", got)
	}
	if got := below(t, root, failed); !slices.Equal(got, []string{"locked"}) {
		t.Errorf("failed: %q", got)
	}
}

func TestWalkOfWhatIsNoDirectoryIsOneError(t *testing.T) {
	root := makeTree(t, "file")
	for p, want := range map[Path]error{root.Join("gone"): fs.ErrNotExist, root.Join("file"): errNotDir} {
		var errs []error
		for _, err := range p.Walk(t.Context(), nil) {
			errs = append(errs, err)
		}
		if len(errs) != 1 || !errors.Is(errs[0], want) {
			t.Errorf("%s: got %v", p, errs)
		}
	}
}

func TestWalkWithADeadContextTouchesNothing(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	cause := errors.New("enough")
	cancel(cause)
	var errs []error
	for _, err := range Path("/nonexistent").Walk(ctx, nil) {
		errs = append(errs, err)
	}
	if len(errs) != 1 || !errors.Is(errs[0], context.Canceled) || !errors.Is(errs[0], cause) || errors.Is(errs[0], fs.ErrNotExist) {
		t.Errorf("got %v", errs)
	}
}

func TestACancelInMidWalkEndsItAndLeavesNothing(t *testing.T) {
	root := wideTree(t, 80, 10)
	for _, bottomUp := range []bool{false, true} {
		for after := range 50 {
			ctx, cancel := context.WithCancel(t.Context())
			var count int
			var last error
			for _, err := range root.Walk(ctx, &WalkOptions{BottomUp: bottomUp}) {
				if last != nil {
					t.Fatal("it went on after the error")
				}
				if last = err; err == nil {
					if count++; count == after*17 {
						cancel()
					}
				}
			}
			if after > 0 && (!errors.Is(last, context.Canceled) || count != after*17) {
				t.Fatalf("cancelled after %d: got %d entries and then %v", after*17, count, last)
			}
			cancel()
		}
	}
	// That no goroutine and no descriptor is left is seen by TestMain.
}

func TestALoopThatBreaksOrPanicsLeavesNothing(t *testing.T) {
	root := wideTree(t, 80, 10)
	for _, bottomUp := range []bool{false, true} {
		for n := range 30 {
			count := 0
			for range root.Walk(t.Context(), &WalkOptions{BottomUp: bottomUp}) {
				if count++; count > n*11 {
					break
				}
			}
		}
	}
	func() {
		defer func() {
			if r := recover(); r != "stop" {
				t.Errorf("recovered %v", r)
			}
		}()
		for range root.Walk(t.Context(), nil) {
			panic("stop")
		}
	}()
}

func TestWalkOfATreeDeeperThanAnyPath(t *testing.T) {
	const depth = 900 // with names of 10 characters, more than twice the longest path
	root := deepTree(t, depth)
	for _, opts := range []*WalkOptions{nil, {BottomUp: true}, {FollowSymlinks: true}} {
		got := walkAll(t, root, opts)
		if len(got) != depth+1 {
			t.Errorf("found %d", len(got))
		}
	}
	if err := root.RemoveAll(t.Context()); err != nil {
		t.Error(err)
	}
	if ok, err := root.Exists(t.Context()); ok || err != nil {
		t.Errorf("it is still there: %v", err)
	}
}

func TestWalkOfNamesThatAreNotUTF8(t *testing.T) {
	if !anyName {
		t.Skip("names are Unicode on this system")
	}
	root := makeTree(t, "\xff\xfe/\x80", "ok/ä")
	got := below(t, root, walkAll(t, root, nil))
	if want := []string{"ok", "ok/ä", "\xff\xfe", "\xff\xfe/\x80"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestWalkStreamsAHugeDirectory(t *testing.T) {
	root := wideTree(t, 1, 3*batchSize)
	seen := map[Path]bool{}
	for e, err := range root.Walk(t.Context(), nil) {
		if err != nil || seen[e.Path] {
			t.Fatalf("%s: %v", e.Path, err)
		}
		seen[e.Path] = true
	}
	if want := 3*batchSize + 2; len(seen) != want {
		t.Errorf("found %d, want %d", len(seen), want)
	}
}
