package process

import (
	"context"
	"errors"
	"io"
	"slices"

	"trigo"
	"trigo/nursery"
)

// service is what somebody has to do for a child while it runs.
type service struct {
	feeder     *feeder
	collectors []*collector
	pipes      []usersPipe // those that the user has
}

// usersPipe is our end of a pipe that the user has.
type usersPipe interface {
	trigo.Resource
	abandon()
}

// tasks are the parts of the service that wait.
func (s *service) tasks() (tasks []func(ctx context.Context) error) {
	if s.feeder != nil {
		tasks = append(tasks, s.feeder.run)
	}
	for _, c := range s.collectors {
		tasks = append(tasks, c.run)
	}
	return tasks
}

// close closes what the service has served.
func (s *service) close() {
	if s.feeder != nil {
		trigo.CloseForcefully(s.feeder.to)
	}
	for _, c := range s.collectors {
		trigo.CloseForcefully(c.from)
	}
}

// abandon closes what the user has.
func (s *service) abandon() {
	for _, p := range s.pipes {
		p.abandon()
		trigo.CloseForcefully(p)
	}
}

// isGone reports whether err only says that nobody reads, or that we ourselves
// have closed.
func isGone(err error) bool {
	return errors.Is(err, trigo.ErrBroken) || errors.Is(err, trigo.ErrClosed)
}

// A feeder gives the child its input.
type feeder struct {
	to   trigo.SendStream
	data []byte
	held bool // somebody had the other end open, and did not read
}

// run sends the data and the end of file. It ends quietly when ctx does, and
// when the child does not want any more.
func (f *feeder) run(ctx context.Context) error {
	err := f.to.SendAll(ctx, f.data)
	if err == nil {
		err = f.to.Close(ctx)
	}
	switch {
	case err == nil, isGone(err):
		return nil
	case nursery.IsCancellation(ctx, err):
		f.held = true
		return nil
	}
	return err
}

// A collector receives what the child writes to one of its outputs.
type collector struct {
	name  string // "stdout" or "stderr"
	from  receiver
	keep  bool
	lines *lineSplitter // nil: nobody wants them

	kept    []byte
	held    bool // somebody had the other end open at the end of ctx
	holders []relative
}

const (
	receiveSize = 64 << 10 // of a pipe
	// maxLeft bounds what is taken from a pipe at the end of ctx: no pipe of a
	// user without privileges is larger, and a writer may be as fast as we are.
	maxLeft = 1 << 20
)

// run receives until the end. When ctx ends it takes what is there already, and
// ends quietly. It leaves the stream open: a terminal shows its end when the child
// has closed it, and to close it then would hang up on a child that has yet to
// exit.
func (c *collector) run(ctx context.Context) error {
	c.kept = []byte{}
	buf := make([]byte, receiveSize)
	for {
		n, err := c.from.ReceiveSome(ctx, c.space(buf))
		switch {
		case err == io.EOF:
			return c.finish(ctx)
		case nursery.IsCancellation(ctx, err):
			return c.takeRest(ctx, buf)
		case err != nil:
			return err
		}
		if err := c.take(ctx, buf, n); err != nil {
			return err
		}
	}
}

// space returns where to receive to: behind what is kept, so that it need not
// be copied.
func (c *collector) space(buf []byte) []byte {
	if !c.keep {
		return buf
	}
	if cap(c.kept)-len(c.kept) < receiveSize {
		c.kept = slices.Grow(c.kept, max(receiveSize, len(c.kept)))
	}
	return c.kept[len(c.kept) : len(c.kept)+receiveSize]
}

// take takes the n bytes that were received into space.
func (c *collector) take(ctx context.Context, buf []byte, n int) error {
	news := buf[:n]
	if c.keep {
		news = c.kept[len(c.kept) : len(c.kept)+n]
		c.kept = c.kept[:len(c.kept)+n]
	}
	if c.lines == nil {
		return nil
	}
	return c.lines.add(ctx, news)
}

func (c *collector) takeRest(ctx context.Context, buf []byte) error {
	for taken := 0; taken < maxLeft; {
		n, err := c.from.receiveNow(c.space(buf))
		if err != nil {
			return c.finish(ctx) // io.EOF; any other error has nothing to add
		}
		if n == 0 {
			break
		}
		if err := c.take(ctx, buf, n); err != nil {
			return err
		}
		taken += n
	}
	c.held, c.holders = true, c.from.heldBy()
	return c.finish(ctx)
}

func (c *collector) finish(ctx context.Context) error {
	if c.lines == nil {
		return nil
	}
	return c.lines.finish(ctx)
}
