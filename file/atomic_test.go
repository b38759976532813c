package file

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"trigo"
	"trigo/trigotest"
)

// listing returns the names in the directory of path.
func listing(t testing.TB, path Path) []string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(string(path)))
	if err != nil {
		t.Fatal(err)
	}
	names := []string{}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestAtomicWriteReplacesTheContentAndKeepsThePermissions(t *testing.T) {
	for _, opts := range []*AtomicOptions{nil, {NoSync: true}, {Perm: 0o600}} {
		path := scratch(t, "old")
		if err := os.Chmod(string(path), 0o664); err != nil {
			t.Fatal(err)
		}
		if err := WriteAtomic(t.Context(), path, []byte("new"), opts); err != nil {
			t.Fatal(err)
		}
		if got := contentOf(t, path); got != "new" {
			t.Errorf("the file has %q", got)
		}
		info, err := os.Stat(string(path))
		if err != nil {
			t.Fatal(err)
		}
		want := fs.FileMode(0o664)
		if opts != nil && opts.Perm != 0 {
			want = opts.Perm
		}
		if got := info.Mode().Perm(); got != want && runtime.GOOS != "windows" {
			t.Errorf("the permissions are %v, want %v", got, want)
		}
		if names := listing(t, path); len(names) != 1 {
			t.Errorf("the directory has %q", names)
		}
	}
}

func TestAtomicWriteOfANewFileObeysTheUmask(t *testing.T) {
	path := Path(filepath.Join(t.TempDir(), "new"))
	if err := WriteAtomic(t.Context(), path, []byte("x"), nil); err != nil {
		t.Fatal(err)
	}
	other := Path(filepath.Join(t.TempDir(), "other"))
	if err := os.WriteFile(string(other), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	got, err := os.Stat(string(path))
	want, otherErr := os.Stat(string(other))
	if err != nil || otherErr != nil || got.Mode() != want.Mode() {
		t.Errorf("the mode is %v, that of a file written in the ordinary way %v", got.Mode(), want.Mode())
	}
}

func TestAtomicWriteThroughASymbolicLinkKeepsTheLink(t *testing.T) {
	path := scratch(t, "old")
	link := Path(filepath.Join(t.TempDir(), "link"))
	if err := os.Symlink(string(path), string(link)); err != nil {
		t.Skipf("no symbolic links here: %v", err)
	}
	if err := WriteAtomic(t.Context(), link, []byte("new"), nil); err != nil {
		t.Fatal(err)
	}
	if got := contentOf(t, path); got != "new" {
		t.Errorf("the file has %q", got)
	}
	if target, err := os.Readlink(string(link)); target != string(path) {
		t.Errorf("the link points to %q, %v", target, err)
	}
}

func TestAtomicFileThatIsNotCommittedIsGone(t *testing.T) {
	ctx := t.Context()
	path := scratch(t, "old")
	for name, end := range map[string]func(f *AtomicFile) error{
		"closed":              func(f *AtomicFile) error { return f.Close(ctx) },
		"closed, ctx dead":    func(f *AtomicFile) error { return f.Close(deadCtxOf(t)) },
		"committed, ctx dead": func(f *AtomicFile) error { return f.Commit(deadCtxOf(t)) },
	} {
		f, err := CreateAtomic(ctx, path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.SendAll(ctx, []byte("new")); err != nil {
			t.Fatal(err)
		}
		if err := end(f); err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
		if err := f.Close(ctx); err != nil {
			t.Errorf("%s: closing again: %v", name, err)
		}
		if err := f.Commit(ctx); !errors.Is(err, trigo.ErrClosed) {
			t.Errorf("%s: commit: %v", name, err)
		}
		if names := listing(t, path); len(names) != 1 || contentOf(t, path) != "old" {
			t.Errorf("%s: the directory has %q, the file %q", name, names, contentOf(t, path))
		}
	}
}

// Whoever is first decides: both must say the same, and nothing stays beside.
func TestCloseBesideCommitDiscardsAllOrNothing(t *testing.T) {
	ctx := t.Context()
	path := scratch(t, "old")
	for range 300 {
		if err := os.WriteFile(string(path), []byte("old"), 0o644); err != nil {
			t.Fatal(err)
		}
		f, err := CreateAtomic(ctx, path, &AtomicOptions{NoSync: true})
		if err != nil {
			t.Fatal(err)
		}
		if err := f.SendAll(ctx, []byte("new")); err != nil {
			t.Fatal(err)
		}
		ready, closed := make(chan struct{}), make(chan error, 1)
		var start atomic.Bool
		go func() {
			close(ready)
			for !start.Load() { // both start at the same moment
				runtime.Gosched()
			}
			closed <- f.Close(ctx)
		}()
		<-ready
		start.Store(true)
		err = f.Commit(ctx)
		if closing := <-closed; closing != nil {
			t.Fatalf("Close: %v", closing)
		}
		switch got := contentOf(t, path); {
		case err == nil && got != "new", err != nil && got != "old":
			t.Fatalf("Commit returned %v, and the file has %q", err, got)
		case err != nil && !errors.Is(err, trigo.ErrClosed):
			t.Fatalf("Commit: %v", err)
		}
		if names := listing(t, path); len(names) != 1 {
			t.Fatalf("the directory has %q", names)
		}
	}
}

func TestTextCanBeCommitted(t *testing.T) {
	ctx := t.Context()
	path := scratch(t, "old")
	f, err := CreateAtomic(ctx, path, nil)
	if err != nil {
		t.Fatal(err)
	}
	text, err := NewTextFile(ctx, f, &TextOptions{Encoding: "utf-16-be"})
	if err != nil {
		t.Fatal(err)
	}
	if err := text.WriteString(ctx, "hi"); err != nil {
		t.Fatal(err)
	}
	if _, err := text.Detach(ctx); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(f.Commit(ctx), f.Close(ctx)); err != nil {
		t.Fatal(err)
	}
	if got := contentOf(t, path); got != "\x00h\x00i" {
		t.Errorf("the file has %q", got)
	}
}

func TestAtomicWriteOfADirectoryOrIntoNowhereFails(t *testing.T) {
	if err := WriteAtomic(t.Context(), Path(t.TempDir()), nil, nil); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("a directory: %v", err)
	}
	if err := WriteAtomic(t.Context(), Path(filepath.Join(t.TempDir(), "no", "file")), nil, nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("into nowhere: %v", err)
	}
	if err := WriteAtomic(t.Context(), "", nil, nil); err == nil {
		t.Error("an empty path was written")
	}
}

func TestAtomicWriteOfALongNameWorks(t *testing.T) {
	path := Path(filepath.Join(t.TempDir(), strings.Repeat("n", 250)))
	if err := WriteAtomic(t.Context(), path, []byte("x"), nil); err != nil {
		t.Error(err)
	}
}

func TestCancelAtEveryPointOfAnAtomicWrite(t *testing.T) {
	path := scratch(t, "old")
	data := bytes.Repeat([]byte("new"), piece) // in three pieces
	trigotest.SweepCancel(t, func(ctx context.Context, s *trigotest.Sweep) error {
		if err := os.WriteFile(string(path), []byte("old"), 0o644); err != nil {
			return err
		}
		var result error
		s.Check(func(context.Context) error {
			got := contentOf(t, path)
			switch {
			case len(listing(t, path)) != 1:
				return errors.New("there is litter")
			case result == nil && got != string(data):
				return errors.New("it succeeded, and the file does not have the new content")
			case result != nil && got != "old":
				return errors.New("it failed, and the file does not have the old content")
			}
			return nil
		})
		return s.Call("WriteAtomic", func() error {
			result = WriteAtomic(ctx, path, data, &AtomicOptions{NoSync: true})
			return result
		})
	}, nil)
}
