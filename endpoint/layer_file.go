package endpoint

import (
	"context"
	"errors"
	"io"
	"os"
	"strconv"

	"trigo"
	"trigo/file"
)

var fileKind = &kind{
	Kind: Kind{
		Name: "file", Form: "file:PATH", Role: Connects, Argument: "PATH",
		Help: "a file, or a device; it is read, written, or both, by the direction of the bytes",
		Options: []Option{
			{Key: "create", Type: Bool, Help: "make the file, or empty it, before it is written"},
			{Key: "append", Type: Bool, Help: "write at the end of the file; with create, make it if it is not there"},
			{Key: "seek", Type: Size, Help: "begin at this place"},
			{Key: "mode", Type: Mode, Default: "0666", Help: "the permissions of a file that is made, less the umask"},
		},
	},
	bare:  true,
	parse: parsePath,
	check: func(l Layer, _ []Layer) *Error {
		switch {
		case l.is("append", "on") && l.has("seek"):
			return mistake("file", "seek", "leave one of them out", "append and seek contradict each other")
		case l.has("mode") && !l.is("create", "on"):
			return mistake("file", "mode", "pass create as well", "mode has no effect without create")
		}
		return nil
	},
	prepare: func(s *setup) (*part, error) {
		f := fileSetup{path: file.Path(s.argument), direction: s.opts.Direction, seek: s.size("seek")}
		f.mode, _ = parseMode(s.text("mode"))
		f.create, f.append = s.on("create"), s.on("append")
		if s.opts.Direction == ReceiveOnly && (f.create || f.append) {
			return nil, s.failure("", "leave them out, or turn the direction round (-u, -U)", errors.New("create and append are for writing, and it is only read"))
		}
		return &part{phase: PhaseOpen, dial: f.open}, nil
	},
}

// fileSetup says how to open a file.
type fileSetup struct {
	path           file.Path
	direction      Direction
	create, append bool
	seek           int64
	mode           os.FileMode
}

// open opens the file once for each direction: both have a place in it of their
// own.
func (f *fileSetup) open(ctx context.Context) (trigo.Stream, error) {
	var in trigo.ReceiveStream
	var out trigo.SendStream
	if f.direction != ReceiveOnly {
		flag := os.O_WRONLY
		switch {
		case f.create && f.append:
			flag |= os.O_CREATE | os.O_APPEND
		case f.create:
			flag |= os.O_CREATE
			if f.seek == 0 {
				flag |= os.O_TRUNC
			}
		case f.append:
			flag |= os.O_APPEND
		}
		s, err := f.openFor(ctx, flag)
		if err != nil {
			return nil, err
		}
		out = s
	}
	if f.direction != SendOnly {
		s, err := f.openFor(ctx, os.O_RDONLY)
		if err != nil {
			if out != nil {
				trigo.CloseForcefully(out)
			}
			return nil, err
		}
		in = s
	}
	return pair(out, in, "file "+string(f.path)), nil
}

func (f *fileSetup) openFor(ctx context.Context, flag int) (*file.File, error) {
	s, err := file.OpenFile(ctx, f.path, flag, f.mode)
	if err != nil {
		return nil, err
	}
	if f.seek > 0 {
		if _, err := s.Seek(ctx, f.seek, io.SeekStart); err != nil {
			trigo.CloseForcefully(s)
			return nil, err
		}
	}
	return s, nil
}

var fifoKind = &kind{
	Kind: Kind{
		Name: "fifo", Form: "fifo:PATH", Role: Connects, Argument: "PATH",
		Help: "a named pipe, in the one direction that is wanted",
		Options: []Option{
			{Key: "create", Type: Bool, Help: "make it if it is not there"},
			{Key: "mode", Type: Mode, Default: "0666", Help: "the permissions of one that is made, less the umask"},
		},
	},
	bare:  true,
	parse: parsePath,
	check: func(l Layer, _ []Layer) *Error {
		if l.has("mode") && !l.is("create", "on") {
			return mistake("fifo", "mode", "pass create as well", "mode has no effect without create")
		}
		return nil
	},
	prepare: func(s *setup) (*part, error) {
		if s.opts.Direction == BothWays {
			return nil, s.failure("", "a pipe goes one way: say which (-u or -U), or take a socket", errors.New("bytes are to go both ways"))
		}
		mode, _ := parseMode(s.text("mode"))
		return &part{
			phase: PhaseOpen,
			dial: func(ctx context.Context) (trigo.Stream, error) {
				if s.on("create") {
					if err := makeFIFO(s.argument, uint32(mode)); err != nil {
						return nil, err
					}
				}
				if s.opts.Direction == ReceiveOnly {
					f, err := file.OpenFile(ctx, file.Path(s.argument), os.O_RDONLY, 0)
					if err != nil {
						return nil, err
					}
					return pair(nil, f, "fifo "+s.argument), nil
				}
				f, err := file.OpenFile(ctx, file.Path(s.argument), os.O_WRONLY, 0)
				if err != nil {
					return nil, err
				}
				return pair(f, nil, "fifo "+s.argument), nil
			},
		}, nil
	},
}

var fdKind = &kind{
	Kind: Kind{
		Name: "fd", Form: "fd:NUMBER", Role: Connects, Argument: "NUMBER",
		Help: "a descriptor that the program was started with",
	},
	bare: true,
	parse: func(argument string) (string, error) {
		n, err := parseInt(argument)
		return strconv.Itoa(n), err
	},
	prepare: func(s *setup) (*part, error) {
		fd, _ := parseInt(s.argument)
		return &part{
			phase: PhaseOpen,
			dial:  func(ctx context.Context) (trigo.Stream, error) { return openFD(ctx, fd, s.opts.Direction) },
		}, nil
	},
}
