//go:build unix

package process

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"trigo"
	"trigo/nursery"
	"trigo/trigotest"
)

// childVariable makes the test binary play one of the roles.
const childVariable = "TRIGO_PROCESS_TEST_CHILD"

func TestMain(m *testing.M) {
	if child, ok := roles[os.Getenv(childVariable)]; ok {
		child()
		os.Exit(0)
	}
	trigotest.Main(m)
}

var roles = map[string]func(){
	// flood writes a lot to both outputs, and meanwhile counts its input.
	"flood": func() {
		var wg sync.WaitGroup
		for _, f := range []*os.File{os.Stdout, os.Stderr} {
			wg.Go(func() {
				for range 1 << 9 {
					f.Write(make([]byte, 64<<10))
				}
			})
		}
		n, _ := io.Copy(io.Discard, os.Stdin)
		wg.Wait()
		fmt.Print(n)
	},
	// calculator answers each line with that many bytes and a line.
	"calculator": func() {
		in := bufio.NewScanner(os.Stdin)
		for in.Scan() {
			var n int
			fmt.Sscan(in.Text(), &n)
			os.Stdout.Write(append(bytes.Repeat([]byte("x"), n), '\n'))
		}
	},
	// reverse forwards its input to standard output, and reversed to standard
	// error.
	"reverse": func() {
		data, _ := io.ReadAll(os.Stdin)
		os.Stdout.Write(data)
		for i, j := 0, len(data)-1; i < j; i, j = i+1, j-1 {
			data[i], data[j] = data[j], data[i]
		}
		os.Stderr.Write(data)
	},
	// tls serves TLS on its input and output, and sends back what it receives.
	"tls": echoTLS,
}

// asChild returns a command that plays one of roles.
func asChild(t testing.TB, name string) *Command {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	env := append(os.Environ(), childVariable+"="+name, "GORACE=atexit_sleep_ms=0")
	return &Command{Args: []string{exe}, Env: env}
}

// journal is a logger that remembers.
type journal struct {
	mu   sync.Mutex
	text strings.Builder
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

func (j *journal) logger() *slog.Logger { return slog.New(slog.NewTextHandler(j, nil)) }

// whilst runs body beside the supervised child c, and returns what the nursery
// did.
func whilst(t testing.TB, ctx context.Context, c *Command, body func(ctx context.Context, n *nursery.Nursery, p *Process) error) error {
	t.Helper()
	return nursery.Run(ctx, func(ctx context.Context, n *nursery.Nursery) error {
		p, err := nursery.Start(ctx, n, Supervise(c))
		if err != nil {
			return err
		}
		for _, r := range []trigo.Resource{p.Stdin(), p.Stdout(), p.Stderr()} {
			if r != nil {
				defer trigo.CloseForcefully(r)
			}
		}
		return body(ctx, n, p)
	})
}

// receiveAll receives to the end of r.
func receiveAll(ctx context.Context, r trigo.ReceiveStream) (string, error) {
	var all []byte
	for chunk, err := range trigo.Chunks(ctx, r) {
		if err != nil {
			return string(all), err
		}
		all = append(all, chunk...)
	}
	return string(all), nil
}

// receiveLine receives to the end of a line.
func receiveLine(ctx context.Context, r trigo.ReceiveStream) (string, error) {
	var line []byte
	one := make([]byte, 1)
	for {
		if _, err := r.ReceiveSome(ctx, one); err != nil {
			return string(line), err
		}
		if one[0] == '\n' {
			return string(line), nil
		}
		line = append(line, one[0])
	}
}

// alive reports whether pid runs. A zombie does not.
func alive(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return !errors.Is(err, os.ErrNotExist)
	}
	return !bytes.Contains(stat, []byte(") Z "))
}

// killAfter ends the process pid at the end of the test, which has started it.
func killAfter(t testing.TB, pid int) {
	t.Cleanup(func() { syscall.Kill(pid, syscall.SIGKILL) })
}

// onEachKernel runs the test with pidfds, with those that know no groups, and
// without any.
func onEachKernel(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	for _, kernel := range kernels {
		t.Run(kernel.name, func(t *testing.T) {
			kernel.set(true)
			defer kernel.set(false)
			test(t)
		})
	}
}

type kernel struct {
	name string
	set  func(on bool)
}

// blocks reports whether f does.
func blocks(t testing.TB, f *os.File) (does bool) {
	t.Helper()
	err := control(f, func(fd int) error {
		flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
		does = flags&unix.O_NONBLOCK == 0
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return does
}

func writeFile(name, text string) error { return os.WriteFile(name, []byte(text), 0) }
