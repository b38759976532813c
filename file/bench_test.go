package file

import (
	"bufio"
	"os"
	"strings"
	"testing"

	"trigo/internal/bench"
)

// The benchmarks of this file measure this package against the standard library, in
// one process and interleaved: a shared machine is too noisy to compare two runs. Each
// reports the median over the rounds of trigo's time divided by the other's ("ratio"),
// with the quartiles ("q1", "q3").
//
//	go test -run '^$' -bench Ratio ./file

// ratio is bench.Ratio to the standard library.
func ratio(b *testing.B, ours, theirs func(n int)) { bench.Ratio(b, "std", ours, theirs) }

// BenchmarkRatioLines reads a megabyte of lines, each as a string.
func BenchmarkRatioLines(b *testing.B) {
	for name, line := range map[string]string{"ascii": "a line of some length, as lines are in logs and such\n", "umlauts": "eine Zeile, für die ASCII nicht genügt, ähnlich lang\n"} {
		b.Run(name, func(b *testing.B) {
			path := scratch(b, strings.Repeat(line, 1<<20/len(line)))
			total := 0
			ours := func(n int) {
				for range n {
					f, err := OpenText(b.Context(), path, "r", nil)
					if err != nil {
						b.Fatal(err)
					}
					for line, err := range f.Lines(b.Context()) {
						if err != nil {
							b.Fatal(err)
						}
						total += len(line)
					}
					f.Close(b.Context())
				}
			}
			theirs := func(n int) {
				for range n {
					f, err := os.Open(string(path))
					if err != nil {
						b.Fatal(err)
					}
					s := bufio.NewScanner(f)
					s.Buffer(make([]byte, 0, textChunk), textChunk)
					for s.Scan() {
						total += len(s.Text())
					}
					f.Close()
				}
			}
			ratio(b, ours, theirs)
		})
	}
}

// BenchmarkRatioReceive reads a file in pieces of 4 KiB that are in the cache.
func BenchmarkRatioReceive(b *testing.B) {
	path := scratch(b, strings.Repeat("x", 4<<10))
	f := mustOpen(b, path, "r")
	std, err := os.Open(string(path))
	if err != nil {
		b.Fatal(err)
	}
	defer std.Close()
	p := make([]byte, 4<<10)
	ratio(b, func(n int) {
		for range n {
			if _, err := f.ReadAt(b.Context(), p, 0); err != nil {
				b.Fatal(err)
			}
		}
	}, func(n int) {
		for range n {
			if _, err := std.ReadAt(p, 0); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkRatioOpenReadClose reads a cached file of 4 KiB from its opening to its
// closing.
func BenchmarkRatioOpenReadClose(b *testing.B) {
	path := scratch(b, strings.Repeat("x", 4<<10))
	p := make([]byte, 8<<10)
	ratio(b, func(n int) {
		for range n {
			f, err := Open(b.Context(), path, "r")
			if err != nil {
				b.Fatal(err)
			}
			for {
				if _, err := f.ReceiveSome(b.Context(), p); err != nil {
					break
				}
			}
			f.Close(b.Context())
		}
	}, func(n int) {
		for range n {
			f, err := os.Open(string(path))
			if err != nil {
				b.Fatal(err)
			}
			for {
				if _, err := f.Read(p); err != nil {
					break
				}
			}
			f.Close()
		}
	})
}
