package trigo

import "context"

// SendStream is the sending half of a byte stream.
//
// SendAll returns nil when all of p was accepted (for a socket: by the
// kernel). It waits while the transport is full. p may be reused as soon as it
// returns. On an error, [OpError.N] is the number of bytes that went out
// before it; after a cancel the stream is still usable and the caller decides
// what to send next.
//
// WaitSendAllMightNotBlock waits until a SendAll might not block. It may return
// early (the next SendAll may still block), never late. It lets a caller
// decide at the last moment what to send. When the stream has broken it
// returns, with or without an error; it never hangs.
//
// Both return [ErrClosed] if the stream is or gets closed by this side, or
// once this side has sent its end of file; [ErrBroken] if the peer or the
// transport is gone, then and for ever after; [ErrBusy] while another call
// uses this half.
//
// Trio: trio.abc.SendStream.
type SendStream interface {
	Resource
	SendAll(ctx context.Context, p []byte) error
	WaitSendAllMightNotBlock(ctx context.Context) error
}

// ReceiveStream is the receiving half of a byte stream.
//
// ReceiveSome waits for at least one byte and returns up to len(p) of them. How
// bytes are cut into calls means nothing. n > 0 always comes with a nil error.
// At the end it returns 0 and [io.EOF], only when the peer is proven to have
// ended the stream, and from then on for ever. A cancelled call took no byte.
//
// It returns [ErrClosed] if the stream is or gets closed by this side;
// [ErrBroken] if the transport failed ([ErrTruncated] if it ended without
// proof), then and for ever after; [ErrBusy] while another call receives;
// [io.ErrShortBuffer] if p is empty.
//
// Trio: trio.abc.ReceiveStream.
type ReceiveStream interface {
	Resource
	ReceiveSome(ctx context.Context, p []byte) (n int, err error)
}

// Stream is a two-way byte stream. Its halves are independent: one sender and
// one receiver may be active at the same time.
//
// Trio: trio.abc.Stream.
type Stream interface {
	SendStream
	ReceiveStream
}

// HalfCloseableStream is a Stream that can end its sending half and go on
// receiving.
//
// SendEOF tells the peer, after all data sent so far, that no more will come.
// Later sends return [ErrClosed]; a second SendEOF is silent success. It
// returns [ErrBusy] while another call uses the sending half.
//
// Trio: trio.abc.HalfCloseableStream.
type HalfCloseableStream interface {
	Stream
	SendEOF(ctx context.Context) error
}

// Listener yields incoming resources, mostly streams.
//
// Accept waits for the next one. It never waits for a particular peer: a
// handshake is the business of the resource returned. A cancelled Accept lost
// nothing. It returns [ErrClosed] if the listener is or gets closed, [ErrBusy]
// while another call accepts; any other error is the transport's own, a lack
// of descriptors (EMFILE) among them, and the listener is still usable.
//
// Trio: trio.abc.Listener.
type Listener[R Resource] interface {
	Resource
	Accept(ctx context.Context) (R, error)
}
