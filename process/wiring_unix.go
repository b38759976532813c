//go:build unix

package process

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"trigo"
	"trigo/internal/fdstream"
)

// wiring is what connects a child with the world: its descriptors, and our ends
// of those that are pipes.
type wiring struct {
	command string
	files   []childFile // by the number in the child
	lent    []*os.File  // ours, until the child has them
	nothing *os.File    // /dev/null, once it was needed

	send    sender
	receive [3]receiver // by the number in the child
}

// childFile is a file of the child, with its name for errors.
type childFile struct {
	name string
	f    *os.File
}

// connect opens what the child needs.
func (w *wiring) connect(c *Command) error {
	if c.PTY {
		return w.connectTerminal(c.Size, c.ExtraFiles)
	}
	steps := []struct {
		name    string
		connect func() (*os.File, error)
	}{
		{"stdin", func() (*os.File, error) { return w.input(c.Stdin) }},
		{"stdout", func() (*os.File, error) { return w.output(1, c.Stdout) }},
		{"stderr", func() (*os.File, error) { return w.output(2, c.Stderr) }},
	}
	for _, s := range steps {
		f, err := s.connect()
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		w.files = append(w.files, childFile{s.name, f})
	}
	return w.extra(c.ExtraFiles)
}

func (w *wiring) extra(files []*os.File) error {
	for i, f := range files {
		name := fmt.Sprintf("ExtraFiles[%d]", i)
		f, err := w.lend(f)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		w.files = append(w.files, childFile{name, f})
	}
	return nil
}

func (w *wiring) input(in Input) (*os.File, error) {
	switch in := in.(type) {
	case nil:
		return w.null()
	case Bytes:
		if len(in) == 0 {
			return w.null()
		}
		return w.inputPipe()
	case FileRedirect:
		return w.lend(in.f)
	}
	switch in {
	case Inherit:
		return os.Stdin, nil
	case Pipe:
		return w.inputPipe()
	}
	return w.null()
}

func (w *wiring) output(fd int, out Output) (*os.File, error) {
	switch out := out.(type) {
	case Lines:
		return w.outputPipe(fd)
	case FileRedirect:
		return w.lend(out.f)
	}
	switch out {
	case Null:
		return w.null()
	case Pipe, Capture:
		return w.outputPipe(fd)
	case ToStdout:
		return w.files[1].f, nil
	}
	return [...]*os.File{1: os.Stdout, 2: os.Stderr}[fd], nil
}

// null returns /dev/null, one for all. os.OpenFile would first try in vain to
// have it polled.
func (w *wiring) null() (*os.File, error) {
	if w.nothing == nil {
		fd, err := unix.Open(os.DevNull, unix.O_RDWR|unix.O_CLOEXEC, 0)
		if err != nil {
			return nil, &os.PathError{Op: "open", Path: os.DevNull, Err: err}
		}
		w.nothing = os.NewFile(uintptr(fd), os.DevNull)
		w.lent = append(w.lent, w.nothing)
	}
	return w.nothing, nil
}

func (w *wiring) inputPipe() (*os.File, error) {
	layer := layerName("stdin of " + w.command)
	s, child, err := w.pipe(writeEnd, layer)
	if err != nil {
		return nil, err
	}
	w.send = &sendPipe{s: s, layer: layer}
	return child, nil
}

func (w *wiring) outputPipe(fd int) (*os.File, error) {
	layer := layerName([...]string{1: "stdout of ", 2: "stderr of "}[fd] + w.command)
	s, child, err := w.pipe(readEnd, layer)
	if err != nil {
		return nil, err
	}
	w.receive[fd] = &receivePipe{s: s, layer: layer}
	return child, nil
}

// The ends of a pipe.
const (
	readEnd = iota
	writeEnd
)

// pipe makes a pipe: a stream on the end that is ours, and the end of the child,
// which does not expect EAGAIN. os.Pipe would give both to the poller, and take the
// child's away again a moment later.
func (w *wiring) pipe(ours int, layer layerName) (s *fdstream.Stream, child *os.File, err error) {
	ends, err := newPipe()
	if err != nil {
		return nil, nil, os.NewSyscallError("pipe", err)
	}
	child = os.NewFile(uintptr(ends[1-ours]), string(layer))
	w.lent = append(w.lent, child)
	if err := unix.SetNonblock(ends[ours], true); err != nil { // or the runtime would not poll it
		unix.Close(ends[ours])
		return nil, nil, err
	}
	own := os.NewFile(uintptr(ends[ours]), string(layer))
	s, err = fdstream.New(own, layer)
	if err != nil {
		own.Close()
		return nil, nil, err
	}
	return s, child, nil
}

// setBlocking makes f block, without taking it from the poller.
func setBlocking(f *os.File) error {
	return control(f, func(fd int) error { return unix.SetNonblock(fd, false) })
}

// control calls do with the descriptor of f.
func control(f *os.File, do func(fd int) error) error {
	raw, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var doErr error
	if err := raw.Control(func(fd uintptr) { doErr = do(int(fd)) }); err != nil {
		return os.ErrClosed
	}
	return doErr
}

// lend returns a file for the child that is the same as f and blocks. O_NONBLOCK
// is a property of the open file description, which is shared: left on, the child
// would meet EAGAIN; taken off, a ctx could no longer wake who waits for f here.
// So f is opened once more where that is possible. A file on a disk never waits,
// whatever its flags, and is lent as it is: opened once more it would have another
// position.
func (w *wiring) lend(f *os.File) (*os.File, error) {
	var again *os.File
	err := control(f, func(fd int) error {
		flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
		if err != nil || flags&unix.O_NONBLOCK == 0 || isOnDisk(fd) {
			return err
		}
		// Opened without blocking, or a FIFO would wait for somebody at its other end.
		path := fmt.Sprintf("/proc/self/fd/%d", fd)
		again, err = os.OpenFile(path, flags&unix.O_ACCMODE|flags&unix.O_APPEND|unix.O_NONBLOCK|unix.O_NOCTTY, 0)
		switch {
		case errors.Is(err, unix.EMFILE), errors.Is(err, unix.ENFILE):
			return bare(err) // the next time it may be possible
		case err != nil:
			return unix.SetNonblock(fd, false)
		}
		return nil
	})
	if again == nil {
		return f, err
	}
	w.lent = append(w.lent, again)
	return again, setBlocking(again)
}

// isOnDisk reports whether fd is a regular file, a directory or a disk.
func isOnDisk(fd int) bool {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return false
	}
	kind := st.Mode & unix.S_IFMT
	return kind == unix.S_IFREG || kind == unix.S_IFDIR || kind == unix.S_IFBLK
}

// withDescriptors calls f with the numbers of the child's files, which stay
// open during the call.
func (w *wiring) withDescriptors(f func(fds []uintptr) error) error {
	var next func(files []childFile, fds []uintptr) error
	next = func(files []childFile, fds []uintptr) error {
		if len(files) == 0 {
			return f(fds)
		}
		raw, err := files[0].f.SyscallConn()
		if err == nil {
			var inner error
			err = raw.Control(func(fd uintptr) { inner = next(files[1:], append(fds, fd)) })
			if err == nil {
				return inner
			}
		}
		return fmt.Errorf("%s: %w", files[0].name, os.ErrClosed)
	}
	return next(w.files, make([]uintptr, 0, len(w.files)))
}

// closeLent closes what the child has by now.
func (w *wiring) closeLent() {
	for _, f := range w.lent {
		f.Close()
	}
}

// abandon closes our ends.
func (w *wiring) abandon() {
	if w.send != nil {
		trigo.CloseForcefully(w.send)
	}
	for _, r := range w.receive {
		if r != nil {
			trigo.CloseForcefully(r)
		}
	}
}

// handOver gives our ends to p, or to those who serve it.
func (w *wiring) handOver(c *Command, p *Process) *service {
	s := &service{}
	if w.send != nil {
		if c.Stdin == Pipe {
			p.stdin = w.send
			w.send.killsWith(p.Kill)
			s.pipes = append(s.pipes, w.send)
		} else {
			data, _ := c.Stdin.(Bytes)
			s.feeder = &feeder{to: w.send, data: data}
		}
	}
	for fd, r := range w.receive {
		if r == nil {
			continue
		}
		out := c.Stdout
		if fd == 2 {
			out = c.Stderr
		}
		if out == Pipe {
			s.pipes = append(s.pipes, r)
			*[...]*trigo.ReceiveStream{1: &p.stdout, 2: &p.stderr}[fd] = r
			continue
		}
		collect := &collector{name: [...]string{1: "stdout", 2: "stderr"}[fd], from: r, keep: true}
		if lines, ok := out.(Lines); ok {
			collect.keep = !lines.Discard
			collect.lines = &lineSplitter{each: lines.Each}
		}
		s.collectors = append(s.collectors, collect)
	}
	if p.stdin != nil && p.stdout != nil {
		p.stdio = trigo.Staple(p.stdin, p.stdout)
	}
	return s
}
