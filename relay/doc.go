// Package relay joins two streams: what one receives, the other sends, in both
// directions, until both have ended. It is the heart of every proxy, and the
// part that proxies get wrong: what to do when only one direction has ended.
//
//	report, err := relay.Run(ctx, client, server, nil)
//
// # Ends
//
// An end of file on one side becomes an end of file on the other ([trigo]'s
// SendEOF); the opposite direction goes on for as long as bytes flow in it, and
// after the last of them for another [Options.Linger]. A relay whose sides are
// both open is never ended by Linger, only by [Options.Idle].
//
// A stream that fails while it is being received from (a reset, a truncation)
// ends both directions: the bytes received before are delivered, and then the
// other side is aborted, so that its peer cannot mistake the failure for an end
// of file.
//
// A stream that fails while it is being sent to may still hold an answer that
// its peer sent before it left. That answer is delivered first, while the rest of
// what it would have been sent is dropped; then both sides are aborted as above.
//
// A stream that cannot end its sending half by itself (it is no
// [trigo.HalfCloseableStream]) learns of the end of file when it is closed, after
// the opposite direction has ended too.
//
// # Cost
//
// A relay is one goroutine beside the caller's, and a timer while a silence has a
// limit. A side that sends faster than the other takes is held back: nothing is
// received while there is something to send, which is one buffer in each direction.
//
// Where both streams are nothing but descriptors, the kernel hands the bytes on
// (on Linux, by splice and sendfile), once they come in bulk; [PathFor] and
// [Direction] say whether it does, and why not. All of the above holds then too.
// While such a stream has nothing to receive, its direction has neither a buffer
// nor a pipe. Other streams are waited for with a buffer in hand.
package relay
