package process

import (
	"bytes"
	"fmt"
	"os"
	"strings"
)

// Status is how a child ended.
type Status struct {
	// Code is what the child returned, or -1 if a signal ended it or nobody
	// knows.
	Code int

	// Signal is what ended the child, or nil.
	Signal os.Signal

	// Unknown is set if the system would not tell: because this process ignores
	// SIGCHLD, or some part of it waits for children that are not its own.
	Unknown bool
}

// Success reports whether the child returned 0.
func (s Status) Success() bool { return s == Status{} }

// String is "exited with status 3" or "exited with signal 9 (killed)".
func (s Status) String() string {
	switch {
	case s.Unknown:
		return "exited with a status that is not known"
	case s.Signal != nil:
		return fmt.Sprintf("exited with signal %d (%v)", s.Signal, s.Signal)
	}
	return fmt.Sprintf("exited with status %d", s.Code)
}

// Completed is what is known of a child that has ended.
type Completed struct {
	Args   []string // of the program that ran
	Pid    int      // which may belong to somebody else by now
	Status Status

	// Stdout and Stderr are what was captured; nil if nothing was to be.
	Stdout, Stderr []byte

	// PipesHeld names what was still open WaitDelay after the child's end,
	// "stdin", "stdout" or "stderr": some descendant holds it. What came until
	// then was kept.
	PipesHeld []string

	// Survivors are descendants, by pid, that were alive at the end: out of
	// reach because they had left the group, or not yet gone after SIGKILL.
	// Known on Linux only, and only those found by what they hold or, when the
	// child was cancelled, by who started them.
	Survivors []int
}

// ExitError is the error of a child that ended with a status other than 0. It
// holds all that is known of it, what was captured included.
type ExitError struct{ *Completed }

// Error tells the status, and the last line of standard error if that was
// captured.
func (e *ExitError) Error() string {
	text := e.Status.String()
	if line := lastLine(e.Stderr); line != "" {
		text += ": " + line
	}
	return text
}

// lastLine returns the last line of p that is not blank, or its beginning.
func lastLine(p []byte) string {
	const most = 200
	p = bytes.TrimSpace(p)
	p = p[bytes.LastIndexByte(p, '\n')+1:]
	if len(p) > most {
		p = p[:most]
	}
	return strings.ToValidUTF8(string(p), "?")
}
