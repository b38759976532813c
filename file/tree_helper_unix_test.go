//go:build unix

package file

import (
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

var errNotDir error = syscall.ENOTDIR

// anyName says that a name can be any bytes.
const anyName = runtime.GOOS == "linux"

// forbid makes a directory that cannot be read, until the test ends. Root can read
// everything: then the test runs as somebody else.
func forbid(t *testing.T, dir Path) {
	t.Helper()
	if err := os.Chmod(string(dir), 0); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Chmod(string(dir), 0o777) })
	if os.Geteuid() == 0 {
		becomeSomebody(t, dir)
	}
}

// deepTree makes directories within each other, and a file in the last.
func deepTree(t *testing.T, depth int) Path {
	t.Helper()
	root := t.TempDir() + "/deep"
	if err := os.Mkdir(root, 0o777); err != nil {
		t.Fatal(err)
	}
	at, err := os.OpenRoot(root)
	if err != nil {
		t.Fatal(err)
	}
	name := strings.Repeat("n", 10)
	for range depth {
		if err := at.Mkdir(name, 0o777); err != nil {
			t.Fatal(err)
		}
		next, err := at.OpenRoot(name)
		at.Close()
		if err != nil {
			t.Fatal(err)
		}
		at = next
	}
	defer at.Close()
	if err := at.WriteFile("file", nil, 0o666); err != nil {
		t.Fatal(err)
	}
	return Path(root)
}

// becomeSomebody makes this process, until the test ends, one that may not read
// everything, but may read what is below the temporary directory of the test.
func becomeSomebody(t *testing.T, dir Path) {
	t.Helper()
	for _, above := range dir.Parents() {
		if above.Equal(Path(os.TempDir())) {
			break
		}
		if err := os.Chmod(string(above), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	const nobody, unchanged = 65534, -1
	if err := syscall.Setreuid(unchanged, nobody); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Setreuid(unchanged, 0); err != nil {
			t.Fatal(err)
		}
	})
}
