// Package trigo is an I/O layer: byte streams over any transport, each call
// bounded by a [context.Context], each end of a stream told truthfully, each
// goroutine owned.
//
// This package holds the contracts and the tools that need nothing but the
// contracts. The streams themselves live in the packages below it: netstream
// for TCP and Unix sockets, trigotest for memory streams and the conformance
// kit, relay for joining two streams. Package nursery owns goroutines.
//
// # Promises
//
//  1. Every blocking call takes a ctx and honours it at once, at no cost.
//  2. Ends are told truthfully: [io.EOF] is only ever a proven end. A cut, a
//     reset, our own Close and a cancel are four other things.
//  3. Close always works: with a live ctx gracefully, with a dead ctx at once,
//     twice, concurrently, behind a stuck send. It wakes everyone.
//  4. Nothing outlives its call.
//  5. Layers compose, and no layer hides half-close or the layers below it.
//
// # Cancellation
//
// These rules hold for every blocking call of every package of trigo:
//
//   - A call with a dead ctx fails before any I/O.
//   - Success that has already happened wins over a cancel that comes later.
//   - A cancelled ReceiveSome, Accept, Receive or WaitSendAllMightNotBlock had
//     no effect. A cancelled SendAll reports in [OpError.N] how many bytes were
//     sent; the stream is still usable.
//   - Close with a dead ctx releases everything. Its error only ever says that
//     grace was not achieved, never that something is still open.
//   - The error of a cancelled call Is ctx.Err() and Is [context.Cause](ctx).
//     Anyone who implements a stream gets such an error from [CancelError].
//   - [context.Background] costs nothing, and a call that need not wait
//     registers nothing with its ctx.
//
// # Concurrency
//
// A stream serves one sender and one receiver at a time, in parallel. A second
// caller of the same half gets [ErrBusy] at once and the first is unharmed.
// SendEOF and WaitSendAllMightNotBlock count as senders. Close may race
// everything.
//
// # Corner cases, the same everywhere
//
// An empty SendAll sends nothing and is never an end of file, but fails like
// any other on a closed stream. A ReceiveSome into an empty slice is
// [io.ErrShortBuffer], whatever the state of the stream. [io.EOF] is returned
// bare, never wrapped, and for ever after.
package trigo
