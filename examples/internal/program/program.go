// Package program runs an example as a program of its own, for its test.
package program

import (
	"bufio"
	"context"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"trigo"
	"trigo/nursery"
	"trigo/process"
)

const variable = "TRIGO_EXAMPLE_MAIN"

// Main is what TestMain calls: it lets the test binary stand in for the program.
func Main(m *testing.M, main func()) {
	if os.Getenv(variable) != "" {
		main()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// Program is one that runs.
type Program struct {
	*process.Process
	t      *testing.T
	output *trigo.BufferedReceiver
	log    *bufio.Reader
}

// Run starts the program with these arguments, calls use, and ends the program
// with all that it has started. What it writes to standard error comes line by
// line from [Program.Log].
func Run(t *testing.T, use func(ctx context.Context, p *Program), args ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	logReader, logWriter := io.Pipe()
	defer context.AfterFunc(ctx, func() { logReader.Close() })()
	err := nursery.Run(ctx, func(ctx context.Context, n *nursery.Nursery) error {
		p, err := nursery.Start(ctx, n, process.Supervise(&process.Command{
			Args:    append([]string{os.Args[0]}, args...),
			Env:     append(os.Environ(), variable+"=1"),
			Stdin:   process.Pipe,
			Stdout:  process.Pipe,
			Stderr:  process.Lines{Each: func(_ context.Context, line []byte) error { logWriter.Write(append(line, '\n')); return nil }},
			NoCheck: true,
		}))
		if err != nil {
			return err
		}
		defer n.Cancel(nil)
		defer logReader.Close()
		defer p.Stdio().Close(ctx)
		use(ctx, &Program{p, t, trigo.NewBufferedReceiver(p.Stdout()), bufio.NewReader(logReader)})
		return nil
	})
	if err != nil && !nursery.IsCancellation(ctx, err) {
		t.Error(err)
	}
}

// Log returns what follows prefix in the next line of standard error that has
// it.
func (p *Program) Log(prefix string) string {
	p.t.Helper()
	for {
		line, err := p.log.ReadString('\n')
		if err != nil {
			p.t.Fatalf("no line with %q: %v", prefix, err)
		}
		p.t.Logf("%s", strings.TrimSpace(line))
		if _, rest, ok := strings.Cut(line, prefix); ok {
			return strings.TrimSpace(rest)
		}
	}
}

// Line returns the next line of standard output.
func (p *Program) Line(ctx context.Context) string {
	p.t.Helper()
	line, err := p.output.ReceiveLine(ctx, 0)
	if err != nil {
		p.t.Fatal(err)
	}
	return string(line)
}

// EndsWell fails the test if the program does not end with status 0.
func (p *Program) EndsWell(ctx context.Context) {
	p.t.Helper()
	status, err := p.Wait(ctx)
	if err != nil || status.Code != 0 {
		p.t.Errorf("it ended with %v, %v", status, err)
	}
}

// Ask sends a request, ends sending, and returns the whole answer.
func Ask(ctx context.Context, t *testing.T, s trigo.HalfCloseableStream, request string) string {
	t.Helper()
	if err := s.SendAll(ctx, []byte(request)); err != nil {
		t.Fatal(err)
	}
	if err := s.SendEOF(ctx); err != nil {
		t.Fatal(err)
	}
	var answer strings.Builder
	for chunk, err := range trigo.Chunks(ctx, s) {
		if err != nil {
			t.Fatal(err)
		}
		answer.Write(chunk)
	}
	return answer.String()
}
