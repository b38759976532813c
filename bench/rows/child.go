package rows

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// Some contestants are servers in a process of their own, so that all of them
// meet the same client and none shares its runtime. Those written in Go are this
// program again, with childVariable set to the name of the server.

const childVariable = "TRIGO_BENCH_SERVE"

// servers are what a child can be. Each calls ready with its address, and serves
// until ctx ends.
var servers = map[string]func(ctx context.Context, ready func(net.Addr)) error{}

// ServeIfChild does not return if the process was started as a server.
func ServeIfChild() {
	serve, ok := servers[os.Getenv(childVariable)]
	if !ok {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		os.Stdin.Read(make([]byte, 1)) // ends with the parent, if not before
		cancel()
		time.Sleep(time.Second) // for a server that does not hear of it
		os.Exit(0)
	}()
	err := serve(ctx, func(a net.Addr) { fmt.Println(a) })
	if err != nil && ctx.Err() == nil {
		fmt.Fprintln(os.Stderr, "bench server:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// startServer starts one of the servers and returns its address.
func startServer(s *Scope, name string) (address string, pid int) {
	self := MustGet(os.Executable())
	quiet := "GNET_LOGGING_LEVEL=2" // it logs to standard output
	return startProgram(s, []string{childVariable + "=" + name, quiet}, self)
}

// startProgram starts a program that prints its address.
func startProgram(s *Scope, env []string, args ...string) (address string, pid int) {
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stderr = os.Stderr
	stdin := MustGet(cmd.StdinPipe())
	stdout := MustGet(cmd.StdoutPipe())
	Must(cmd.Start())
	s.Cleanup(func() {
		stdin.Close()
		killLater := time.AfterFunc(3*time.Second, func() { cmd.Process.Kill() })
		defer killLater.Stop()
		cmd.Wait()
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		Must(fmt.Errorf("%s did not say where it listens: %w", args[0], err))
	}
	return strings.TrimSpace(line), cmd.Process.Pid
}

// startForeign starts a program that is told where to listen, and waits until it
// does. args gets the port.
func startForeign(s *Scope, args func(port string) []string) (address string, pid int) {
	l := MustGet(net.Listen("tcp", "127.0.0.1:0"))
	_, port, _ := net.SplitHostPort(l.Addr().String())
	l.Close()
	argv := args(port)
	cmd := exec.Command(argv[0], argv[1:]...)
	own(cmd)
	Must(cmd.Start())
	s.Cleanup(func() {
		end(cmd)
		cmd.Wait()
	})
	address = net.JoinHostPort("127.0.0.1", port)
	for range 200 {
		c, err := net.Dial("tcp", address)
		if err == nil {
			c.Close()
			return address, cmd.Process.Pid
		}
		time.Sleep(20 * time.Millisecond)
	}
	Must(fmt.Errorf("%s does not listen", argv[0]))
	return "", 0
}

// lacks tells why a program cannot take part; "" if it can.
func lacks(program string) string {
	if _, err := exec.LookPath(program); err != nil {
		return program + " is not installed"
	}
	return ""
}

// residentKiB returns the memory that a process and its children occupy.
func residentKiB(pid int) float64 {
	total := 0.0
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kib, _ := strconv.Atoi(strings.Fields(rest)[0])
			total = float64(kib)
		}
	}
	children, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	for _, child := range strings.Fields(string(children)) {
		n, _ := strconv.Atoi(child)
		total += residentKiB(n)
	}
	return total
}
