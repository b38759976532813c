package file

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func rooted(t *testing.T) (r *Rooted, outside Path) {
	t.Helper()
	dir := t.TempDir()
	secret := filepath.Join(dir, "secret")
	if err := os.WriteFile(secret, []byte("secret"), 0o644); err != nil {
		t.Fatal(err)
	}
	inside := filepath.Join(dir, "root")
	if err := os.Mkdir(inside, 0o755); err != nil {
		t.Fatal(err)
	}
	r, err := OpenRooted(t.Context(), Path(inside))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(context.Background()) })
	return r, Path(secret)
}

func TestNoPathLeadsOutOfARoot(t *testing.T) {
	ctx := t.Context()
	r, outside := rooted(t)
	if err := r.Symlink(ctx, outside, "link"); err != nil {
		t.Skipf("no symbolic links here: %v", err)
	}
	if err := r.Symlink(ctx, "..", "up"); err != nil {
		t.Fatal(err)
	}
	for _, name := range []Path{"../secret", outside, "link", "up/secret", "a/../../secret"} {
		_, openErr := r.Open(ctx, name, "r+")
		_, textErr := r.OpenText(ctx, name, "r", nil)
		_, readErr := r.ReadBytes(ctx, name)
		_, statErr := r.Stat(ctx, name)
		for what, err := range map[string]error{
			"open": openErr, "text": textErr, "read": readErr, "stat": statErr,
			"write": r.WriteBytes(ctx, name, []byte("x"), 0o644),
			"chmod": r.Chmod(ctx, name, 0o600),
			"link":  r.Rename(ctx, name, "stolen/x"),
		} {
			if err == nil {
				t.Errorf("%s of %q leads out", what, name)
			}
		}
	}
	if got := contentOf(t, outside); got != "secret" {
		t.Errorf("the file outside has %q", got)
	}
}

func TestRootedOperations(t *testing.T) {
	ctx := t.Context()
	r, _ := rooted(t)
	must := func(what string, err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
	must("mkdir", r.Mkdir(ctx, "d", 0o755))
	must("mkdir all", r.MkdirAll(ctx, "d/e/f", 0o755))
	must("write", r.WriteBytes(ctx, "d/one", []byte("one"), 0o644))
	must("rename", r.Rename(ctx, "d/one", "d/two"))
	must("link", r.Link(ctx, "d/two", "d/three"))
	must("chmod", r.Chmod(ctx, "d/two", 0o600))
	when := time.Unix(1_000_000_000, 0)
	must("times", r.Chtimes(ctx, "d/two", when, when))
	info, err := r.Stat(ctx, "d/three")
	must("stat", err)
	if info.Mode().Perm() != 0o600 || !info.ModTime().Equal(when) {
		t.Errorf("it is %v of %v", info.Mode(), info.ModTime())
	}
	must("chown", r.Chown(ctx, "d/two", -1, -1))
	must("symlink", r.Symlink(ctx, "two", "d/link"))
	must("lchown", r.Lchown(ctx, "d/link", -1, -1))
	if target, err := r.Readlink(ctx, "d/link"); target != "two" || err != nil {
		t.Errorf("the link points to %q, %v", target, err)
	}
	if info, err := r.Lstat(ctx, "d/link"); err != nil || info.Mode()&fs.ModeSymlink == 0 {
		t.Errorf("lstat: %v, %v", info, err)
	}
	f, err := r.Open(ctx, "d/link", "a+")
	must("open", err)
	must("send", f.SendAll(ctx, []byte("+")))
	must("close", f.Close(ctx))
	text, err := r.OpenText(ctx, "d/two", "r", nil)
	must("open text", err)
	if s, err := text.ReadAll(ctx); s != "one+" || err != nil {
		t.Errorf("read %q, %v", s, err)
	}
	must("close", text.Close(ctx))
	sub, err := r.OpenRooted(ctx, "d")
	must("open directory", err)
	if b, err := sub.ReadBytes(ctx, "three"); string(b) != "one+" || err != nil {
		t.Errorf("read %q, %v", b, err)
	}
	must("close", sub.Close(ctx))
	if b, err := fs.ReadFile(r.FS(), "d/three"); string(b) != "one+" || err != nil {
		t.Errorf("read %q, %v", b, err)
	}
	must("remove", r.Remove(ctx, "d/three"))
	must("remove all", r.RemoveAll(ctx, "d"))
	if _, err := r.Stat(ctx, "d"); !errors.Is(err, fs.ErrNotExist) || strings.Count(err.Error(), "stat") != 1 {
		t.Errorf("after all: %v", err)
	}
	dead := deadCtxOf(t)
	if err := r.WriteBytes(dead, "x", nil, 0o644); !errors.Is(err, context.Canceled) {
		t.Errorf("dead ctx: %v", err)
	}
	must("close", r.Close(dead))
	must("close again", r.Close(dead))
	if _, err := r.Stat(ctx, "."); !errors.Is(err, os.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
}
