package process

import (
	"context"
	"io/fs"
	"log/slog"
	"os"
	"time"
)

// A Command says what to run, and how. It is not changed by running it, and may
// be run many times, also at the same time.
//
// Settings that contradict each other, or that the call would have to ignore,
// are an error that Is [os.ErrInvalid], before anything is started.
type Command struct {
	// Args are the name of the program and its arguments, which no shell
	// changes. A name without a slash is looked up in PATH; one with a slash is
	// relative to Dir.
	Args []string

	// Shell is a command line for /bin/sh, in the place of Args. Whatever is put
	// into it must be quoted by its rules; better is to pass it as an argument,
	// through Args: {"sh", "-c", `rm -- "$1"`, "sh", name}.
	Shell string

	// Path is the program to run, where Args[0] is to say something else. With
	// Shell it is the shell.
	Path string

	// Env is the environment, as "NAME=value". Of two with one name the last
	// counts. nil: that of this process, with PWD set to Dir.
	Env []string

	// Dir is the working directory. Empty: that of this process.
	Dir string

	// Stdin is what the child reads: [Bytes], [Inherit], [Null], [Pipe] or
	// [File]. nil: nothing, the end of file at once.
	Stdin Input

	// Stdout and Stderr are where the child writes to: [Inherit], [Null],
	// [Pipe], [File], [Capture] or [Lines]. Stderr may be [ToStdout]. nil:
	// Inherit.
	Stdout, Stderr Output

	// ExtraFiles become the descriptors 3 and up of the child.
	ExtraFiles []*os.File

	// NoCheck lets [Run] and [Supervise] return no error when the status is
	// not 0.
	NoCheck bool

	// Group says whether the child leads a process group of its own; see the
	// package documentation.
	Group Group

	// Session makes the child the leader of a session of its own, without a
	// terminal, and so of a group of its own.
	Session bool

	// PTY gives the child a terminal of its own, as descriptors 0, 1 and 2 and
	// with a session of its own. Stdin is then nil, Bytes or Pipe (what is
	// "typed"), Stdout is Capture, Lines or Pipe (what is "shown", standard error
	// included), and Stderr is nil. To close stdin types the end of file; to close
	// stdout hangs up, which a child that still runs gets as SIGHUP. Size is that
	// of the terminal. Linux only.
	PTY  bool
	Size Size

	// Credential is who the child runs as. nil: who we are.
	Credential *Credential

	// Umask is the file mode creation mask of the child. nil: ours. Linux only.
	Umask *fs.FileMode

	// Grace is how long the child has to end after SIGTERM, before SIGKILL. 0:
	// 5 s. Negative: no time, SIGKILL is the first signal.
	Grace time.Duration

	// WaitDelay is how long, after the end of the child, pipes are served that
	// are still open. 0: 5 s. Negative: no time. What is in the pipe by then is
	// kept, and [Completed.PipesHeld] tells of it.
	WaitDelay time.Duration

	// DeliverCancel takes the place of SIGTERM, Grace and SIGKILL: it is to
	// make the child end. It is called when ctx has ended; its own ctx ends when
	// the child has. The child is waited for in any case, for ever if need be.
	// If DeliverCancel returns an error, that becomes part of the error of the
	// call, and the child gets SIGTERM, Grace and SIGKILL after all.
	DeliverCancel func(ctx context.Context, p *Process) error

	// Logger is told of a child that ignored SIGTERM, of pipes held and of
	// survivors. nil: slog.Default().
	Logger *slog.Logger
}

// Group says which process group a child belongs to.
type Group int

const (
	// DefaultGroup is OwnGroup for Run and Supervise, unless the child's input
	// is an inherited terminal, and ParentGroup for Open.
	DefaultGroup Group = iota
	// OwnGroup: the child leads a group of its own, and [Process.Terminate] and
	// [Process.Kill] reach all of it.
	OwnGroup
	// ParentGroup: the child belongs to our group, gets a Ctrl-C together with
	// us, and is signalled alone.
	ParentGroup
)

// Size is the size of a terminal in characters. A zero size is that of a
// terminal that does not know it.
type Size struct{ Rows, Cols uint16 }

// Credential is a user, a group and supplementary groups, by number.
type Credential struct {
	UID, GID uint32
	Groups   []uint32
}

const (
	defaultGrace     = 5 * time.Second
	defaultWaitDelay = 5 * time.Second
)

// limit turns a setting into a duration: 0 means def, negative means none.
func limit(d, def time.Duration) time.Duration {
	if d == 0 {
		return def
	}
	return max(d, 0)
}

func (c *Command) logger() *slog.Logger {
	if c.Logger != nil {
		return c.Logger
	}
	return slog.Default()
}

// argv returns the program and the arguments as the kernel gets them.
func (c *Command) argv() (path string, args []string) {
	if c.Shell == "" {
		if c.Path != "" {
			return c.Path, c.Args
		}
		return c.Args[0], c.Args
	}
	path = c.Path
	if path == "" {
		path = "/bin/sh"
	}
	return path, []string{path, "-c", c.Shell}
}

// name is how errors call the child.
func (c *Command) name() string {
	if c.Shell != "" {
		return "process sh"
	}
	if len(c.Args) == 0 {
		return "process"
	}
	return "process " + c.Args[0]
}
