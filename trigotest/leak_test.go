package trigotest

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// leaker is a testing.TB whose cleanups can be run at will, and which takes
// down errors.
type leaker struct {
	testing.TB
	rec      recorder
	cleanups []func()
}

func (l *leaker) Helper()                           {}
func (l *leaker) Cleanup(f func())                  { l.cleanups = append(l.cleanups, f) }
func (l *leaker) Errorf(format string, args ...any) { l.rec.Errorf(format, args...) }
func (l *leaker) end() string {
	for _, f := range l.cleanups {
		f()
	}
	return strings.Join(l.rec.failures, "\n")
}

func leaveMeHere(release <-chan struct{}) { <-release }

func TestLeakCheckShowsTheStackOfAGoroutine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, release := &leaker{TB: t}, make(chan struct{})
		LeakCheck(l)
		go leaveMeHere(release)
		if said := l.end(); !strings.Contains(said, "leaveMeHere") || strings.Count(said, "leaked") != 1 {
			t.Errorf("it said: %q", said)
		}
		close(release)
	})
}

func TestLeakCheckWaitsForWhatIsOnItsWayOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &leaker{TB: t}
		LeakCheck(l)
		go func() { time.Sleep(leakPatience / 2) }()
		if said := l.end(); said != "" {
			t.Errorf("it said: %q", said)
		}
	})
}

func TestLeakCheckIgnoresWhatWasThereBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, release := &leaker{TB: t}, make(chan struct{})
		go leaveMeHere(release)
		LeakCheck(l)
		if said := l.end(); said != "" {
			t.Errorf("it said: %q", said)
		}
		close(release)
	})
}

func TestLeakCheckShowsWhatADescriptorIsOpenOn(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("descriptors are counted on Linux only")
	}
	l := &leaker{TB: t}
	LeakCheck(l)
	name := t.TempDir() + "/left-open"
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	said := l.end()
	if want := fmt.Sprintf("leaked descriptor %d: %s", f.Fd(), name); said != want {
		t.Errorf("it said %q, want %q", said, want)
	}
	f.Close()
	if said := l.end(); strings.Count(said, "left-open") != 1 {
		t.Errorf("with the file closed it said: %q", said)
	}
}

// suite is what Main runs.
type suite func() int

func (s suite) Run() int { return s() }

func TestMainFailsForALeakOnlyIfTheTestsPassed(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	if code := verify(suite(func() int { return 3 })); code != 3 {
		t.Errorf("failed tests: exit code %d, want theirs, 3", code)
	}
	if code := verify(suite(func() int { return 0 })); code != 0 {
		t.Errorf("tests that leave nothing: exit code %d", code)
	}

	stderr := captureStderr(t, func() {
		if code := verify(suite(func() int { go leaveMeHere(release); return 0 })); code != 1 {
			t.Errorf("tests that leave a goroutine: exit code %d, want 1", code)
		}
	})
	if !strings.Contains(stderr, "leaveMeHere") {
		t.Errorf("stderr: %q", stderr)
	}
}

func captureStderr(t *testing.T, f func()) string {
	t.Helper()
	file, err := os.CreateTemp(t.TempDir(), "stderr")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	was := os.Stderr
	os.Stderr = file
	f()
	os.Stderr = was
	text, err := os.ReadFile(file.Name())
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestGoroutineDumpsAreUnderstood(t *testing.T) {
	const dump = `goroutine 1 [running]:
main.main()
	/x/main.go:1 +0x1

goroutine 18 [IO wait, 2 minutes, locked to thread]:
net.read()
	/x/net.go:1 +0x1
created by main.serve in goroutine 1
	/x/main.go:9 +0x1

goroutine 20 [select (durable), synctest bubble 3]:
main.f()
	/x/main.go:1 +0x1
created by testing.(*T).Run in goroutine 1
	/x/main.go:9 +0x1

goroutine 34 gp=0xc000007 m=nil [chan receive]:
main.g()
	/x/main.go:1 +0x1
`
	type facts struct {
		id, state    string
		parked, ours bool
	}
	want := []facts{
		{"1", "running", false, true},
		{"18", "IO wait", true, true},
		{"20", "select", true, false},
		{"34", "chan receive", true, true},
	}
	for i, g := range parseGoroutines(dump) {
		if got := (facts{g.id, g.state, g.parked(), g.ours()}); got != want[i] {
			t.Errorf("goroutine %d: got %+v, want %+v", i, got, want[i])
		}
	}
	if n := len(parseGoroutines(dump)); n != len(want) {
		t.Errorf("%d goroutines found, want %d", n, len(want))
	}
	if id := ownID(); !strings.HasPrefix(goroutinesByID()[id].stack, "goroutine "+id+" [running]") {
		t.Errorf("own id %q is not that of a running goroutine", id)
	}
}
