package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// alive returns the processes that were started with this in their environment.
func alive(t *testing.T, mark string) (pids []string) {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if env, err := os.ReadFile(f); err == nil && bytes.Contains(env, []byte(mark)) {
			pids = append(pids, filepath.Base(filepath.Dir(f)))
		}
	}
	return pids
}

func TestSIGTERMDrainsAndLeavesNoOrphan(t *testing.T) {
	mark := fmt.Sprintf("TRIGO_TEST_ORPHANS=%d.%d", os.Getpid(), time.Now().UnixNano())
	t.Setenv("TRIGO_TEST_ORPHANS", strings.SplitN(mark, "=", 2)[1])
	echo := "tcp-listen:127.0.0.1:0"

	// Every child has one of its own, which has no end.
	argv := []string{"exec", "--", "sh", "-c", "sleep 1000 >/dev/null & cat"}
	s := listen(t, append([]string{echo}, argv...)...)
	var conns []*net.TCPConn
	for range 5 {
		c := dial(t, s.addr)
		echoed(t, c, "hello")
		conns = append(conns, c)
	}
	if n := len(alive(t, mark)); n < 11 {
		t.Fatalf("%d processes, want trigo and 5 times two", n)
	}
	s.signal(syscall.SIGTERM)
	eventually(t, "it drains", func() bool { return strings.Contains(s.stderr.String(), "draining 5, up to 30s") })
	if _, err := net.Dial("tcp", s.addr); err == nil {
		t.Error("it still accepts")
	}
	for _, c := range conns { // they may finish, losing nothing
		big := bytes.Repeat([]byte("x"), 1<<20)
		go func() { c.Write(big); c.CloseWrite() }()
		if got := receiveAll(t, c); !bytes.Equal(got, big) {
			t.Errorf("%d bytes came back of %d", len(got), len(big))
		}
	}
	s.ends(exitOK)
	eventually(t, "nobody is left", func() bool { return len(alive(t, mark)) == 0 })

	// A second signal cuts; the children go as well.
	s = listen(t, append([]string{echo}, argv...)...)
	echoed(t, dial(t, s.addr), "hello")
	s.signal(syscall.SIGTERM)
	eventually(t, "it drains", func() bool { return strings.Contains(s.stderr.String(), "draining 1") })
	s.signal(syscall.SIGTERM)
	s.ends(exitSignal+15, "stopped by signal")
	eventually(t, "nobody is left", func() bool { return len(alive(t, mark)) == 0 })
}

// openFiles counts the descriptors of a process.
func openFiles(t *testing.T, pid int) int {
	t.Helper()
	files, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		t.Fatal(err)
	}
	return len(files)
}

// metric asks a relay with --status.
func metric(t *testing.T, client *http.Client, name string) int {
	t.Helper()
	res, err := client.Get("http://trigo/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, _ := io.ReadAll(res.Body)
	m := regexp.MustCompile(`(?m)^` + name + ` (\d+)$`).FindSubmatch(text)
	if m == nil {
		t.Fatalf("no %s in\n%s", name, text)
	}
	n, _ := strconv.Atoi(string(m[1]))
	return n
}

func statusClient(path string) *http.Client {
	return &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", path)
	}}}
}

// TRIGO_SOAK makes it 10,000 in a row and 1,000 at a time.
func TestManyConnectionsLeaveNothingBehind(t *testing.T) {
	row, atATime := 300, 100
	if os.Getenv("TRIGO_SOAK") != "" {
		row, atATime = 10_000, 1000
	}
	echo := peerServer(t, func(c net.Conn) { io.Copy(c, c) })
	path := t.TempDir() + "/status"
	s := listen(t, "--status", "unix:"+path, "tcp-listen:127.0.0.1:0,backlog=1024", "tcp:"+echo)
	client := statusClient(path)
	one := func() error {
		c, err := net.DialTimeout("tcp", s.addr, 20*time.Second)
		if err != nil {
			return err
		}
		defer c.Close()
		c.SetDeadline(time.Now().Add(60 * time.Second))
		if _, err := c.Write([]byte("hello")); err != nil {
			return err
		}
		c.(*net.TCPConn).CloseWrite()
		if got, err := io.ReadAll(c); err != nil || string(got) != "hello" {
			return fmt.Errorf("%q came back, %v", got, err)
		}
		return nil
	}
	if err := one(); err != nil { // what is made once is made
		t.Fatal(err)
	}
	settled := func(n int) func() bool {
		return func() bool {
			return metric(t, client, "trigo_relays_ended_total") == n && metric(t, client, "trigo_relays_open") == 0
		}
	}
	eventually(t, "the first ends", settled(1))
	files, goroutines := openFiles(t, s.cmd.Process.Pid), metric(t, client, "go_goroutines")
	began := time.Now()
	for range row {
		if err := one(); err != nil {
			t.Fatal(err)
		}
	}
	inRow := time.Since(began)
	var wg sync.WaitGroup
	for range atATime {
		wg.Go(func() {
			if err := one(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	eventually(t, "all end", settled(1+row+atATime))
	t.Logf("%d in a row in %v, %d at a time; %d descriptors and %d goroutines before", row, inRow, atATime, files, goroutines)
	eventually(t, "descriptors and goroutines are as before", func() bool {
		return openFiles(t, s.cmd.Process.Pid) <= files && metric(t, client, "go_goroutines") <= goroutines
	})
	s.signal(syscall.SIGTERM)
	s.ends(exitOK)
}

// cpuTime is what a process has used, of the processor.
func cpuTime(t *testing.T, pid int) time.Duration {
	t.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * time.Second / 100
}

func TestALackOfDescriptorsDoesNotSpinAndPasses(t *testing.T) {
	s := listenAs(t, "sh", "-c", `ulimit -n 24; exec trigo --ready 3 tcp-listen:127.0.0.1:0 echo`)
	var held []net.Conn
	defer func() {
		for _, c := range held {
			c.Close()
		}
	}()
	for range 40 { // those that are not accepted wait in the backlog
		held = append(held, dial(t, s.addr))
	}
	eventually(t, "it tells", func() bool { return strings.Contains(s.stderr.String(), "too many open files") })
	before, window := cpuTime(t, s.cmd.Process.Pid), time.NewTimer(time.Second)
	<-window.C
	if used := cpuTime(t, s.cmd.Process.Pid) - before; used > 50*time.Millisecond {
		t.Errorf("it used %v of a second", used)
	}
	if n := strings.Count(s.stderr.String(), "too many open files"); n != 1 {
		t.Errorf("it told %d times in a second", n)
	}
	for _, c := range held {
		c.Close()
	}
	held = nil
	echoed(t, dial(t, s.addr), "there is room again")
}

func TestBulkIsSplicedAndTheIdleTimerStillFires(t *testing.T) {
	need(t, "strace")
	const size = 32 << 20
	for _, network := range []string{"tcp", "unix"} {
		path := t.TempDir() + "/s"
		l, err := net.Listen(network, map[string]string{"tcp": "127.0.0.1:0", "unix": path}[network])
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		idle := make(chan struct{})
		go func() {
			c, err := l.Accept()
			if err != nil {
				return
			}
			defer c.Close()
			c.Write(make([]byte, size))
			<-idle // then neither says anything
		}()
		log := t.TempDir() + "/log"
		strace := []string{"-f", "-qq", "-e", "trace=splice", "-e", "signal=none", "-o", log}
		from := map[string]string{"tcp": "tcp-listen:127.0.0.1:0", "unix": "unix-listen:" + path + "2"}[network]
		s := listenAs(t, "strace", append(strace, "trigo", "--ready", "3", "--once", "-v", "--idle", "500ms", from, network+":"+l.Addr().String())...)
		c, err := net.Dial(network, s.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		n, err := io.CopyN(io.Discard, c, size)
		if n != size {
			t.Fatalf("%s: %d bytes, %v", network, n, err)
		}
		s.ends(exitTimeout, "no bytes in either direction", "recv=32.0MiB")
		close(idle)
		calls, err := os.ReadFile(log)
		if err != nil {
			t.Fatal(err)
		}
		var moved, count int64
		for _, m := range regexp.MustCompile(`splice\(.*\) += (\d+)`).FindAllSubmatch(calls, -1) {
			n, _ := strconv.ParseInt(string(m[1]), 10, 64)
			moved += n
			count++
		}
		t.Logf("%s: %d calls of splice moved %d MiB, in and out", network, count, moved>>20)
		if moved < 2*size*9/10 {
			t.Errorf("%s: splice moved %d bytes, want nearly 2 times %d", network, moved, size)
		}
	}
}

// deaf listens on an address of IPv6 and lets nobody in: its queue is full, so the
// kernel drops what comes.
func deaf(t *testing.T) (port string) {
	t.Helper()
	l, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		t.Skipf("no IPv6: %v", err)
	}
	t.Cleanup(func() { l.Close() })
	raw, err := l.(*net.TCPListener).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	raw.Control(func(fd uintptr) { err = syscall.Listen(int(fd), 0) })
	if err != nil {
		t.Fatal(err)
	}
	for {
		c, err := net.DialTimeout("tcp", l.Addr().String(), 200*time.Millisecond)
		if err != nil {
			break
		}
		defer c.Close()
	}
	_, port, _ = net.SplitHostPort(l.Addr().String())
	return port
}

func TestTheConnectTimeoutIsThatOfTheFlag(t *testing.T) {
	began := time.Now()
	said := logged(t, exitTimeout, "--connect-timeout 30ms tcp:[::1]:"+deaf(t)+" echo")
	if took := time.Since(began); !strings.Contains(said, "no connection within 30ms") || took > 8*time.Second {
		t.Errorf("after %v\n%s", took, said)
	}
}

// A name with an address of IPv6 only, and one whose IPv6 does not answer.
func TestNamesWithABlackHoleConnectInTime(t *testing.T) {
	need(t, "unshare", "mount")
	if out, err := exec.Command("unshare", "-m", "true").CombinedOutput(); err != nil {
		t.Skipf("no names of our own: %s", out)
	}
	hosts := t.TempDir() + "/hosts"
	if err := os.WriteFile(hosts, []byte("::1 six.example hole.example\n127.0.0.1 hole.example\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	hole := deaf(t)
	four := listen(t, "tcp-listen:127.0.0.1:"+hole, "echo")
	six := listen(t, "tcp-listen:[::1]:0", "echo")
	_, sixPort, _ := net.SplitHostPort(six.addr)
	for name, server := range map[string]*tool{"six.example:" + sixPort: six, "hole.example:" + hole: four} {
		p := start(t, "unshare", "-m", "sh", "-ec", "mount --bind "+hosts+" /etc/hosts; exec trigo probe --json tcp:"+name)
		p.ends(exitOK)
		m := regexp.MustCompile(`"total_ms": ([0-9.]+)`).FindStringSubmatch(p.stdout.String())
		if m == nil || !strings.Contains(p.stdout.String(), server.addr) {
			t.Fatalf("%s\n%s", name, &p.stdout)
		}
		took, _ := strconv.ParseFloat(m[1], 64)
		t.Logf("%s: %v ms", name, took)
		if took > 400 {
			t.Errorf("%s took %v ms", name, took)
		}
		if !strings.Contains(p.stdout.String(), `"[::1]:`) {
			t.Errorf("%s: IPv6 was not tried", name)
		}
	}
}
