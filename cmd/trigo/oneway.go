package main

import (
	"context"
	"io"

	"trigo"
)

// oneWay returns from and to so that a relay moves bytes from the one to the
// other only: to seems to have ended, and of that from is told nothing.
func oneWay(from, to trigo.Stream) (trigo.Stream, trigo.Stream) {
	return &trigo.StapledStream{Send: silent{}, Receive: from, Name: nameOf(from)},
		&trigo.StapledStream{Send: to, Receive: ended{}, Name: nameOf(to)}
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
