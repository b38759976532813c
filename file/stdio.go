package file

import (
	"context"
	"errors"

	"trigo"
	"trigo/internal/fdstream"
)

// Stdin returns standard input as a stream. A receive that waits for a pipe, a
// terminal or a socket is woken by its ctx, on every Unix.
//
// The descriptor is shared with the parent and with others, and its flags are left
// as they are: a pipe or a terminal is opened once more, by way of /proc (Linux).
// What cannot be opened again, such as a socket, and anything without /proc, is
// borrowed: it does not block while the stream is open, and does again once it is
// closed. On Windows no receive that waits can be woken.
//
// The stream owns the descriptor: after its Close, it is /dev/null. Stdin must be
// called once, and nobody may use os.Stdin beside it. For text, see [NewTextFile].
//
// Stdin itself waits for nothing. A dead ctx is an error, and then it has touched
// nothing; from then on ctx makes no difference, and each call brings its own.
func Stdin(ctx context.Context) (trigo.ReceiveStream, error) {
	return standard(ctx, "stdin", fdstream.Stdin)
}

// Stdout returns standard output as a stream, as [Stdin] does for standard input,
// with the same use for ctx. A broken pipe is [trigo.ErrBroken] and no signal. After
// its Close the reader of a pipe has seen the end of file.
func Stdout(ctx context.Context) (trigo.SendStream, error) {
	return standard(ctx, "stdout", fdstream.Stdout)
}

// Stderr returns standard error as a stream, as [Stdout] does for standard output,
// with the same use for ctx. After its Close, package log and panics write to nobody.
func Stderr(ctx context.Context) (trigo.SendStream, error) {
	return standard(ctx, "stderr", func() (*fdstream.Output, error) { return fdstream.OpenOutput(2, "stderr") })
}

// Stdio returns standard input and standard output as one stream: see [Stdin] and
// [Stdout], also for ctx. Its SendEOF closes the output alone. If the output cannot
// be had, the input is closed again, as by its Close.
func Stdio(ctx context.Context) (*trigo.StapledStream, error) {
	in, err := Stdin(ctx)
	if err != nil {
		return nil, err
	}
	out, err := Stdout(ctx)
	if err != nil {
		return nil, errors.Join(err, trigo.CloseForcefully(in))
	}
	return trigo.Staple(out, in), nil
}

// standard opens a standard stream, unless ctx is dead.
func standard[S trigo.Resource](ctx context.Context, name string, open func() (S, error)) (s S, err error) {
	if ctx.Err() != nil {
		return s, &trigo.OpError{Op: "open", Layer: name, Err: trigo.CancelError(ctx)}
	}
	return open()
}
