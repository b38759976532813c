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
// matches; VAR becomes the first group.
func await(ts *testscript.TestScript, neg bool, args []string) {
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); <-time.After(5 * time.Millisecond) {
		if len(args) == 1 {
			if _, err := os.Stat(ts.MkAbs(args[0])); err == nil {
				return
			}
			continue
		}
		content, err := os.ReadFile(ts.MkAbs(args[0]))
		if err != nil {
			continue
		}
		if m := regexp.MustCompile("(?m)" + args[1]).FindSubmatch(content); m != nil {
			ts.Setenv(args[2], string(m[1]))
			return
		}
	}
	ts.Fatalf("waited in vain for %q", args)
}
