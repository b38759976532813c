package file

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func exists(path Path) bool {
	_, err := os.Lstat(string(path))
	return err == nil
}

func TestTemporaryFileIsGoneWhenItsFunctionReturns(t *testing.T) {
	dir := Path(t.TempDir())
	why := errors.New("why")
	for name, end := range map[string]func(ctx context.Context) error{
		"returns": func(context.Context) error { return nil },
		"fails":   func(context.Context) error { return why },
		"panics":  func(context.Context) error { panic(why) },
	} {
		var path Path
		ctx, cancel := context.WithCancel(t.Context())
		err := func() (err error) {
			defer func() {
				if p := recover(); p != nil {
					err = p.(error)
				}
			}()
			return Temp(ctx, dir, "some-*.txt", func(ctx context.Context, f *File) error {
				path = f.Path()
				base := filepath.Base(string(path))
				if !exists(path) || !strings.HasPrefix(base, "some-") || !strings.HasSuffix(base, ".txt") {
					t.Errorf("%s: the file is %q", name, path)
				}
				if err := f.SendAll(ctx, []byte("x")); err != nil {
					t.Error(err)
				}
				cancel()
				return end(ctx)
			})
		}()
		if name == "returns" && err != nil || name != "returns" && !errors.Is(err, why) {
			t.Errorf("%s: err = %v", name, err)
		}
		if exists(path) {
			t.Errorf("%s: the file is still there", name)
		}
	}
}

func TestTemporaryDirectoryIsGoneWhenItsFunctionReturns(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var path Path
	err := TempDir(ctx, Path(t.TempDir()), "", func(ctx context.Context, dir Path) error {
		path = dir
		if err := os.MkdirAll(filepath.Join(string(dir), "a", "b"), 0o755); err != nil {
			t.Error(err)
		}
		if err := WriteAtomic(ctx, dir+"/a/file", []byte("x"), nil); err != nil {
			t.Error(err)
		}
		cancel()
		return nil
	})
	if err != nil || exists(path) {
		t.Errorf("err = %v, exists %v", err, exists(path))
	}
}

func TestTemporaryFilesWithAHandle(t *testing.T) {
	f, err := OpenTemp(t.Context(), Path(t.TempDir()), "x")
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := f.Close(deadCtxOf(t)); err != nil || exists(f.Path()) {
			t.Errorf("close: %v, exists %v", err, exists(f.Path()))
		}
	}
	f, err = OpenTemp(t.Context(), Path(t.TempDir()), "x")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(string(f.Path())); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(t.Context()); err != nil {
		t.Errorf("after somebody else has removed it: %v", err)
	}
	dir, err := MakeTempDir(t.Context(), Path(t.TempDir()), "x")
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := dir.Close(deadCtxOf(t)); err != nil || exists(dir.Path()) {
			t.Errorf("close: %v, exists %v", err, exists(dir.Path()))
		}
	}
}

func TestTemporaryFileThatCannotBeMade(t *testing.T) {
	nowhere := Path(filepath.Join(t.TempDir(), "no"))
	if _, err := OpenTemp(t.Context(), nowhere, "x"); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), string(nowhere)) {
		t.Errorf("file: %v", err)
	}
	if _, err := MakeTempDir(t.Context(), nowhere, "x"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("directory: %v", err)
	}
	dir := Path(t.TempDir())
	if err := Temp(deadCtxOf(t), dir, "x", nil); !errors.Is(err, context.Canceled) {
		t.Errorf("dead ctx: %v", err)
	}
	if err := TempDir(deadCtxOf(t), dir, "x", nil); !errors.Is(err, context.Canceled) {
		t.Errorf("dead ctx: %v", err)
	}
	if names := listing(t, dir+"/x"); len(names) != 0 {
		t.Errorf("there is %q", names)
	}
}
