package rows

import (
	"bufio"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/bmatcuk/doublestar/v4"
	"github.com/charlievieth/fastwalk"

	"trigo/file"
)

func fileRows() []Row {
	rows := []Row{}
	for _, size := range []int{4 << 10, 64 << 10, 1 << 20} {
		rows = append(rows, Row{Name: fmt.Sprintf("a file of %d KiB, read whole", size>>10), Setup: func(s *Scope) []Contestant {
			return wholeReads(s, size)
		}})
	}
	rows = append(rows,
		Row{Name: "a file of 1 MiB, read in lines", Setup: lineReads},
		Row{Name: "a file of 16 MiB, copied", Setup: copies},
	)
	for _, files := range []int{1_000, 10_000, 100_000} {
		rows = append(rows,
			Row{Name: fmt.Sprintf("a tree of %d files, walked", files), Setup: func(s *Scope) []Contestant {
				return walks(s, s.Pick(min(files, 2_000), files))
			}},
			Row{Name: fmt.Sprintf("a tree of %d files, **/*.go", files), Setup: func(s *Scope) []Contestant {
				return globs(s, s.Pick(min(files, 2_000), files))
			}},
		)
	}
	for _, files := range []int{1_000, 5_000, 20_000} {
		rows = append(rows, Row{Name: fmt.Sprintf("a tree of %d files, removed", files), Setup: func(s *Scope) []Contestant {
			return removals(s, s.Pick(1_000, files))
		}})
	}
	return rows
}

// scratch makes a file.
func scratch(s *Scope, data []byte) string {
	path := filepath.Join(s.Dir(), "file")
	Must(os.WriteFile(path, data, 0o600))
	return path
}

func wholeReads(s *Scope, size int) []Contestant {
	path := scratch(s, make([]byte, size))
	limit := 0.0
	if size == 4<<10 {
		limit = 1.05
	}
	return []Contestant{{Name: "trigo", Work: func(n int) {
		for range n {
			MustGet(file.Path(path).ReadBytes(s.Ctx))
		}
	}}, {Name: "os.ReadFile", Fewer: true, Limit: limit, Work: func(n int) {
		for range n {
			MustGet(os.ReadFile(path))
		}
	}}}
}

// lineReads make a string of each line.
func lineReads(s *Scope) []Contestant {
	const line = "a line of some length, as lines are in logs and such\n"
	path := scratch(s, []byte(strings.Repeat(line, 1<<20/len(line))))
	total := 0
	return []Contestant{{Name: "trigo", Work: func(n int) {
		for range n {
			f := MustGet(file.OpenText(s.Ctx, file.Path(path), "r", nil))
			for line, err := range f.Lines(s.Ctx) {
				Must(err)
				total += len(line)
			}
			Must(f.Close(s.Ctx))
		}
	}}, {Name: "bufio.Scanner", Fewer: true, Work: func(n int) {
		for range n {
			f := MustGet(os.Open(path))
			lines := bufio.NewScanner(f)
			for lines.Scan() {
				total += len(lines.Text())
			}
			Must(lines.Err())
			f.Close()
		}
	}}}
}

func copies(s *Scope) []Contestant {
	path := scratch(s, make([]byte, 16<<20))
	return []Contestant{{Name: "trigo", Work: func(n int) {
		for range n {
			Must(file.Path(path).Copy(s.Ctx, file.Path(path+".ours"), nil))
		}
	}}, {Name: "io.Copy of os.File", Fewer: true, Work: func(n int) {
		for range n {
			in, out := MustGet(os.Open(path)), MustGet(os.Create(path+".theirs"))
			MustGet(io.Copy(out, in))
			in.Close()
			Must(out.Close())
		}
	}}}
}

// tree makes a tree of files, twenty in each directory.
func tree(root string, files int) {
	for d := range files / 20 {
		dir := filepath.Join(root, fmt.Sprintf("%02d", d%70), fmt.Sprint(d))
		Must(os.MkdirAll(dir, 0o700))
		for i := range 20 {
			name := []string{"main.go", "readme.md"}[i%2]
			Must(os.WriteFile(filepath.Join(dir, fmt.Sprint(i, name)), nil, 0o600))
		}
	}
}

// found ends the row if somebody has not seen as much as the first.
type found struct{ want int }

func (f *found) is(n int) {
	if f.want == 0 {
		f.want = n
	}
	if n != f.want {
		Must(fmt.Errorf("found %d and %d", f.want, n))
	}
}

func walks(s *Scope, files int) []Contestant {
	root := s.Dir()
	tree(root, files)
	var all found
	return []Contestant{{Name: "trigo", Work: func(n int) {
		for range n {
			seen := 1 // the root
			for _, err := range file.Path(root).Walk(s.Ctx, nil) {
				Must(err)
				seen++
			}
			all.is(seen)
		}
	}}, {Name: "filepath.WalkDir", Fewer: true, Limit: 1 / 1.5, Work: func(n int) {
		for range n {
			seen := 0
			Must(filepath.WalkDir(root, func(_ string, _ fs.DirEntry, err error) error {
				seen++
				return err
			}))
			all.is(seen)
		}
	}}, {Name: "fastwalk", Fewer: true, Work: func(n int) {
		for range n {
			var seen atomic.Int64
			Must(fastwalk.Walk(nil, root, func(_ string, _ fs.DirEntry, err error) error {
				seen.Add(1)
				return err
			}))
			all.is(int(seen.Load()))
		}
	}}}
}

func globs(s *Scope, files int) []Contestant {
	root := s.Dir()
	tree(root, files)
	var all found
	return []Contestant{{Name: "trigo", Work: func(n int) {
		for range n {
			seen := 0
			for _, err := range file.Path(root).Glob(s.Ctx, "**/*.go", nil) {
				Must(err)
				seen++
			}
			all.is(seen)
		}
	}}, {Name: "doublestar", Fewer: true, Limit: 1 / 1.5, Work: func(n int) {
		for range n {
			seen := 0
			Must(doublestar.GlobWalk(os.DirFS(root), "**/*.go", func(string, fs.DirEntry) error {
				seen++
				return nil
			}))
			all.is(seen)
		}
	}}, {Name: "filepath.WalkDir", Fewer: true, Limit: 1 / 1.5, Work: func(n int) {
		for range n {
			seen := 0
			Must(filepath.WalkDir(root, func(_ string, e fs.DirEntry, err error) error {
				if strings.HasSuffix(e.Name(), ".go") {
					seen++
				}
				return err
			}))
			all.is(seen)
		}
	}}}
}

// removals make a tree for each round, which is not timed.
func removals(s *Scope, files int) []Contestant {
	root := filepath.Join(s.Dir(), "tree")
	timed := func(remove func() error) func() float64 {
		return func() float64 {
			tree(root, files)
			start := time.Now()
			Must(remove())
			return float64(time.Since(start))
		}
	}
	return []Contestant{
		{Name: "trigo", Measure: timed(func() error { return file.Path(root).RemoveAll(s.Ctx) })},
		{Name: "os.RemoveAll", Fewer: true, Limit: 1, Measure: timed(func() error { return os.RemoveAll(root) })},
	}
}
