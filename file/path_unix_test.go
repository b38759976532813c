//go:build unix

package file

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"trigo"
)

func TestPathAnswersAsTheFlavourOfThisSystem(t *testing.T) {
	p := Path("dir//a.tar.gz")
	q, err := p.WithSuffix(".xz")
	if err != nil || q != Path("dir").Join("a.tar.xz") || p.Name() != "a.tar.gz" || p.Stem() != "a.tar" || p.Suffix() != ".gz" ||
		!slices.Equal(p.Suffixes(), []string{".tar", ".gz"}) || !slices.Equal(p.Parts(), []string{"dir", "a.tar.gz"}) ||
		p.Parent() != "dir" || !slices.Equal(p.Parents(), []Path{"dir", "."}) || p.IsAbsolute() || p.Anchor() != "" {
		t.Errorf("%q: got %q, %v", p, q, err)
	}
	if rel, err := p.RelativeTo("dir"); rel != "a.tar.gz" || err != nil || !p.IsRelativeTo("dir/.") || !p.Equal("dir/a.tar.gz") {
		t.Errorf("got %q, %v", rel, err)
	}
	if ok, err := p.Match("*.gz"); !ok || err != nil || !p.FullMatch("**/*.gz") || p.AsPosix() != "dir/a.tar.gz" {
		t.Errorf("match: %v, %v", ok, err)
	}
}

func TestFactsAboutFiles(t *testing.T) {
	root := makeTree(t, "file", "dir/", "link -> file", "dirlink -> dir", "dangling -> nowhere", "loop -> loop")
	if err := syscall.Mkfifo(string(root.Join("fifo")), 0o666); err != nil {
		t.Fatal(err)
	}
	type facts struct{ exists, file, dir, symlink, fifo, socket, block, char, mount, junction bool }
	for name, want := range map[string]facts{
		"file":      {exists: true, file: true},
		"dir":       {exists: true, dir: true},
		"link":      {exists: true, file: true, symlink: true},
		"dirlink":   {exists: true, dir: true, symlink: true},
		"dangling":  {symlink: true},
		"loop":      {symlink: true},
		"fifo":      {exists: true, fifo: true},
		"gone":      {},
		"file/x":    {},
		"/dev/null": {exists: true, char: true},
		"/":         {exists: true, dir: true, mount: true},
		"/proc":     {exists: true, dir: true, mount: true},
	} {
		p := root.Join(name)
		if name == "/proc" {
			if _, err := os.Stat("/proc/self"); err != nil {
				continue
			}
		}
		ask := func(f func(context.Context) (bool, error)) bool {
			t.Helper()
			is, err := f(t.Context())
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if is, err := f(deadCtxOf(t)); is || !errors.Is(err, context.Canceled) {
				t.Errorf("%s with a dead ctx: %v, %v", name, is, err)
			}
			return is
		}
		got := facts{
			ask(p.Exists), ask(p.IsFile), ask(p.IsDir), ask(p.IsSymlink), ask(p.IsFIFO), ask(p.IsSocket),
			ask(p.IsBlockDevice), ask(p.IsCharDevice), ask(p.IsMount), ask(p.IsJunction),
		}
		if got != want {
			t.Errorf("%s: got %+v, want %+v", name, got, want)
		}
	}
}

func TestFactsThatCannotBeKnownAreErrors(t *testing.T) {
	root := makeTree(t, "locked/file")
	forbid(t, root.Join("locked"))
	if is, err := root.Join("locked/file").IsFile(t.Context()); is || !errors.Is(err, fs.ErrPermission) {
		t.Errorf("got %v, %v", is, err)
	}
}

func TestCallsWithADeadContextTouchNothing(t *testing.T) {
	root := makeTree(t, "file", "link -> file", "empty/")
	file, gone, ctx := root.Join("file"), root.Join("gone"), deadCtxOf(t)
	for name, err := range map[string]error{
		"Stat": last(gone.Stat(ctx)), "Lstat": last(gone.Lstat(ctx)), "Samefile": last(file.Samefile(ctx, file)),
		"Chmod": file.Chmod(ctx, 0), "LChmod": file.LChmod(ctx, 0), "Mkdir": gone.Mkdir(ctx, &MkdirOptions{Parents: true}),
		"Touch": gone.Touch(ctx, nil), "SymlinkTo": gone.SymlinkTo(ctx, file), "HardlinkTo": gone.HardlinkTo(ctx, file),
		"Readlink": last(root.Join("link").Readlink(ctx)), "Rename": last(file.Rename(ctx, gone)), "Replace": last(file.Replace(ctx, gone)),
		"Unlink": file.Unlink(ctx, &UnlinkOptions{MissingOK: true}), "Rmdir": root.Join("empty").Rmdir(ctx),
		"Owner": last(file.Owner(ctx)), "Group": last(file.Group(ctx)), "Home": last(Home(ctx)), "Cwd": last(Cwd(ctx)),
		"Expanduser": last(Path("~").Expanduser(ctx)), "Expanduser without a home": last(file.Expanduser(ctx)),
		"Absolute": last(Path("x").Absolute(ctx)), "Resolve": last(file.Resolve(ctx, nil)),
		"ReadBytes": last(file.ReadBytes(ctx)), "WriteBytes": gone.WriteBytes(ctx, nil),
		"ReadText": last(file.ReadText(ctx, nil)), "WriteText": gone.WriteText(ctx, "", nil),
	} {
		var op *trigo.OpError
		if !errors.Is(err, context.Canceled) || !errors.As(err, &op) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	for p, err := range root.Iterdir(ctx) {
		if p != "" || !errors.Is(err, context.Canceled) {
			t.Errorf("Iterdir: got %q, %v", p, err)
		}
	}
	if got := below(t, root, walkAll(t, root, nil)); !slices.Equal(got, []string{"empty", "file", "link"}) {
		t.Errorf("left: %q", got)
	}
	if info, err := file.Stat(t.Context()); err != nil || info.Mode().Perm() == 0 {
		t.Errorf("the permissions are %v, %v", info.Mode(), err)
	}
}

func TestMkdirWithParentsAndOverWhatIsThere(t *testing.T) {
	root := makeTree(t, "file")
	ctx := t.Context()
	deep := root.Join("a/b/c")
	if err := deep.Mkdir(ctx, nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without parents: %v", err)
	}
	if err := deep.Mkdir(ctx, &MkdirOptions{Mode: 0o750, Parents: true}); err != nil {
		t.Fatal(err)
	}
	if info, err := deep.Stat(ctx); err != nil || info.Mode().Perm() != 0o750 {
		t.Errorf("got %v, %v", info.Mode(), err)
	}
	if err := deep.Mkdir(ctx, &MkdirOptions{Parents: true}); !errors.Is(err, fs.ErrExist) {
		t.Errorf("again: %v", err)
	}
	if err := deep.Mkdir(ctx, &MkdirOptions{ExistOK: true}); err != nil {
		t.Errorf("again, and that is all right: %v", err)
	}
	if err := root.Join("file").Mkdir(ctx, &MkdirOptions{ExistOK: true}); !errors.Is(err, fs.ErrExist) {
		t.Errorf("over a file: %v", err)
	}
}

func TestTouchMakesAFileOrItsTimesNew(t *testing.T) {
	p := Path(t.TempDir()).Join("file")
	ctx := t.Context()
	if err := p.Touch(ctx, &TouchOptions{Mode: 0o640}); err != nil {
		t.Fatal(err)
	}
	if info, err := p.Stat(ctx); err != nil || info.Mode().Perm() != 0o640 || info.Size() != 0 {
		t.Errorf("got %v, %v", info, err)
	}
	old := time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC)
	if err := os.Chtimes(string(p), old, old); err != nil {
		t.Fatal(err)
	}
	if err := p.Touch(ctx, nil); err != nil {
		t.Fatal(err)
	}
	if info, err := p.Stat(ctx); err != nil || !info.ModTime().After(old) {
		t.Errorf("the time is still %v, %v", info.ModTime(), err)
	}
	if err := p.Touch(ctx, &TouchOptions{Exclusive: true}); !errors.Is(err, fs.ErrExist) {
		t.Errorf("exclusively: %v", err)
	}
}

func TestLinksRenamesAndRemovals(t *testing.T) {
	root := makeTree(t, "file", "dir/1")
	ctx := t.Context()
	file, soft, hard := root.Join("file"), root.Join("soft"), root.Join("hard")
	if err := errors.Join(soft.SymlinkTo(ctx, "file"), hard.HardlinkTo(ctx, file)); err != nil {
		t.Fatal(err)
	}
	if target, err := soft.Readlink(ctx); target != "file" || err != nil {
		t.Errorf("readlink: %q, %v", target, err)
	}
	for _, p := range []Path{soft, hard} {
		if same, err := p.Samefile(ctx, file); !same || err != nil {
			t.Errorf("%s: %v, %v", p, same, err)
		}
	}
	if _, err := file.Samefile(ctx, root.Join("gone")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("samefile: %v", err)
	}
	if to, err := hard.Rename(ctx, root.Join("new")); to != root.Join("new") || err != nil {
		t.Errorf("rename: %q, %v", to, err)
	}
	if to, err := root.Join("new").Replace(ctx, soft); to != soft || err != nil {
		t.Errorf("replace: %q, %v", to, err)
	}
	if is, err := soft.IsSymlink(ctx); is || err != nil {
		t.Errorf("it was not replaced: %v", err)
	}
	if err := soft.Unlink(ctx, nil); err != nil {
		t.Error(err)
	}
	if err := soft.Unlink(ctx, nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("unlink again: %v", err)
	}
	if err := soft.Unlink(ctx, &UnlinkOptions{MissingOK: true}); err != nil {
		t.Errorf("unlink again, and that is all right: %v", err)
	}
	if err := root.Join("dir").Unlink(ctx, nil); err == nil {
		t.Error("unlink removed a directory")
	}
	if err := root.Join("dir").Rmdir(ctx); err == nil {
		t.Error("rmdir removed what is not empty")
	}
	if err := errors.Join(root.Join("dir/1").Unlink(ctx, nil), root.Join("dir").Rmdir(ctx)); err != nil {
		t.Error(err)
	}
	if err := file.Rmdir(ctx); !errors.Is(err, syscall.ENOTDIR) {
		t.Errorf("rmdir of a file: %v", err)
	}
}

func TestChmodFollowsAndLChmodDoesNot(t *testing.T) {
	root := makeTree(t, "file", "link -> file")
	ctx := t.Context()
	mode := func() fs.FileMode {
		info, err := root.Join("file").Stat(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return info.Mode()
	}
	if err := root.Join("link").Chmod(ctx, 0o600|fs.ModeSticky); err != nil || mode() != 0o600|fs.ModeSticky {
		t.Errorf("got %v, %v", mode(), err)
	}
	if err := root.Join("file").LChmod(ctx, 0o640); err != nil || mode() != 0o640 {
		t.Errorf("got %v, %v", mode(), err)
	}
	if err := root.Join("link").LChmod(ctx, 0o777); err != nil && !errors.Is(err, errors.ErrUnsupported) || mode() != 0o640 {
		t.Errorf("got %v, %v", mode(), err)
	}
}

func TestOwnerAndGroup(t *testing.T) {
	p := makeTree(t, "file").Join("file")
	me, err := user.Current()
	if err != nil {
		t.Skip(err)
	}
	if name, err := p.Owner(t.Context()); name != me.Username || err != nil {
		t.Errorf("got %q, %v", name, err)
	}
	if _, err := p.Group(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := p.Join("x").Owner(t.Context()); !errors.Is(err, syscall.ENOTDIR) {
		t.Errorf("got %v", err)
	}
}

func TestExpanduser(t *testing.T) {
	t.Setenv("HOME", "/home/me/")
	root, err := user.LookupId("0")
	if err != nil {
		t.Skip(err)
	}
	for p, want := range map[Path]Path{
		"~": "/home/me", "~/a/b": "/home/me/a/b", "a/~": "a/~", "/~": "/~", "": ".", "./~": "/home/me",
		Path("~" + root.Username + "/x"): Path(root.HomeDir).Join("x"),
	} {
		if got, err := p.Expanduser(t.Context()); got != want || err != nil {
			t.Errorf("%q: got %q, %v", p, got, err)
		}
	}
	var unknown user.UnknownUserError
	if _, err := Path("~nobody by this name").Expanduser(t.Context()); !errors.As(err, &unknown) {
		t.Errorf("got %v", err)
	}
	if home, err := Home(t.Context()); home != "/home/me" || err != nil {
		t.Errorf("home: %q, %v", home, err)
	}
}

func TestResolveIsThatOfCPython(t *testing.T) {
	python := findPython(t)
	root := makeTree(t, "a/b/c/file", "link -> a/b", "abs -> /", "a/up -> ..", "loop -> loop", "ping -> pong", "pong -> ping/x",
		"chain -> link/c", "dangling -> nowhere/x", "a/b/back -> ../../link/../up/a", "\xff -> a")
	t.Chdir(string(root))
	paths := []Path{
		"", ".", "..", "a", "a/../a", "link", "link/..", "link/../..", "link/c/file", "abs", "abs/x", "a/up", "a/up/a/up", "loop", "loop/x", "ping", "ping/y",
		"chain", "chain/..", "dangling", "dangling/..", "gone", "gone/..", "gone/../a", "a/b/back", "a/b/back/b/back", "file/..", "a/b/c/file/x", "a/b/c/file/../x",
		"\xff/b", "/", "//", "//a", "/..", "/../x", "/proc/self/..", "abs/../link",
	}
	const script = `
import json, os, pathlib, sys
def resolve(p, strict):
    try: return os.fsencode(pathlib.Path(p).resolve(strict)).decode("latin-1")
    except OSError: return None
json.dump([[resolve(p, False), resolve(p, True)] for p in sys.argv[1:]], sys.stdout)
`
	cmd := exec.CommandContext(t.Context(), python, "-X", "utf8", "-c", script)
	for _, p := range paths {
		cmd.Args = append(cmd.Args, string(p))
	}
	answer, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var theirs [][2]any
	if err := json.Unmarshal(answer, &theirs); err != nil {
		t.Fatal(err)
	}
	for i, p := range paths {
		for j, opts := range []*ResolveOptions{nil, {Strict: true}} {
			got := first(p.Resolve(t.Context(), opts))
			if plain(got) != theirs[i][j] {
				t.Errorf("%q, %+v: got %q, CPython %q", p, opts, got, theirs[i][j])
			}
		}
	}
}

func TestAbsoluteKeepsDots(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	for p, want := range map[Path]Path{"a/../b": Path(dir) + "/a/../b", "": Path(dir), "/x/..": "/x/.."} {
		if got, err := p.Absolute(t.Context()); got != want || err != nil {
			t.Errorf("%q: got %q, %v", p, got, err)
		}
	}
	if got, err := Cwd(t.Context()); got != Path(dir) || err != nil {
		t.Errorf("cwd: %q, %v", got, err)
	}
}

func TestIterdirIsOneLevel(t *testing.T) {
	root := makeTree(t, "a/1", "b", ".c", "link -> a")
	var got []Path
	for p, err := range root.Iterdir(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, p)
	}
	if got := below(t, root, got); !slices.Equal(got, []string{".c", "a", "b", "link"}) {
		t.Errorf("got %q", got)
	}
	for p, err := range root.Join("gone").Iterdir(t.Context()) {
		if p != "" || !errors.Is(err, fs.ErrNotExist) || !strings.HasPrefix(err.Error(), "scandir ") {
			t.Errorf("got %q, %v", p, err)
		}
	}
}

func TestBytesAndTextAreReadAndWritten(t *testing.T) {
	p := Path(t.TempDir()).Join("file")
	ctx := t.Context()
	for _, size := range []int{0, 1, 511, 512, 4096, piece - 1, piece, piece + 1, 3*piece + 5} {
		data := bytes.Repeat([]byte{7, 8, 9}, size/3+1)[:size]
		if err := p.WriteBytes(ctx, data); err != nil {
			t.Fatal(err)
		}
		if got, err := p.ReadBytes(ctx); err != nil || !bytes.Equal(got, data) {
			t.Errorf("%d bytes: got %d, %v", size, len(got), err)
		}
	}
	if err := p.WriteText(ctx, "ä\n", &TextOptions{Encoding: "latin-1"}); err != nil {
		t.Fatal(err)
	}
	if got, err := p.ReadBytes(ctx); string(got) != "\xe4\n" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	if got, err := p.ReadText(ctx, &TextOptions{Encoding: "latin-1"}); got != "ä\n" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := p.Parent().ReadBytes(ctx); !errors.Is(err, syscall.EISDIR) {
		t.Errorf("a directory: %v", err)
	}
	if _, err := p.Join("x").ReadBytes(ctx); !errors.Is(err, syscall.ENOTDIR) {
		t.Errorf("below a file: %v", err)
	}
}

func TestReadBytesOfFilesThatDoNotTellTheirSize(t *testing.T) {
	const name = "/proc/self/status"
	if _, err := os.Stat(name); err != nil {
		t.Skip(err)
	}
	if got, err := Path(name).ReadBytes(t.Context()); err != nil || !bytes.Contains(got, []byte("Pid:")) {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestReadBytesOfAFIFOWaitsAndIsCancelled(t *testing.T) {
	p := Path(t.TempDir()).Join("fifo")
	if err := syscall.Mkfifo(string(p), 0o666); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	failed := make(chan error)
	go func() {
		_, err := p.ReadBytes(ctx)
		failed <- err
	}()
	cancel()
	if err := <-failed; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	read := make(chan string)
	go func() {
		data, err := p.ReadBytes(t.Context())
		if err != nil {
			t.Error(err)
		}
		read <- string(data)
	}()
	if err := p.WriteBytes(t.Context(), []byte("through the pipe")); err != nil {
		t.Fatal(err)
	}
	if got := <-read; got != "through the pipe" {
		t.Errorf("got %q", got)
	}
}
