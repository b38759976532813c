//go:build unix

package process

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"testing"

	"trigo"
	"trigo/internal/bench"
	"trigo/nursery"
)

// The benchmarks of this file measure a child of this package against the same
// child of os/exec, in one process and interleaved: a shared machine is too noisy
// to compare two runs. Each reports the median over the rounds of this package's
// time divided by os/exec's ("ratio"), with the quartiles ("q1", "q3"), and the
// time of one child of both.
//
//	go test -run '^$' -bench Ratio ./process

// ratio has each do its work perRound times in each round.
func ratio(b *testing.B, rounds, perRound int, ours, theirs func()) {
	repeat := func(work func()) func(n int) {
		return func(n int) {
			for range n {
				work()
			}
		}
	}
	times := bench.Turns(rounds, perRound, repeat(ours), repeat(theirs))
	times.Ratio(0, 1).Report(b, "ratio")
	b.ReportMetric(times.Of(0).Median, "trigo-ns")
	b.ReportMetric(times.Of(1).Median, "exec-ns")
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
