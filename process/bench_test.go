//go:build unix

package process

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"

	"trigo"
	"trigo/nursery"
)

// The benchmarks of this file measure a child of this package against the same
// child of os/exec, in one process and interleaved: a shared machine is too noisy
// to compare two runs. Each reports the median over the rounds of this package's
// time divided by os/exec's ("ratio"), with the quartiles ("q1", "q3"), and the
// time of one child of both.
//
//	go test -run '^$' -bench Ratio ./process

// ratio runs a and b in turn, the order changing from round to round, each
// perRound times, and reports the median of a's time over b's.
func ratio(bb *testing.B, rounds, perRound int, a, b func()) {
	timed := func(f func()) float64 {
		start := time.Now()
		for range perRound {
			f()
		}
		return float64(time.Since(start)) / float64(perRound)
	}
	timed(a) // warm-up
	timed(b)
	var ratios, as, bs []float64
	for i := range rounds {
		var ta, tb float64
		if i%2 == 0 {
			ta, tb = timed(a), timed(b)
		} else {
			tb, ta = timed(b), timed(a)
		}
		ratios, as, bs = append(ratios, ta/tb), append(as, ta), append(bs, tb)
	}
	for _, s := range [][]float64{ratios, as, bs} {
		slices.Sort(s)
	}
	bb.ReportMetric(ratios[rounds/2], "ratio")
	bb.ReportMetric(ratios[rounds/4], "q1")
	bb.ReportMetric(ratios[rounds*3/4], "q3")
	bb.ReportMetric(as[rounds/2], "trigo-ns")
	bb.ReportMetric(bs[rounds/2], "exec-ns")
	bb.ReportMetric(0, "ns/op")
}

// The outputs are /dev/null, as they are by default for an exec.Cmd.
func BenchmarkRatioSpawnAndWait(b *testing.B) {
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	ratio(b, 200, 5, func() {
		if _, err := Run(ctx, &Command{Args: []string{"/bin/true"}, Stdout: Null, Stderr: Null}); err != nil {
			b.Fatal(err)
		}
	}, func() {
		if err := exec.Command("/bin/true").Run(); err != nil {
			b.Fatal(err)
		}
	})
}

// 2.5 GiB through cat, in 80 rounds. With TRIGO_SOAK each of 20 rounds is of
// 1 GiB.
func BenchmarkRatioThroughCat(b *testing.B) {
	size, rounds := 32<<20, 80
	if os.Getenv("TRIGO_SOAK") != "" {
		size, rounds = 1<<30, 20
	}
	piece := make([]byte, 64<<10) // as large as what Chunks receives into
	ratio(b, rounds, 1, func() {
		err := nursery.Run(b.Context(), func(ctx context.Context, n *nursery.Nursery) error {
			p, err := nursery.Start(ctx, n, Supervise(&Command{Args: []string{"cat"}, Stdin: Pipe, Stdout: Pipe}))
			if err != nil {
				return err
			}
			n.Go(func(ctx context.Context) error {
				defer p.Stdin().Close(ctx)
				for sent := 0; sent < size; sent += len(piece) {
					if err := p.Stdin().SendAll(ctx, piece); err != nil {
						return err
					}
				}
				return nil
			})
			defer p.Stdout().Close(ctx)
			all := 0
			for chunk, err := range trigo.Chunks(ctx, p.Stdout()) {
				if err != nil {
					return err
				}
				all += len(chunk)
			}
			if all != size {
				b.Errorf("received %d bytes", all)
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}, func() {
		cmd := exec.Command("cat")
		cmd.Stdin = io.LimitReader(zeros{}, int64(size))
		var counter countWriter
		cmd.Stdout = &counter
		if err := cmd.Run(); err != nil || int(counter) != size {
			b.Fatal(err, counter)
		}
	})
}

// zeros is an endless input, that costs nothing to make.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

// countWriter counts.
type countWriter int64

func (c *countWriter) Write(p []byte) (int, error) {
	*c += countWriter(len(p))
	return len(p), nil
}

// What Run collects against what exec.Cmd collects in a bytes.Buffer.
func BenchmarkRatioCapture(b *testing.B) {
	input := make([]byte, 64<<20)
	ratio(b, 8, 1, func() {
		done, err := Run(b.Context(), &Command{Args: []string{"cat"}, Stdin: Bytes(input), Stdout: Capture})
		if err != nil || len(done.Stdout) != len(input) {
			b.Fatal(err, len(done.Stdout))
		}
	}, func() {
		cmd := exec.Command("cat")
		cmd.Stdin = bytes.NewReader(input)
		out, err := cmd.Output()
		if err != nil || len(out) != len(input) {
			b.Fatal(err, len(out))
		}
	})
}
