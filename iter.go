package trigo

import (
	"context"
	"errors"
	"io"
	"iter"
)

// chunkSize is the size of the buffers that trigo receives into when the
// caller brings none: the default capacity of a pipe on Linux, and what Trio
// found to suit sockets.
const chunkSize = 64 << 10

// firstChunkSize is with what a loop begins, which may wait for a few words, with
// thousands of others, for as long as the connection lives.
const firstChunkSize = 4 << 10

// Chunks iterates over what r receives, until its end. Every chunk holds at
// least one byte and is valid until the next iteration: one buffer serves them
// all. The loop ends at [io.EOF]; any other error is yielded once, with a nil
// chunk, and ends it too. r stays open.
//
// The buffer has 4 KiB, and 64 KiB from when one is full.
//
// A cancel is such an error. It took no byte: another loop goes on where this one
// ended, whether by a cancel or by a break.
//
//	for chunk, err := range trigo.Chunks(ctx, r) {
//		if err != nil {
//			return err
//		}
//		use(chunk)
//	}
func Chunks(ctx context.Context, r ReceiveStream) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		buf := make([]byte, firstChunkSize)
		for {
			n, err := r.ReceiveSome(ctx, buf)
			if err == io.EOF {
				return
			}
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(buf[:n], nil) {
				return
			}
			if n == firstChunkSize && len(buf) < chunkSize {
				buf = make([]byte, chunkSize)
			}
		}
	}
}

// Values iterates over what r receives, until [ErrEndOfChannel]. Any other
// error is yielded once, with the zero value, and ends the loop too. r stays
// open.
//
// A cancel is such an error. It took no value: another loop goes on where this
// one ended, whether by a cancel or by a break.
func Values[T any](ctx context.Context, r ReceiveChannel[T]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for {
			v, err := r.Receive(ctx)
			if errors.Is(err, ErrEndOfChannel) {
				return
			}
			if !yield(v, err) || err != nil {
				return
			}
		}
	}
}
