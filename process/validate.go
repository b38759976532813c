package process

import (
	"fmt"
	"os"
	"strings"
)

// mode is the call that a command is started by.
type mode int

const (
	modeRun mode = iota
	modeSupervise
	modeOpen
)

func (m mode) String() string { return [...]string{"Run", "Supervise", "Open"}[m] }

// invalid is the error of a command that cannot be meant.
func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{os.ErrInvalid}, args...)...)
}

// validate finds settings that contradict each other or would be ignored.
func (c *Command) validate(m mode) error {
	for _, check := range []func(mode) error{c.validateArgs, c.validateStdio, c.validatePTY, c.validateRest} {
		if err := check(m); err != nil {
			return err
		}
	}
	return nil
}

func (c *Command) validateArgs(mode) error {
	switch {
	case c.Shell == "" && len(c.Args) == 0:
		return invalid("neither Args nor Shell is set")
	case c.Shell != "" && len(c.Args) > 0:
		return invalid("both Args and Shell are set")
	case c.Shell == "" && c.Path == "" && c.Args[0] == "":
		return invalid("the name of the program is empty")
	}
	for name, texts := range map[string][]string{"Args": c.Args, "Env": c.Env} {
		for i, text := range texts {
			if strings.IndexByte(text, 0) >= 0 {
				return invalid("%s[%d] contains a NUL byte: %q", name, i, text)
			}
			if name == "Env" && strings.IndexByte(text, '=') <= 0 {
				return invalid("Env[%d] is not NAME=value: %q", i, text)
			}
		}
	}
	for name, text := range map[string]string{"Shell": c.Shell, "Path": c.Path, "Dir": c.Dir} {
		if strings.IndexByte(text, 0) >= 0 {
			return invalid("%s contains a NUL byte: %q", name, text)
		}
	}
	return nil
}

func (c *Command) validateStdio(m mode) error {
	for _, s := range []struct {
		name     string
		redirect any
	}{{"Stdin", c.Stdin}, {"Stdout", c.Stdout}, {"Stderr", c.Stderr}} {
		switch r := s.redirect.(type) {
		case Redirect:
			if r < Inherit || r > Pipe {
				return invalid("%s is an unknown Redirect(%d)", s.name, r)
			}
		case OutputRedirect:
			if r != Capture && r != ToStdout {
				return invalid("%s is an unknown OutputRedirect(%d)", s.name, r)
			}
		case FileRedirect:
			if r.f == nil {
				return invalid("%s is File(nil)", s.name)
			}
		case Lines:
			if r.Each == nil {
				return invalid("%s is Lines without Each", s.name)
			}
		}
		if m == modeRun && s.redirect == any(Pipe) {
			return invalid("%s is Pipe, but nobody can use it while Run runs: use Supervise", s.name)
		}
		if m == modeOpen && supervisedOnly(s.redirect) {
			return invalid("%s is %T, but Open leaves the child alone: use Supervise", s.name, s.redirect)
		}
	}
	if c.Stdout == ToStdout {
		return invalid("Stdout is ToStdout")
	}
	for i, f := range c.ExtraFiles {
		if f == nil {
			return invalid("ExtraFiles[%d] is nil", i)
		}
	}
	return nil
}

func (c *Command) validatePTY(mode) error {
	if !c.PTY {
		if c.Size != (Size{}) {
			return invalid("Size is set, but not PTY")
		}
		return nil
	}
	switch r := c.Stdin.(type) {
	case nil, Bytes:
	default:
		if r != Pipe {
			return invalid("PTY with Stdin %T: only nil, Bytes and Pipe can be typed", r)
		}
	}
	switch r := c.Stdout.(type) {
	case Lines:
	default:
		if r != Pipe && r != Capture {
			return invalid("PTY needs Stdout to be Pipe, Capture or Lines")
		}
	}
	if c.Stderr != nil {
		return invalid("PTY with Stderr: a terminal shows both outputs as one")
	}
	return nil
}

func (c *Command) validateRest(m mode) error {
	switch {
	case c.Group < DefaultGroup || c.Group > ParentGroup:
		return invalid("unknown Group(%d)", c.Group)
	case c.Group == ParentGroup && (c.Session || c.PTY):
		return invalid("ParentGroup, but a session begins with a group of its own")
	case c.Umask != nil && *c.Umask&^0o777 != 0:
		return invalid("Umask is %O", uint32(*c.Umask))
	}
	if m != modeOpen {
		return nil
	}
	for name, set := range map[string]bool{
		"NoCheck": c.NoCheck, "Grace": c.Grace != 0, "WaitDelay": c.WaitDelay != 0,
		"DeliverCancel": c.DeliverCancel != nil, "Logger": c.Logger != nil,
	} {
		if set {
			return invalid("%s is set, but Open leaves the child alone", name)
		}
	}
	return nil
}
