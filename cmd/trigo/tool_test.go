//go:build unix

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

// tool is the command, running in a process of its own.
type tool struct {
	t      *testing.T
	cmd    *exec.Cmd
	addr   string // where it listens
	stdout bytes.Buffer
	stderr lockedBuffer

	wait func() (int, time.Duration)
}

// lockedBuffer is what a process has said so far.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// start starts a command line, which may be that of another program that runs
// trigo in the end. It is killed when the test ends.
func start(t *testing.T, name string, args ...string) *tool {
	t.Helper()
	p := &tool{t: t, cmd: exec.Command(name, args...)}
	p.cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0")
	p.cmd.Stdout, p.cmd.Stderr = &p.stdout, &p.stderr
	p.run()
	return p
}

func (p *tool) run() {
	p.t.Helper()
	began := time.Now()
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.wait = sync.OnceValues(func() (int, time.Duration) {
		stop := time.AfterFunc(30*time.Second, func() { p.cmd.Process.Kill() })
		defer stop.Stop()
		err := p.cmd.Wait()
		if exit := new(exec.ExitError); errors.As(err, &exit) {
			return exit.ExitCode(), time.Since(began)
		} else if err != nil {
			p.t.Error(err)
		}
		return 0, time.Since(began)
	})
	p.t.Cleanup(func() {
		p.cmd.Process.Kill()
		p.wait()
		if p.t.Failed() {
			p.t.Logf("%v said:\n%s", p.cmd.Args, &p.stderr)
		}
	})
}

// listen starts trigo with a listener and returns when it accepts. It is told by
// --ready.
func listen(t *testing.T, args ...string) *tool {
	t.Helper()
	return listenAs(t, "trigo", append([]string{"--ready", "3"}, args...)...)
}

func listenAs(t *testing.T, name string, args ...string) *tool {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	p := &tool{t: t, cmd: exec.Command(name, args...)}
	p.cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0")
	p.cmd.Stdout, p.cmd.Stderr, p.cmd.ExtraFiles = &p.stdout, &p.stderr, []*os.File{w}
	p.run()
	w.Close()
	var ready struct {
		Listening []string
		PID       int
	}
	if err := json.NewDecoder(r).Decode(&ready); err != nil {
		code, _ := p.wait()
		t.Fatalf("it is not ready: %v; exit code %d", err, code)
	}
	p.addr = ready.Listening[0]
	return p
}

// ends checks the exit code and that standard error has these words.
func (p *tool) ends(code int, words ...string) {
	p.t.Helper()
	if got, _ := p.wait(); got != code {
		p.t.Errorf("exit code %d, want %d", got, code)
	}
	p.said(words...)
}

func (p *tool) said(words ...string) {
	p.t.Helper()
	for _, w := range words {
		if !strings.Contains(p.stderr.String(), w) {
			p.t.Errorf("standard error lacks %q", w)
		}
	}
}

// eventually waits until it holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	tick, limit := time.NewTicker(2*time.Millisecond), time.NewTimer(20*time.Second)
	defer tick.Stop()
	defer limit.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-limit.C:
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

func (p *tool) signal(s os.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
}

// peerServer serves every connection on a free port until the test ends.
func peerServer(t *testing.T, serve func(c net.Conn)) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { defer c.Close(); serve(c) })
		}
	})
	t.Cleanup(func() { l.Close(); wg.Wait() })
	return l.Addr().String()
}

func dial(t *testing.T, addr string) *net.TCPConn {
	t.Helper()
	c, err := net.DialTimeout("tcp", addr, 10*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(30 * time.Second))
	return c.(*net.TCPConn)
}

// echoed sends a line and wants it back.
func echoed(t *testing.T, c net.Conn, line string) {
	t.Helper()
	fmt.Fprintln(c, line)
	got, err := bufio.NewReader(c).ReadString('\n')
	if got != line+"\n" {
		t.Errorf("got %q, %v, want %q back", got, err, line)
	}
}

func receiveAll(t *testing.T, c io.Reader) []byte {
	t.Helper()
	all, err := io.ReadAll(c)
	if err != nil {
		t.Errorf("after %d bytes: %v", len(all), err)
	}
	return all
}

// freePort is a port for programs that cannot be asked which one they took.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

func need(t *testing.T, programs ...string) {
	t.Helper()
	for _, name := range programs {
		if _, err := exec.LookPath(name); err != nil {
			t.Skipf("%s is not installed", name)
		}
	}
}

// certificates makes them with trigo cert and returns their directory.
func certificates(t *testing.T, hosts ...string) string {
	t.Helper()
	dir := t.TempDir() + "/certificates"
	if out, err := exec.Command("trigo", append([]string{"cert", dir}, hosts...)...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return dir
}
