package file

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"trigo"
)

// scratch returns the path of a file with the given content in a new directory.
func scratch(t testing.TB, content string) Path {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	return Path(path)
}

// contentOf returns what stands in a file.
func contentOf(t testing.TB, path Path) string {
	t.Helper()
	b, err := os.ReadFile(string(path))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func mustOpen(t testing.TB, path Path, mode string) *File {
	t.Helper()
	f, err := Open(t.Context(), path, mode)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close(context.Background()) })
	return f
}

func deadCtxOf(t testing.TB) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

// receiveAll receives up to the end.
func receiveAll(ctx context.Context, r trigo.ReceiveStream) (string, error) {
	var all strings.Builder
	for chunk, err := range trigo.Chunks(ctx, r) {
		if err != nil {
			return all.String(), err
		}
		all.Write(chunk)
	}
	return all.String(), nil
}

// plainReader makes an io.Reader of a File, with all that a reader may have.
type plainReader struct {
	t testing.TB
	f *File
}

func (r plainReader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	return r.f.ReceiveSome(r.t.Context(), p)
}
func (r plainReader) ReadAt(p []byte, off int64) (int, error) {
	return r.f.ReadAt(r.t.Context(), p, off)
}
func (r plainReader) Seek(off int64, whence int) (int64, error) {
	return r.f.Seek(r.t.Context(), off, whence)
}

var _ io.ReadSeeker = plainReader{}

// awaitParked waits until some goroutine waits for the poller in a call of the
// function with that name.
func awaitParked(t testing.TB, function string) {
	t.Helper()
	for start := time.Now(); !isParked(function); runtime.Gosched() {
		if time.Since(start) > 10*time.Second {
			t.Fatalf("nobody waits in %s", function)
		}
	}
}

func isParked(function string) bool {
	buf := make([]byte, 1<<20)
	for g := range strings.SplitSeq(string(buf[:runtime.Stack(buf, true)]), "\n\n") {
		if first, _, _ := strings.Cut(g, "\n"); strings.Contains(first, "[IO wait") && strings.Contains(g, function) {
			return true
		}
	}
	return false
}
