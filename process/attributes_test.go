//go:build unix

package process

import (
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// output runs c and returns what it says.
func output(t *testing.T, c *Command) string {
	t.Helper()
	c.Stdout = Capture
	done, err := Run(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(done.Stdout))
}

func TestEnvironment(t *testing.T) {
	t.Setenv("TRIGO_PROCESS_TEST", "ours")
	if got := output(t, &Command{Shell: "echo $TRIGO_PROCESS_TEST"}); got != "ours" {
		t.Errorf("inherited: %q", got)
	}
	if got := output(t, &Command{Args: []string{"env"}, Env: []string{"A=1", "B=2", "A=3"}}); got != "B=2\nA=3" {
		t.Errorf("given: %q", got)
	}
	if got := output(t, &Command{Args: []string{"env"}, Env: []string{}}); got != "" {
		t.Errorf("empty: %q", got)
	}
}

func TestDirectory(t *testing.T) {
	dir := t.TempDir()
	if got := output(t, &Command{Shell: "echo $PWD; pwd -P", Dir: dir}); got != dir+"\n"+dir {
		t.Errorf("%q", got)
	}
	if err := os.WriteFile(dir+"/here", []byte("#!/bin/sh\necho found\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	if got := output(t, &Command{Args: []string{"./here"}, Dir: dir}); got != "found" {
		t.Errorf("a name with a slash: %q", got)
	}
}

func TestPathRunsAProgramUnderAnotherName(t *testing.T) {
	if got := output(t, &Command{Path: "sh", Args: []string{"me", "-c", "echo $0"}}); got != "me" {
		t.Errorf("%q", got)
	}
}

func TestExtraFiles(t *testing.T) {
	f, err := os.Create(t.TempDir() + "/f")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	fmt.Fprint(w, "through a pipe")
	w.Close()
	if got := output(t, &Command{Shell: "echo written >&3; cat <&4", ExtraFiles: []*os.File{f, r}}); got != "through a pipe" {
		t.Errorf("%q", got)
	}
	if got, _ := os.ReadFile(f.Name()); string(got) != "written\n" {
		t.Errorf("the file has %q", got)
	}
}

func TestUmask(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("a umask for a child alone is possible on Linux only")
	}
	ours := syscall.Umask(0o022)
	defer syscall.Umask(ours)
	for range 10 {
		if got := output(t, &Command{Shell: "umask", Umask: new(fs.FileMode(0o027))}); got != "0027" {
			t.Errorf("the child's is %q", got)
		}
	}
	if got := output(t, &Command{Shell: "umask", Umask: new(fs.FileMode(0))}); got != "0000" {
		t.Errorf("the child's is %q", got)
	}
	if got := syscall.Umask(0o022); got != 0o022 {
		t.Errorf("ours is %O now", got)
	}
	if got := output(t, &Command{Shell: "umask"}); got != "0022" {
		t.Errorf("the next child's is %q", got)
	}
}

func TestCredential(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can be somebody else")
	}
	c := &Command{Shell: "id -u; id -g; id -G", Credential: &Credential{UID: 65534, GID: 65533, Groups: []uint32{65532}}, Dir: "/"}
	if got := output(t, c); got != "65534\n65533\n65533 65532" {
		t.Errorf("%q", got)
	}
}

func TestGroups(t *testing.T) {
	// The fields of /proc/self/stat behind the name: state, parent, group, session.
	const script = `set -- $(sed 's/.*) //' /proc/$$/stat); echo $$ $3 $4`
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		t.Skipf("groups are read from /proc: %v", err)
	}
	ourSession, _, _ := syscall.Syscall(syscall.SYS_GETSID, 0, 0, 0)
	for name, c := range map[string]struct {
		c                    Command
		ownGroup, ownSession bool
	}{
		"by default":           {Command{}, true, false},
		"own":                  {Command{Group: OwnGroup}, true, false},
		"parent's":             {Command{Group: ParentGroup}, false, false},
		"session":              {Command{Session: true}, true, true},
		"session by any means": {Command{Session: true, Group: OwnGroup}, true, true},
		"inherits no terminal": {Command{Stdin: Inherit}, !isTerminal(os.Stdin), false},
	} {
		c.c.Shell = script
		var pid, group, session int
		fmt.Sscan(output(t, &c.c), &pid, &group, &session)
		if (group == pid) != c.ownGroup || !c.ownGroup && group != syscall.Getpgrp() {
			t.Errorf("%s: pid %d, group %d, ours %d", name, pid, group, syscall.Getpgrp())
		}
		if (session == pid) != c.ownSession || !c.ownSession && session != int(ourSession) {
			t.Errorf("%s: pid %d, session %d, ours %d", name, pid, session, ourSession)
		}
	}
}

func TestOpenedChildSharesOurGroupUnlessItIsToLeadOne(t *testing.T) {
	for group, own := range map[Group]bool{DefaultGroup: false, ParentGroup: false, OwnGroup: true} {
		p := opened(t, &Command{Args: []string{"sleep", "1000"}, Group: group})
		got, err := syscall.Getpgid(p.Pid())
		if err != nil || (got == p.Pid()) != own {
			t.Errorf("%v: group %d of pid %d, %v", group, got, p.Pid(), err)
		}
	}
}
