// Package fdstream makes a trigo stream of a descriptor: what sockets, pipes
// and terminals have in common. It adds to pollio the contract of the streams:
// errors of the right kind that name the layer, and ends that stay.
package fdstream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"sync/atomic"

	"trigo"
	"trigo/internal/pollio"
)

// A Stream sends to and receives from one descriptor. See [trigo.SendStream] and
// [trigo.ReceiveStream] for what its methods do.
type Stream struct {
	fd    *pollio.FD
	own   pollio.FD    // is fd, unless that is shared
	layer fmt.Stringer // names the stream in errors

	end     atomic.Pointer[error] // what receiving ended with: io.EOF or why it broke
	reset   atomic.Pointer[error] // that the peer is gone, as sending learnt it
	sentEOF atomic.Bool
	sending atomic.Int32 // sends whose error, if they get one, is not yet in reset
}

var _ trigo.Stream = (*Stream)(nil)

// New returns a stream that owns src. layer names it in errors. It fails if src
// cannot be polled; src is then still the caller's.
func New(src pollio.Source, layer fmt.Stringer) (*Stream, error) {
	s := new(Stream)
	if err := s.Own(src, layer); err != nil {
		return nil, err
	}
	return s, nil
}

// Own is [New] for a stream that is part of something else.
func (s *Stream) Own(src pollio.Source, layer fmt.Stringer) error {
	s.fd, s.layer = &s.own, layer
	return s.own.Init(src)
}

// Share makes s a stream on a descriptor that somebody else uses too.
func (s *Stream) Share(fd *pollio.FD, layer fmt.Stringer) { s.fd, s.layer = fd, layer }

// FD returns the descriptor, for calls that go beyond a stream.
func (s *Stream) FD() *pollio.FD { return s.fd }

func (s *Stream) SendAll(ctx context.Context, p []byte) error {
	if s.sentEOF.Load() {
		return s.sendError("send", 0, trigo.ErrClosed)
	}
	s.sending.Add(1)
	n, err := s.fd.Write(ctx, p)
	if err != nil {
		err = s.sendError("send", n, err)
	}
	s.sending.Add(-1)
	return err
}

func (s *Stream) WaitSendAllMightNotBlock(ctx context.Context) error {
	if s.sentEOF.Load() {
		return s.sendError("wait to send", 0, trigo.ErrClosed)
	}
	if err := s.fd.WaitWrite(ctx); err != nil {
		return s.sendError("wait to send", 0, err)
	}
	return nil
}

// SendEOF calls shut, which must tell the peer of the end, as a sender of the
// stream. Only the first time.
func (s *Stream) SendEOF(ctx context.Context, shut func() error) error {
	err := s.fd.HoldWrite(ctx, func() error {
		if s.sentEOF.Load() {
			return nil
		}
		err := shut()
		if err == nil {
			s.sentEOF.Store(true)
		}
		return err
	})
	if err != nil {
		return s.sendError("send EOF", 0, err)
	}
	return nil
}

// SentEOF reports whether the sending half was ended by SendEOF.
func (s *Stream) SentEOF() bool { return s.sentEOF.Load() }

func (s *Stream) ReceiveSome(ctx context.Context, p []byte) (int, error) {
	if len(p) == 0 {
		return 0, io.ErrShortBuffer
	}
	if end := s.end.Load(); end != nil && ctx.Err() == nil && !s.fd.Closed() {
		return 0, *end
	}
	n, err := s.fd.Read(ctx, p)
	if err != nil {
		return 0, s.receiveError(err)
	}
	return n, nil
}

// Close closes the descriptor and wakes everybody. It never waits, so ctx makes
// no difference.
func (s *Stream) Close(ctx context.Context) error {
	if err := s.fd.Close(); err != nil {
		return &trigo.OpError{Op: "close", Layer: s.layer.String(), Err: err}
	}
	return nil
}

// passing reports whether err says something about the call and nothing about
// the state of the stream.
func passing(err error) bool {
	return errors.Is(err, trigo.ErrClosed) ||
		errors.Is(err, trigo.ErrBusy) ||
		errors.Is(err, context.Canceled) ||
		errors.Is(err, context.DeadlineExceeded) ||
		errors.Is(err, os.ErrDeadlineExceeded) || // of a deadline that somebody else has set
		errors.Is(err, errors.ErrUnsupported)
}

func (s *Stream) sendError(op string, n int, err error) error {
	if !passing(err) {
		if reset := err; !isPipe(err) {
			s.reset.CompareAndSwap(nil, &reset)
		}
		err = trigo.Broken(err)
	}
	return &trigo.OpError{Op: op, Layer: s.layer.String(), N: int64(n), Err: err}
}

// receiveError names the error of a read and latches what will not change any
// more: the kernel reports a reset once, and an end of file ever after.
func (s *Stream) receiveError(err error) error {
	if err == io.EOF {
		lost := s.lostReset()
		if lost == nil {
			s.end.CompareAndSwap(nil, &err)
			return io.EOF
		}
		err = *lost
	}
	if passing(err) {
		return &trigo.OpError{Op: "receive", Layer: s.layer.String(), Err: err}
	}
	var broken error = &trigo.OpError{Op: "receive", Layer: s.layer.String(), Err: trigo.Broken(err)}
	s.end.CompareAndSwap(nil, &broken)
	return broken
}

// lostReset returns the reset behind an end of file that the peer never sent.
//
// The kernel tells of a reset once, to the half that asks first. If that was a
// send, a receive is shown an end of file. The send may just have been told and
// not yet have said so here; then the connection is dead in both directions,
// so that the send cannot be waiting, and it is worth waiting for it.
func (s *Stream) lostReset() *error {
	if s.sending.Load() > 0 && s.fd.HungUp() {
		for s.reset.Load() == nil && s.sending.Load() > 0 {
			runtime.Gosched()
		}
	}
	return s.reset.Load()
}
