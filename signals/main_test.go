//go:build unix

package signals

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"

	"trigo/trigotest"
)

// asChild names, in the environment, what a test binary that was started by a
// test is to do.
const asChild = "TRIGO_SIGNALS_CHILD"

func TestMain(m *testing.M) {
	if name := os.Getenv(asChild); name != "" {
		run, ok := children[name]
		if !ok {
			panic("no child is called " + name)
		}
		run()
		os.Exit(0)
	}
	trigotest.Main(m)
}

// child is a program under test. It says what happens on its standard output,
// and waits for lines on its standard input.
type child struct {
	t   *testing.T
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Scanner
	raw io.Reader // what out reads
}

// start starts a child, through a shell with the given commands if there are any.
func start(t *testing.T, name, shell string) *child {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	if shell != "" {
		cmd = exec.Command("/bin/sh", "-c", shell+"; exec "+self)
	}
	cmd.Env = append(os.Environ(), asChild+"="+name, "GORACE=atexit_sleep_ms=0")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c := &child{t, cmd, in, bufio.NewScanner(out), out}
	t.Cleanup(func() {
		if cmd.ProcessState == nil {
			cmd.Process.Kill()
			cmd.Wait()
		}
	})
	return c
}

// says waits for the next line of the child.
func (c *child) says(line string) {
	c.t.Helper()
	if !c.out.Scan() {
		c.t.Fatalf("the child ended (%v), want it to say %q", c.cmd.Wait(), line)
	}
	if got := c.out.Text(); got != line {
		c.t.Fatalf("the child says %q, want %q", got, line)
	}
}

func (c *child) tell(line string) { fmt.Fprintln(c.in, line) }

func (c *child) send(sig syscall.Signal) {
	c.t.Helper()
	if err := c.cmd.Process.Signal(sig); err != nil {
		c.t.Fatal(err)
	}
}

// ends waits for the child's end: by a signal, or with exit code 0.
func (c *child) ends(by syscall.Signal) {
	c.t.Helper()
	var said []string
	for c.out.Scan() {
		said = append(said, c.out.Text())
	}
	c.cmd.Wait()
	status := c.cmd.ProcessState.Sys().(syscall.WaitStatus)
	if by == 0 && !c.cmd.ProcessState.Success() || by != 0 && (!status.Signaled() || status.Signal() != by) {
		c.t.Errorf("the child ended with %v, having said %q", c.cmd.ProcessState, strings.Join(said, "; "))
	}
}

var background = context.Background()

// settled waits until package os/signal has passed on everything that has
// arrived: that is what Stop does.
func settled() {
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGURG)
	signal.Stop(c)
}

// send sends a signal to this process and waits until it has arrived.
func send(sigs ...syscall.Signal) {
	for _, sig := range sigs {
		if err := raise(sig); err != nil {
			panic(err)
		}
		settled()
	}
}

func mustOpen(t testing.TB, sigs ...os.Signal) *Receiver {
	t.Helper()
	r, err := Open(sigs...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(background) })
	return r
}

// gets checks that r has exactly these signals to give.
func gets(t *testing.T, r *Receiver, sigs ...syscall.Signal) {
	t.Helper()
	for _, sig := range sigs {
		if got, err := r.Receive(background); got != sig || err != nil {
			t.Errorf("received %v, %v, want %v", got, err, sig)
		}
	}
	table.Lock()
	defer table.Unlock()
	r.collect()
	if len(r.pending) > 0 {
		t.Errorf("there is more to receive: %v", r.pending)
	}
}

func want(t *testing.T, what string, err, kind error) {
	t.Helper()
	if !errors.Is(err, kind) {
		t.Errorf("%s: %v, want %v", what, err, kind)
	}
}
