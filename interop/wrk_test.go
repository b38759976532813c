package interop

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"trigo"
	"trigo/internal/bench"
	"trigo/process"
)

// wrk asks a server on trigo's TLS and one on net/http's own in turns, and every
// request must be answered. TRIGO_SOAK=1 makes it 10,000 connections at a time.
//
// How fast either is on a busy machine proves little, so the figures are only
// printed. In a soak it is a failure if three quarters of the rounds fall short
// of what trigo is to reach.
func TestWRK(t *testing.T) {
	if _, err := exec.LookPath("wrk"); err != nil {
		t.Skip("wrk is not installed")
	}
	soak := os.Getenv("TRIGO_SOAK") != ""
	load, rounds := wrkLoad{connections: 50, seconds: 1}, 1
	if soak {
		load, rounds = wrkLoad{connections: 10_000, seconds: 12}, 5
	}
	load.connections = fromEnv(t, "TRIGO_WRK_CONNECTIONS", load.connections)
	load.seconds = fromEnv(t, "TRIGO_WRK_SECONDS", load.seconds)
	rounds = fromEnv(t, "TRIGO_WRK_ROUNDS", rounds)

	ours, theirs := startWeb(t, "trigo"), startWeb(t, "net")
	rates := bench.Rounds(rounds,
		func() float64 { return ours.answer(t, load) },
		func() float64 { return theirs.answer(t, load) })
	speed := rates.Ratio(0, 1)
	t.Logf("%d connections, %d rounds of %d s", load.connections, rounds, load.seconds)
	t.Logf("requests in a second: trigo %.0f, net %.0f, ratio %s", rates.Of(0).Median, rates.Of(1).Median, show(speed))
	costs := bench.Values{ours.costs[len(ours.costs)-rounds:], theirs.costs[len(theirs.costs)-rounds:]}
	t.Logf("processor time of the server for a request: trigo %.1f µs, net %.1f µs, ratio %s",
		costs.Of(0).Median, costs.Of(1).Median, show(costs.Ratio(0, 1)))
	t.Logf("peak memory of the server: trigo %.0f KiB, net %.0f KiB", ours.peakMemory(t), theirs.peakMemory(t))
	if soak && speed.Q3 < 0.95 {
		t.Error("it does not reach 0.95 of net/http")
	}
}

func show(s bench.Spread) string {
	return fmt.Sprintf("%.3f (quartiles %.3f to %.3f)", s.Median, s.Q1, s.Q3)
}

func fromEnv(t testing.TB, name string, otherwise int) int {
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	check(t, err)
	return n
}

type wrkLoad struct{ connections, seconds int }

// webServer is a child that serves.
type webServer struct {
	kind, address string
	child         *process.Process
	costs         []float64 // microseconds of processor time for a request, of each round
}

func startWeb(t testing.TB, kind string) *webServer {
	child, err := openSelf(t, t.Context(), "web server", kind)
	check(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	address, err := trigo.NewBufferedReceiver(child.Stdout()).ReceiveLine(ctx, 1<<10)
	check(t, err)
	return &webServer{kind: kind, address: string(address), child: child}
}

// answer sets wrk on the server and returns how many requests were answered in a
// second.
func (s *webServer) answer(t testing.TB, load wrkLoad) float64 {
	ctx, cancel := context.WithTimeout(t.Context(), time.Duration(load.seconds)*time.Second+time.Minute)
	defer cancel()
	before := s.processorTime(t)
	done, err := process.Run(ctx, &process.Command{
		Args: []string{"wrk", "--threads=2", fmt.Sprint("--connections=", load.connections),
			fmt.Sprintf("--duration=%ds", load.seconds), "--timeout=20s", "https://" + s.address + "/"},
		Stdout: process.Capture,
	})
	check(t, err)
	report := string(done.Stdout)
	for _, bad := range []string{"Socket errors", "Non-2xx"} {
		if strings.Contains(report, bad) {
			t.Errorf("%s: %s", s.kind, report)
		}
	}
	requests, rate := field(t, report, `(\d+) requests in`), field(t, report, `Requests/sec:\s+([\d.]+)`)
	cost := float64((s.processorTime(t) - before).Microseconds()) / requests
	s.costs = append(s.costs, cost)
	t.Logf("%5s: %.0f requests/s, %.1f µs", s.kind, rate, cost)
	return rate
}

// processorTime is what the server has used so far.
func (s *webServer) processorTime(t testing.TB) time.Duration {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.child.Pid()))
	check(t, err)
	_, numbers, _ := strings.Cut(string(text), ") ")
	var ticks int
	for _, word := range strings.Fields(numbers)[11:13] { // in user mode and in the kernel
		n, err := strconv.Atoi(word)
		check(t, err)
		ticks += n
	}
	return time.Duration(ticks) * time.Second / 100
}

func (s *webServer) peakMemory(t testing.TB) (kib float64) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.child.Pid()))
	check(t, err)
	return field(t, string(text), `VmHWM:\s+(\d+) kB`)
}

func field(t testing.TB, text, pattern string) float64 {
	t.Helper()
	m := regexp.MustCompile(pattern).FindStringSubmatch(text)
	if m == nil {
		t.Fatalf("no %s in:\n%s", pattern, text)
	}
	f, err := strconv.ParseFloat(m[1], 64)
	check(t, err)
	return f
}
