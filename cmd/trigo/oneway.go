package main

import (
	"context"
	"errors"
	"io"
	"sync/atomic"
	"time"

	"trigo"
	"trigo/internal/fdstream"
)

// oneWay returns from and to so that a relay moves bytes from the one to the
// other only: to seems to say nothing and then to end, and of that from is told nothing.
// keep says that what to has to say is somebody else's, and must be left where it is.
func oneWay(from, to trigo.Stream, keep bool) (trigo.Stream, trigo.Stream) {
	from = &trigo.StapledStream{Send: silent{}, Receive: from, Name: nameOf(from)}
	if _, apart := to.(*trigo.StapledStream); apart || keep {
		// Its two halves have nothing to do with each other.
		return from, &trigo.StapledStream{Send: to, Receive: ended{}, Name: nameOf(to)}
	}
	return from, &unheard{Stream: to}
}

// unheard is a stream that is only sent to. What it says all the same is received and
// dropped: who cannot get rid of an answer may take no more either, and to close a
// connection with input unread is to reset it, for which the kernel drops what it has
// not sent yet.
type unheard struct {
	trigo.Stream
	over   atomic.Bool                        // nobody has to listen any more
	cancel atomic.Pointer[context.CancelFunc] // of the receive under way
}

// farewell is how long it has to end after it was told the end. What it says after the
// close would be answered with a reset as well, and it may begin to speak only when all
// was sent: the kernel holds much.
const farewell = 5 * time.Second

// ReceiveSome receives until the stream ends, with proof or without, or nobody has to
// listen any more, and then says that it has ended. That it breaks is told: what was
// sent may be lost.
func (u *unheard) ReceiveSome(ctx context.Context, p []byte) (int, error) {
	receiving, cancel := context.WithCancel(ctx)
	defer cancel()
	u.cancel.Store(&cancel)
	for !u.over.Load() {
		switch _, err := u.Stream.ReceiveSome(receiving, p); {
		case err == nil:
		case ctx.Err() != nil, errors.Is(err, trigo.ErrBroken) && !errors.Is(err, trigo.ErrTruncated):
			return 0, err
		default:
			return 0, io.EOF
		}
	}
	return 0, io.EOF
}

// end ends the listening.
func (u *unheard) end() {
	u.over.Store(true)
	if cancel := u.cancel.Load(); cancel != nil {
		(*cancel)()
	}
}

func (u *unheard) SendAll(ctx context.Context, p []byte) error {
	return u.noted(ctx, u.Stream.SendAll(ctx, p))
}

// noted ends the listening if a send has failed.
func (u *unheard) noted(ctx context.Context, err error) error {
	if err != nil && ctx.Err() == nil {
		u.end()
	}
	return err
}

// SendEOF ends the listening too, after a while.
func (u *unheard) SendEOF(ctx context.Context) error {
	err := errors.ErrUnsupported
	if h, ok := u.Stream.(trigo.HalfCloseableStream); ok {
		err = h.SendEOF(ctx)
	}
	if err == nil {
		time.AfterFunc(farewell, u.end)
	}
	return u.noted(ctx, err)
}

func (u *unheard) Underlying() any { return u.Stream }
func (u *unheard) String() string  { return nameOf(u.Stream) }

// Itself returns u, if the stream is a descriptor: then the kernel may send to it.
func (u *unheard) Itself() any {
	if out, ok := u.Stream.(fdstream.Sender); ok && out.Itself() == any(u.Stream) {
		return u
	}
	return nil
}

// SendBy is that of the stream.
func (u *unheard) SendBy(ctx context.Context, op func(sysfd int) error, moved *int) error {
	return u.noted(ctx, u.Stream.(fdstream.Sender).SendBy(ctx, op, moved))
}

// silent is a sending half that nothing is sent to, not even the end.
type silent struct{}

func (silent) SendAll(ctx context.Context, p []byte) error            { return trigo.CancelError(ctx) }
func (silent) WaitSendAllMightNotBlock(ctx context.Context) error     { return trigo.CancelError(ctx) }
func (silent) SendEOF(ctx context.Context) error                      { return trigo.CancelError(ctx) }
func (silent) ReceiveSome(ctx context.Context, p []byte) (int, error) { return 0, io.EOF }
func (silent) Close(context.Context) error                            { return nil }

// ended is a receiving half that is at its end.
type ended struct{}

func (ended) ReceiveSome(ctx context.Context, p []byte) (int, error) { return 0, io.EOF }
func (ended) Close(context.Context) error                            { return nil }
