package trigotest

import (
	"bytes"
	"runtime"
	"strings"
)

// goroutine is one entry of the dump that the runtime makes of all of them.
type goroutine struct {
	id    string
	state string // "running", "select", "IO wait", ...
	stack string // the whole entry
}

// goroutines returns all goroutines of the process, except the runtime's own.
func goroutines() []goroutine {
	buf := make([]byte, 64<<10)
	for {
		n := runtime.Stack(buf, true)
		if n < len(buf) {
			return parseGoroutines(string(buf[:n]))
		}
		buf = make([]byte, 2*len(buf))
	}
}

func goroutinesByID() map[string]goroutine {
	all := make(map[string]goroutine)
	for _, g := range goroutines() {
		all[g.id] = g
	}
	return all
}

// ownID returns the id of the calling goroutine.
func ownID() string {
	buf := make([]byte, 64)
	head, _, _ := bytes.Cut(buf[:runtime.Stack(buf, false)], []byte(" ["))
	return strings.TrimPrefix(string(head), "goroutine ")
}

// parseGoroutines reads entries of the form
//
//	goroutine 7 [IO wait, 2 minutes]:
//	main.f(...)
//		/path/file.go:12 +0x1d
//	created by main.g in goroutine 1
//
// with an empty line between them.
func parseGoroutines(dump string) []goroutine {
	var all []goroutine
	for entry := range strings.SplitSeq(dump, "\n\n") {
		entry = strings.TrimSpace(entry)
		head, ok := strings.CutPrefix(entry, "goroutine ")
		if !ok {
			continue
		}
		id, rest, _ := strings.Cut(head, " ")
		_, rest, _ = strings.Cut(rest, "[")
		state := rest[:max(0, strings.IndexAny(rest, ",]("))]
		all = append(all, goroutine{id, strings.TrimSpace(state), entry})
	}
	return all
}

// parked reports whether the goroutine waits for something other than its turn.
// A system call may be over at any time, so it does not count.
func (g goroutine) parked() bool {
	switch g.state {
	case "running", "runnable", "syscall", "preempted", "copystack", "idle", "":
		return false
	}
	return true
}

// ours reports whether the goroutine is the business of the program under
// test, rather than of the test framework or of a service that the standard
// library starts once and keeps.
func (g goroutine) ours() bool {
	for _, service := range []string{
		"created by testing.",
		"created by os/signal.",
		"os/signal.signal_recv",
		"runtime.ensureSigM",
		"created by runtime.",
		"created by internal/synctest.",
		"created by testing/synctest.",
	} {
		if strings.Contains(g.stack, "\n"+service) {
			return false
		}
	}
	return !strings.Contains(g.stack, "\ntesting.(*M).Run(") // the main goroutine, or a test's own
}
