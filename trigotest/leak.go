package trigotest

import (
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"
	"time"
)

// LeakCheck fails the test at its end if goroutines that were started, or
// descriptors that were opened, since the call of LeakCheck are still there. It
// shows the stacks of the ones and what the others are open on. Call it first,
// so that it looks after all other cleanups have run. It gives what is on its
// way out two seconds to leave.
//
// Everything in the process counts, so the test must not run in parallel with
// others. Descriptors are counted only on Linux; those by which the runtime
// polls do not count, nor do the goroutines of package testing and os/signal.
func LeakCheck(t testing.TB) {
	t.Helper()
	before := takeInventory()
	t.Cleanup(func() {
		t.Helper()
		for _, left := range before.leftovers(leakPatience) {
			t.Errorf("leaked %s", left)
		}
	})
}

// Main runs the tests of a package and exits; if they passed but left
// goroutines or descriptors behind, it says which, and fails. It is the whole
// of a TestMain:
//
//	func TestMain(m *testing.M) { trigotest.Main(m) }
//
// What counts is said at [LeakCheck].
func Main(m *testing.M) { os.Exit(verify(m)) }

func verify(m interface{ Run() int }) int {
	before := takeInventory()
	code := m.Run()
	if code != 0 {
		return code
	}
	left := before.leftovers(leakPatience)
	for _, l := range left {
		fmt.Fprintf(os.Stderr, "the tests leaked %s\n", l)
	}
	return min(1, len(left))
}

// leakPatience is how long what is left may take to go.
const leakPatience = 2 * time.Second

// inventory is what the process has at one moment.
type inventory struct {
	goroutines  map[string]bool // by id, which is never used again
	descriptors map[string]bool // by number and what it is open on
}

func takeInventory() inventory {
	inv := inventory{make(map[string]bool), make(map[string]bool)}
	for _, g := range goroutines() {
		inv.goroutines[g.id] = true
	}
	for _, d := range descriptors() {
		inv.descriptors[d] = true
	}
	return inv
}

// leftovers describes what is there now and is not in the inventory. As long as
// that is something, it keeps looking until the time is up.
func (inv inventory) leftovers(patience time.Duration) []string {
	const step = 10 * time.Millisecond
	for waited := time.Duration(0); ; waited += step {
		left := inv.added()
		if len(left) == 0 || waited >= patience {
			return left
		}
		<-time.After(step)
	}
}

func (inv inventory) added() []string {
	var left []string
	self := ownID()
	for _, g := range goroutines() {
		if !inv.goroutines[g.id] && g.id != self && g.ours() {
			left = append(left, g.stack)
		}
	}
	for _, d := range descriptors() {
		if !inv.descriptors[d] {
			left = append(left, d)
		}
	}
	sort.Strings(left)
	return left
}

// descriptors lists the open descriptors, where the system shows them.
func descriptors() []string {
	const dir = "/proc/self/fd"
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	var open []string
	for _, e := range entries {
		target, err := os.Readlink(filepath.Join(dir, e.Name()))
		switch {
		case err != nil: // the one by which the directory was read
		case strings.HasPrefix(target, "/proc/"): // that one too, elsewhere
		case target == "anon_inode:[eventpoll]", target == "anon_inode:[eventfd]":
		default:
			open = append(open, fmt.Sprintf("descriptor %s: %s", e.Name(), target))
		}
	}
	return open
}
