//go:build unix

package process

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"trigo/trigotest"
)

// Trio: test_errors, test_run
func TestBadInputIsNamedAndStartsNothing(t *testing.T) {
	dir := t.TempDir()
	plain := dir + "/plain"
	if err := os.WriteFile(plain, []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	closed, err := os.Open(plain)
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	closedPipe, other, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	closedPipe.Close()
	other.Close()

	trigotest.LeakCheck(t)
	ls := []string{"ls"}
	for name, c := range map[string]struct {
		c     Command
		kind  error
		names string
	}{
		"not in PATH":      {Command{Args: []string{"no-such-program"}}, fs.ErrNotExist, "program no-such-program"},
		"not found":        {Command{Args: []string{dir + "/none"}}, fs.ErrNotExist, "program " + dir + "/none"},
		"not executable":   {Command{Args: []string{plain}}, fs.ErrPermission, "program " + plain},
		"a directory":      {Command{Args: []string{dir}}, fs.ErrPermission, "program " + dir},
		"no such cwd":      {Command{Args: ls, Dir: dir + "/none"}, fs.ErrNotExist, "directory " + dir + "/none"},
		"cwd is a file":    {Command{Args: ls, Dir: plain}, syscall.ENOTDIR, "directory " + plain},
		"NUL in argument":  {Command{Args: []string{"ls", "-l", "a\x00b"}}, os.ErrInvalid, "Args[2] contains a NUL byte: \"a\\x00b\""},
		"NUL in Env":       {Command{Args: ls, Env: []string{"A=1", "B=\x00"}}, os.ErrInvalid, "Env[1] contains a NUL byte: \"B=\\x00\""},
		"Env without =":    {Command{Args: ls, Env: []string{"A"}}, os.ErrInvalid, "Env[0] is not NAME=value: \"A\""},
		"NUL in Dir":       {Command{Args: ls, Dir: "\x00"}, os.ErrInvalid, "Dir contains a NUL byte: \"\\x00\""},
		"NUL in Shell":     {Command{Shell: "ls \x00"}, os.ErrInvalid, "Shell contains a NUL byte: \"ls \\x00\""},
		"NUL in Path":      {Command{Args: ls, Path: "/bin/\x00"}, os.ErrInvalid, "Path contains a NUL byte: \"/bin/\\x00\""},
		"closed stdin":     {Command{Args: ls, Stdin: File(closed)}, os.ErrClosed, "stdin"},
		"closed pipe":      {Command{Args: ls, Stdin: File(closedPipe)}, os.ErrClosed, "stdin"},
		"closed stdout":    {Command{Args: ls, Stdout: File(closed)}, os.ErrClosed, "stdout"},
		"closed stderr":    {Command{Args: ls, Stderr: File(closed), Stdout: Capture}, os.ErrClosed, "stderr"},
		"closed extra":     {Command{Args: ls, ExtraFiles: []*os.File{closed}, Stdin: Bytes("x")}, os.ErrClosed, "ExtraFiles[0]"},
		"nil extra":        {Command{Args: ls, ExtraFiles: []*os.File{nil}}, os.ErrInvalid, "ExtraFiles[0] is nil"},
		"nil file":         {Command{Args: ls, Stdout: File(nil)}, os.ErrInvalid, "Stdout is File(nil)"},
		"nothing":          {Command{}, os.ErrInvalid, "neither Args nor Shell is set"},
		"empty name":       {Command{Args: []string{""}}, os.ErrInvalid, "the name of the program is empty"},
		"Args and Shell":   {Command{Args: ls, Shell: "ls"}, os.ErrInvalid, "both Args and Shell are set"},
		"stdout to stdout": {Command{Args: ls, Stdout: ToStdout}, os.ErrInvalid, "Stdout is ToStdout"},
		"Lines for nobody": {Command{Args: ls, Stderr: Lines{}}, os.ErrInvalid, "Stderr is Lines without Each"},
		"unknown redirect": {Command{Args: ls, Stdin: Redirect(9)}, os.ErrInvalid, "Stdin is an unknown Redirect(9)"},
		"unknown output":   {Command{Args: ls, Stderr: OutputRedirect(9)}, os.ErrInvalid, "Stderr is an unknown OutputRedirect(9)"},
		"unknown group":    {Command{Args: ls, Group: 7}, os.ErrInvalid, "unknown Group(7)"},
		"whose session":    {Command{Args: ls, Group: ParentGroup, Session: true}, os.ErrInvalid, "ParentGroup, but a session begins with a group of its own"},
		"size of what":     {Command{Args: ls, Size: Size{1, 1}}, os.ErrInvalid, "Size is set, but not PTY"},
		"umask of what":    {Command{Args: ls, Umask: new(fs.ModeDir)}, os.ErrInvalid, "Umask is 0o20000000000"},
		"PTY and stdin":    {Command{Args: ls, PTY: true, Stdin: Null, Stdout: Capture}, os.ErrInvalid, "PTY with Stdin process.Redirect: only nil, Bytes and Pipe can be typed"},
		"PTY unseen":       {Command{Args: ls, PTY: true}, os.ErrInvalid, "PTY needs Stdout to be Pipe, Capture or Lines"},
		"PTY and stderr":   {Command{Args: ls, PTY: true, Stdout: Capture, Stderr: Null}, os.ErrInvalid, "PTY with Stderr: a terminal shows both outputs as one"},
		"pipe in":          {Command{Args: ls, Stdin: Pipe}, os.ErrInvalid, "Stdin is Pipe, but nobody can use it while Run runs: use Supervise"},
		"pipe out":         {Command{Args: ls, Stdout: Pipe}, os.ErrInvalid, "Stdout is Pipe, but nobody can use it while Run runs: use Supervise"},
		"pipe err":         {Command{Args: ls, Stderr: Pipe}, os.ErrInvalid, "Stderr is Pipe, but nobody can use it while Run runs: use Supervise"},
	} {
		t.Run(name, func(t *testing.T) {
			done, err := Run(t.Context(), &c.c)
			if done != nil || !errors.Is(err, c.kind) || !strings.Contains(err.Error(), c.names) {
				t.Errorf("%+v, %v; want %q and %q", done, err, c.kind, c.names)
			}
			// What is wrong with a command itself is told in full.
			if _, text, _ := strings.Cut(err.Error(), ": invalid argument: "); c.kind == os.ErrInvalid && text != c.names {
				t.Errorf("the text is %q, want %q", text, c.names)
			}
		})
	}
	if _, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil); err != syscall.ECHILD {
		t.Errorf("there are children: %v", err)
	}
}

// Trio: test_errors
func TestOpenRefusesWhatItWouldIgnore(t *testing.T) {
	for names, c := range map[string]*Command{
		"Stdin":         {Stdin: Bytes("x")},
		"Stdout":        {Stdout: Capture},
		"Stderr":        {Stderr: Lines{Each: ignoreLine}},
		"NoCheck":       {NoCheck: true},
		"Grace":         {Grace: time.Second},
		"WaitDelay":     {WaitDelay: -1},
		"DeliverCancel": {DeliverCancel: func(context.Context, *Process) error { return nil }},
		"Logger":        {Logger: new(journal).logger()},
	} {
		c.Args = []string{"true"}
		if p, err := Open(t.Context(), c); p != nil || !errors.Is(err, os.ErrInvalid) || !strings.Contains(err.Error(), names) {
			t.Errorf("%s: %v, %v", names, p, err)
		}
	}
}
