package fdstream

import (
	"context"
	"sync"

	"trigo"
)

// # Standard input and output
//
// The descriptors 0, 1 and 2 are not ours alone. They are shared with the
// shell, with other processes of the pipeline and mostly with each other: a
// terminal is one open file description for all of them, and O_NONBLOCK is a
// property of the description. Set for our sake, it makes the writes of others
// fail with EAGAIN, and stays set when we are gone. Not set, a read waits where
// no ctx can reach it.
//
// So, in this order:
//
//   - Regular files and directories are read and written inline. They never
//     wait for anybody, only for the disk.
//   - Pipes, terminals and other devices are opened again (Linux, through
//     /proc/self/fd): that gives a description of our own.
//   - What cannot be opened again (sockets; anything without /proc; other
//     systems) is borrowed: O_NONBLOCK is set on the shared description and
//     taken back when the last stream of ours on it is closed. If the process
//     is killed before, it stays.
//   - What then cannot be polled (/dev/null) is read and written inline.
//
// Where descriptors cannot be polled at all (Windows), everything is inline, and a
// receive that waits for a pipe or a console is not woken by its ctx.
//
// Closing gives the descriptor itself back too, or the reader of a pipe would
// not see its end before the process exits. /dev/null takes its place, so that
// the number is not given to some other file.

// Stdin returns a stream that receives from standard input, which it owns: after
// Close, descriptor 0 is /dev/null. It must be called once.
func Stdin() (*Input, error) { return OpenInput(0, "stdin") }

// Stdout returns a stream that sends to standard output, which it owns: after
// Close, descriptor 1 is /dev/null, and the reader of a pipe has seen the end of
// file. It must be called once. A broken pipe is [trigo.ErrBroken], and no
// signal.
//
// If standard output is a socket that the stream of [Stdin] has open too, as
// under inetd, Close shuts the sending half of it down.
func Stdout() (*Output, error) { return OpenOutput(1, "stdout") }

// OpenInput is Stdin for any inherited descriptor, named name in errors.
func OpenInput(fd int, name string) (*Input, error) {
	d, err := open(fd, name, receives)
	if err != nil {
		return nil, err
	}
	return &Input{d}, nil
}

// OpenOutput is Stdout for any inherited descriptor, named name in errors.
func OpenOutput(fd int, name string) (*Output, error) {
	d, err := open(fd, name, sends)
	if err != nil {
		return nil, err
	}
	return &Output{d}, nil
}

// An Input is a [trigo.ReceiveStream].
type Input struct{ d *inherited }

// An Output is a [trigo.SendStream].
type Output struct{ d *inherited }

var (
	_ trigo.ReceiveStream = (*Input)(nil)
	_ trigo.SendStream    = (*Output)(nil)
)

func (i *Input) ReceiveSome(ctx context.Context, p []byte) (int, error) {
	return i.d.stream.ReceiveSome(ctx, p)
}

// Close never waits.
func (i *Input) Close(ctx context.Context) error { return i.d.close(ctx) }

func (i *Input) String() string { return string(i.d.name) }

func (o *Output) SendAll(ctx context.Context, p []byte) error { return o.d.stream.SendAll(ctx, p) }

func (o *Output) WaitSendAllMightNotBlock(ctx context.Context) error {
	return o.d.stream.WaitSendAllMightNotBlock(ctx)
}

// Close never waits. What SendAll took is delivered.
func (o *Output) Close(ctx context.Context) error { return o.d.close(ctx) }

func (o *Output) String() string { return string(o.d.name) }

// direction says what a descriptor is wanted for.
type direction int

const (
	receives direction = iota
	sends
)

// inherited is a descriptor that the process was started with.
type inherited struct {
	name    layerName
	stream  trigo.Stream
	giveUp  func() error // gives the descriptor back, once the stream is closed
	closing sync.Once
}

func open(fd int, name string, dir direction) (*inherited, error) {
	d := &inherited{name: layerName(name)}
	var err error
	d.stream, d.giveUp, err = adopt(fd, d.name, dir)
	if err != nil {
		return nil, &trigo.OpError{Op: "open", Layer: name, Err: err}
	}
	return d, nil
}

func (d *inherited) close(ctx context.Context) (err error) {
	d.closing.Do(func() {
		err = d.stream.Close(ctx)
		if upErr := d.giveUp(); err == nil && upErr != nil {
			err = &trigo.OpError{Op: "close", Layer: d.name.String(), Err: upErr}
		}
	})
	return err
}

type layerName string

func (n layerName) String() string { return string(n) }
