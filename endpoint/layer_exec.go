package endpoint

import (
	"context"
	"errors"
	"os"
	"strings"
	"time"

	"trigo"
	"trigo/internal/fdstream"
	"trigo/process"
)

var execKind = &kind{
	Kind: Kind{
		Name: "exec", Form: "exec", Role: Connects,
		Help: "a child that runs the command after --; no shell, unless the command is one",
		Options: []Option{
			{Key: "pty", Type: Bool, Help: "give it a terminal of its own (Linux)"},
			{Key: "stderr", Type: Enum, Choices: []string{"inherit", "merge", "drop"}, Default: "inherit", Help: "where its standard error goes: ours, with its output, nowhere"},
			{Key: "env", Type: Text, List: true, Help: "NAME=VALUE, beside the environment of this program"},
			{Key: "cwd", Type: Path, Help: "its working directory"},
			{Key: "grace", Type: Duration, Default: "5s", Help: "how long it has to end after the end of its input, and again after SIGTERM"},
		},
	},
	check: func(l Layer, _ []Layer) *Error {
		if l.is("pty", "on") && l.has("stderr") {
			return mistake("exec", "stderr", "leave one of them out", "on a terminal standard error cannot be told apart")
		}
		return nil
	},
	bare:    true,
	prepare: prepareExec,
	explain: func(l Layer, _ []Layer) explained { return explained{copied: l.is("pty", "on")} },
}

func prepareExec(s *setup) (*part, error) {
	if len(s.opts.Argv) == 0 {
		return nil, s.failure("", "put it last, after --: exec -- COMMAND ARGUMENT...", errors.New("there is no command"))
	}
	c := process.Command{
		Args:    s.opts.Argv,
		Dir:     s.text("cwd"),
		Stdin:   process.Pipe,
		Stdout:  process.Pipe,
		NoCheck: true, // its status is for whoever asks for it
		Grace:   s.duration("grace"),
		PTY:     s.on("pty"),
		Logger:  s.opts.Logger,
	}
	if s.set("env") {
		c.Env = os.Environ()
		for _, entry := range s.values["env"] {
			if name, _, found := strings.Cut(entry, "="); !found || name == "" {
				return nil, s.failure("env", "want env=NAME=VALUE", errors.New("it has no value"))
			}
			c.Env = append(c.Env, entry)
		}
	}
	if !c.PTY {
		c.Stderr = map[string]process.Output{"inherit": process.Inherit, "merge": process.ToStdout, "drop": process.Null}[s.text("stderr")]
	}
	return &part{
		phase: PhaseOpen,
		dial:  func(ctx context.Context) (trigo.Stream, error) { return startChild(ctx, &c) },
	}, nil
}

// A child is the standard input and output of a process as one stream. The process
// ends with the stream, with all its descendants that can be found.
//
// A goroutine supervises it, from Dial to the end of Close or, after Abort, of the
// process.
type child struct {
	*trigo.StapledStream
	process *process.Process
	grace   time.Duration
	cancel  context.CancelFunc // ends it: SIGTERM, and SIGKILL after grace
	done    chan struct{}      // closed when nothing is left of it
}

var (
	_ trigo.HalfCloseableStream = (*child)(nil)
	_ trigo.Aborter             = (*child)(nil)
	_ fdstream.Receiver         = (*child)(nil)
	_ fdstream.Sender           = (*child)(nil)
)

func startChild(ctx context.Context, c *process.Command) (trigo.Stream, error) {
	if ctx.Err() != nil {
		return nil, trigo.CancelError(ctx)
	}
	s := &child{grace: c.Grace, done: make(chan struct{})}
	if err := s.start(ctx, c); err != nil {
		return nil, err
	}
	s.StapledStream = s.process.Stdio()
	return s, nil
}

// start starts the process and its supervision.
func (s *child) start(ctx context.Context, c *process.Command) error {
	life, cancel := context.WithCancel(context.WithoutCancel(ctx))
	s.cancel = cancel
	started := make(chan *process.Process, 1)
	var failure error // of the start
	go func() {
		defer close(s.done)
		defer cancel()
		failure = process.Supervise(c)(life, func(p *process.Process) { started <- p })
	}()
	select {
	case s.process = <-started:
		return nil
	case <-s.done:
	}
	select {
	case s.process = <-started: // it has come and gone
		return nil
	default:
		return failure
	}
}

// Process returns the child, for its status.
func (s *child) Process() *process.Process { return s.process }

// Close gives the child the end of its input and waits for its end. After the time
// of grace it gets SIGTERM, and SIGKILL when that was in vain or ctx has ended.
func (s *child) Close(ctx context.Context) error {
	s.StapledStream.Close(ctx)
	if !s.wait(ctx, s.grace) && ctx.Err() == nil {
		s.process.Terminate()
		s.wait(ctx, s.grace)
	}
	cut := trigo.CancelError(ctx)
	select {
	case <-s.done:
		return nil
	default:
	}
	s.process.Kill()
	s.cancel()
	<-s.done
	if cut != nil {
		return &trigo.OpError{Op: "close", Layer: s.String(), Err: cut}
	}
	return nil
}

// CloseTime returns how long a ctx of Close must last for the child to have its time
// of grace twice in full.
func (s *child) CloseTime() time.Duration {
	return 3 * min(s.grace, 1<<60) // see wait: of what is left it takes a half
}

// wait waits for the end of the child, and reports whether it came.
func (s *child) wait(ctx context.Context, limit time.Duration) bool {
	if d, ok := ctx.Deadline(); ok {
		limit = min(limit, time.Until(d)/2) // the other half is for what comes then
	}
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-s.done:
		return true
	case <-timer.C:
	case <-ctx.Done():
	}
	return false
}

// Abort kills the child, with all its descendants in its group.
func (s *child) Abort() error {
	err := s.process.Kill()
	s.cancel()
	trigo.CloseForcefully(s.StapledStream)
	return err
}

// Underlying returns the streams, and the *process.Process.
// Itself says that the kernel may move the bytes, if the child has pipes and no
// terminal.
func (s *child) Itself() any {
	if isDescriptor(s.Receive) && isDescriptor(s.Send) {
		return s
	}
	return nil
}

func (s *child) ReceiveBy(ctx context.Context, op func(sysfd int) error) error {
	return s.Receive.(fdstream.Receiver).ReceiveBy(ctx, op)
}

func (s *child) SendBy(ctx context.Context, op func(sysfd int) error, moved *int) error {
	return s.Send.(fdstream.Sender).SendBy(ctx, op, moved)
}

func (s *child) Underlying() []any { return []any{s.StapledStream, s.process} }

func (s *child) String() string {
	return "exec " + strings.Join(s.process.Args()[:1], "")
}
