package relay_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// The report could lie. The kernel does not: in a process of its own, under
// strace, bulk is spliced and a file sent by sendfile.
func TestTheKernelSaysTheSameAsTheReport(t *testing.T) {
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("strace is not installed")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ test, call string }{
		{"^TestReportTellsTheWayOfTheBytes$", "splice("},
		{"^TestFileIsSentByTheKernelFromWhereItStands$", "sendfile("},
	} {
		log := t.TempDir() + "/log"
		cmd := exec.CommandContext(t.Context(), strace, "-f", "-qq", "-e", "trace=splice,sendfile", "-e", "signal=none", "-o", log,
			self, "-test.run", c.test, "-test.count", "1")
		if out, err := cmd.CombinedOutput(); err != nil {
			if strings.Contains(string(out), "ptrace") {
				t.Skipf("strace may not trace here: %s", out)
			}
			t.Fatalf("%v\n%s", err, out)
		}
		calls, err := os.ReadFile(log)
		if err != nil {
			t.Fatal(err)
		}
		moved := 0
		for line := range strings.Lines(string(calls)) {
			if strings.Contains(line, c.call) && !strings.Contains(line, "= -1") && !strings.Contains(line, "= 0\n") {
				moved++
			}
		}
		t.Logf("%d calls of %s that moved bytes", moved, strings.TrimSuffix(c.call, "("))
		if moved == 0 {
			t.Errorf("no %s in\n%.2000s", c.call, calls)
		}
	}
}
