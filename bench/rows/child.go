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
// program again, with childVariable set to the name of the server, and what it
// needs to know as its arguments.

const childVariable = "TRIGO_BENCH_SERVE"

// servers are what a child can be. Each calls ready with its address, and serves
// until ctx ends. One that measures itself prints what it found, and ends.
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
		time.Sleep(100 * time.Millisecond) // for a server that does not hear of it
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
func startServer(s *Scope, name string, args ...string) (address string, pid int) {
	self := MustGet(os.Executable())
	quiet := "GNET_LOGGING_LEVEL=2" // it logs to standard output
	return startProgram(s, []string{childVariable + "=" + name, quiet}, append([]string{self}, args...)...)
}

// runServer runs one of the servers to its end, and returns what it printed.
func runServer(s *Scope, name string, args ...string) string {
	cmd := exec.CommandContext(s.Ctx, MustGet(os.Executable()), args...)
	cmd.Env = append(os.Environ(), childVariable+"="+name)
	cmd.Stderr = os.Stderr
	stdin := MustGet(cmd.StdinPipe()) // it ends when this does
	defer stdin.Close()
	return strings.TrimSpace(string(MustGet(cmd.Output())))
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

// startForeign starts a program that was told to listen at an address, and waits
// until it does.
func startForeign(s *Scope, network, address string, argv ...string) (pid int) {
	cmd := exec.Command(argv[0], argv[1:]...)
	own(cmd)
	Must(cmd.Start())
	s.Cleanup(func() {
		end(cmd)
		cmd.Wait()
	})
	for range 200 {
		c, err := net.Dial(network, address)
		if err == nil {
			c.Close()
			return cmd.Process.Pid
		}
		time.Sleep(20 * time.Millisecond)
	}
	Must(fmt.Errorf("%s does not listen", argv[0]))
	return 0
}

// port is that of an address.
func port(address string) string {
	_, port, err := net.SplitHostPort(address)
	Must(err)
	return port
}

// lacks tells why a program cannot take part; "" if it can.
func lacks(program string) string {
	if _, err := exec.LookPath(program); err != nil {
		return program + " is not installed"
	}
	return ""
}

// residentKiB returns the memory that a process and its children occupy, as ps
// tells it: what several of them have in common counts for each (RSS).
func residentKiB(pid int) float64 { return memoryKiB(pid, "Rss:") }

// shareKiB returns the same with what several processes have in common shared out
// among them (PSS).
func shareKiB(pid int) float64 { return memoryKiB(pid, "Pss:") }

func memoryKiB(pid int, which string) float64 {
	total := 0.0
	rollup, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return 0 // it has just ended
	}
	for line := range strings.Lines(string(rollup)) {
		if rest, ok := strings.CutPrefix(line, which); ok {
			kib, _ := strconv.Atoi(strings.Fields(rest)[0])
			total = float64(kib)
		}
	}
	children, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	for _, child := range strings.Fields(string(children)) {
		n, _ := strconv.Atoi(child)
		total += memoryKiB(n, which)
	}
	return total
}
