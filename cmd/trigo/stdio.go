package main

import (
	"context"
	"errors"
	"io"

	"sync/atomic"
	"syscall"

	"golang.org/x/term"

	"trigo"
	"trigo/internal/fdstream"
)

// stdio is standard input and output as one stream, with two manners of its
// own. When nobody reads the output any more (trigo ... | head), reading the
// input ends with the same error: nothing is left to wait for. And when the
// input is a terminal, the end of the output is the end of the input too: who
// sits there cannot see that it is their turn to end it.
type stdio struct {
	*trigo.StapledStream
	interactive bool
	over        atomic.Pointer[error] // what receiving ends with, when the output has ended
}

var _ trigo.HalfCloseableStream = (*stdio)(nil)

func openStdio() (trigo.Stream, error) {
	in, err := fdstream.Stdin()
	if err != nil {
		return nil, err
	}
	out, err := fdstream.Stdout()
	if err != nil {
		return nil, errors.Join(err, trigo.CloseForcefully(in))
	}
	return &stdio{StapledStream: trigo.Staple(out, in), interactive: isTerminal(int(syscall.Stdin))}, nil
}

func (s *stdio) SendAll(ctx context.Context, p []byte) error {
	err := s.StapledStream.SendAll(ctx, p)
	if errors.Is(err, trigo.ErrBroken) {
		s.endInput(ctx, err)
	}
	return err
}

func (s *stdio) SendEOF(ctx context.Context) error {
	err := s.StapledStream.SendEOF(ctx)
	if err == nil && s.interactive {
		s.endInput(ctx, io.EOF)
	}
	return err
}

// endInput makes receiving end with why.
func (s *stdio) endInput(ctx context.Context, why error) {
	if s.over.CompareAndSwap(nil, &why) {
		s.Receive.Close(ctx)
	}
}

func (s *stdio) ReceiveSome(ctx context.Context, p []byte) (int, error) {
	n, err := s.StapledStream.ReceiveSome(ctx, p)
	if over := s.over.Load(); over != nil && errors.Is(err, trigo.ErrClosed) {
		return 0, *over
	}
	return n, err
}

func (s *stdio) String() string { return "stdio" }

func isTerminal(fd int) bool { return term.IsTerminal(fd) }
