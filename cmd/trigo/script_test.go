//go:build unix

package main

import (
	"errors"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"trigo": main, "peer": peerMain})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(env *testscript.Env) error {
			env.Setenv("TRIGO_SOAK", os.Getenv("TRIGO_SOAK"))
			env.Setenv("GORACE", "atexit_sleep_ms=0") // or each command takes a second to exit
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"code":  code,
			"await": await,
		},
	})
}

// code N COMMAND ARGS...: like exec, and the exit code must be N.
func code(ts *testscript.TestScript, neg bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	if exit := new(exec.ExitError); errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// await FILE [REGEXP VAR]: waits until FILE is there and has a line that
// matches; VAR becomes the first group. ! await FILE: waits until it is gone.
func await(ts *testscript.TestScript, neg bool, args []string) {
	tick, limit := time.NewTicker(5*time.Millisecond), time.NewTimer(10*time.Second)
	defer tick.Stop()
	defer limit.Stop()
	for isThere(ts, args) == neg {
		select {
		case <-tick.C:
		case <-limit.C:
			ts.Fatalf("waited in vain for %q", args)
		}
	}
}

func isThere(ts *testscript.TestScript, args []string) bool {
	if len(args) == 1 {
		_, err := os.Stat(ts.MkAbs(args[0]))
		return err == nil
	}
	content, err := os.ReadFile(ts.MkAbs(args[0]))
	if err != nil {
		return false
	}
	m := regexp.MustCompile("(?m)" + args[1]).FindSubmatch(content)
	if m != nil {
		ts.Setenv(args[2], string(m[1]))
	}
	return m != nil
}
