package process

import (
	"context"
	"os"
)

// An Input is what a child has as its standard input: [Bytes], [Inherit],
// [Null], [Pipe] or what [File] returns.
type Input interface{ isInput() }

// An Output is what a child has as its standard output or error: [Inherit],
// [Null], [Pipe], [Capture], [ToStdout], [Lines] or what [File] returns.
type Output interface{ isOutput() }

// Redirect is where an input comes from or an output goes to.
type Redirect int

const (
	// Inherit: what os.Stdin, os.Stdout or os.Stderr is for this process.
	Inherit Redirect = 1 + iota
	// Null: an input that is empty, an output that vanishes (/dev/null).
	Null
	// Pipe: a stream to or from the child, in the [Process].
	Pipe
)

// OutputRedirect is where an output goes to.
type OutputRedirect int

const (
	// Capture: it is collected in memory, all of it, for [Completed].
	Capture OutputRedirect = 1 + iota
	// ToStdout: standard error goes where standard output goes, in the order in
	// which it is written.
	ToStdout
)

// Bytes are given to the child, and then the end of file. A child that does not
// read them all is fine.
type Bytes []byte

// FileRedirect is what [File] returns.
type FileRedirect struct{ f *os.File }

// File lets the child read from or write to f itself. f stays the caller's, to
// close after the start too. If f does not block, which is so for those pipes and
// terminals of this process that a ctx can wake, the child gets the same file
// opened once more, where the system can do that, or else f is made to block.
func File(f *os.File) FileRedirect { return FileRedirect{f} }

// Lines gives an output line by line to a function while the child runs, and
// captures it at the same time.
type Lines struct {
	// Each is called with each line, without its "\n"; also with what follows
	// the last "\n", if anything does. A line longer than 1 MiB comes in pieces.
	// line is valid during the call. Calls for one output follow each other;
	// those for the other output may run at the same time.
	//
	// While Each runs nothing is received, so a slow function slows the child
	// down. ctx does not end with the call's: the child may have last words.
	// It ends WaitDelay after the child has. An error ends the child as a cancel
	// does, and is returned.
	Each func(ctx context.Context, line []byte) error

	// Discard captures nothing.
	Discard bool
}

func (Redirect) isInput()     {}
func (Bytes) isInput()        {}
func (FileRedirect) isInput() {}

func (Redirect) isOutput()       {}
func (OutputRedirect) isOutput() {}
func (FileRedirect) isOutput()   {}
func (Lines) isOutput()          {}

// supervisedOnly reports whether somebody has to serve the child for r.
func supervisedOnly(r any) bool {
	switch r := r.(type) {
	case Bytes:
		return len(r) > 0
	case Lines:
		return true
	}
	return r == Capture
}
