//go:build unix

package file

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"trigo/internal/bench"
)

// The benchmarks of this file compare what trees do with package filepath and
// package os. TRIGO_SOAK=1 makes the tree one of 100,000 files in 5,000
// directories.
//
//	TRIGO_SOAK=1 go test -run '^$' -bench 'RatioTree' -benchtime 40x ./file

func benchTree(b *testing.B) Path {
	dirs, files := 250, 20
	if os.Getenv("TRIGO_SOAK") != "" {
		dirs = 5000
	}
	return wideTree(b, dirs, files)
}

func BenchmarkRatioTreeWalk(b *testing.B) {
	root := benchTree(b)
	ours, theirs := 0, 0
	ratio(b, func(n int) {
		for range n {
			ours = 0
			for _, err := range root.Walk(b.Context(), nil) {
				if err != nil {
					b.Fatal(err)
				}
				ours++
			}
		}
	}, func(n int) {
		for range n {
			theirs = -1 // the root
			err := filepath.WalkDir(string(root), func(_ string, _ fs.DirEntry, err error) error {
				theirs++
				return err
			})
			if err != nil {
				b.Fatal(err)
			}
		}
	})
	if ours != theirs {
		b.Errorf("found %d and %d", ours, theirs)
	}
}

func BenchmarkRatioTreeGlob(b *testing.B) {
	root := benchTree(b)
	ours, theirs := 0, 0
	ratio(b, func(n int) {
		for range n {
			ours = 0
			for _, err := range root.Glob(b.Context(), "**/*.go", nil) {
				if err != nil {
					b.Fatal(err)
				}
				ours++
			}
		}
	}, func(n int) {
		for range n {
			theirs = 0
			err := filepath.WalkDir(string(root), func(_ string, e fs.DirEntry, err error) error {
				if strings.HasSuffix(e.Name(), ".go") {
					theirs++
				}
				return err
			})
			if err != nil {
				b.Fatal(err)
			}
		}
	})
	if ours != theirs {
		b.Errorf("found %d and %d", ours, theirs)
	}
}

// BenchmarkRatioTreeRemoveAll measures by rounds of its own, whatever the bench
// time: -benchtime 1x spares the second go, and the making of the trees.
func BenchmarkRatioTreeRemoveAll(b *testing.B) {
	dirs, rounds := 250, 10
	if os.Getenv("TRIGO_SOAK") != "" {
		dirs, rounds = 5000, 5
	}
	removed := func(remove func(root Path) error) func() float64 {
		return func() float64 {
			root := wideTree(b, dirs, 20)
			start := time.Now()
			if err := remove(root); err != nil {
				b.Fatal(err)
			}
			return float64(time.Since(start))
		}
	}
	times := bench.Rounds(rounds,
		removed(func(root Path) error { return root.RemoveAll(b.Context()) }),
		removed(func(root Path) error { return os.RemoveAll(string(root)) }))
	times.Ratio(0, 1).Report(b, "ratio")
	b.ReportMetric(times.Of(0).Median, "trigo-ns/op")
	b.ReportMetric(times.Of(1).Median, "std-ns/op")
}

func BenchmarkRatioReadBytes(b *testing.B) {
	p := Path(b.TempDir()).Join("file")
	for _, size := range []int{4 << 10, 64 << 10} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			if err := p.WriteBytes(b.Context(), make([]byte, size)); err != nil {
				b.Fatal(err)
			}
			ratio(b, func(n int) {
				for range n {
					if _, err := p.ReadBytes(b.Context()); err != nil {
						b.Fatal(err)
					}
				}
			}, func(n int) {
				for range n {
					if _, err := os.ReadFile(string(p)); err != nil {
						b.Fatal(err)
					}
				}
			})
		})
	}
}
