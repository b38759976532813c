package trigotest

import (
	"context"
	"errors"
	"io"

	"trigo"
)

// A MemoryReceiveStream is the receiving half of a stream in memory: it
// receives what [MemoryReceiveStream.PutData] puts into it.
//
// The hooks may be nil, and may be set at any time at which no call on the
// stream is under way.
//
// Trio: trio.testing.MemoryReceiveStream.
type MemoryReceiveStream struct {
	// ReceiveSomeHook is called by ReceiveSome before it looks for data, so it
	// can put some. Its error is that of ReceiveSome. Its ctx ends with the
	// call's, and when the stream is closed.
	ReceiveSomeHook func(ctx context.Context) error

	// CloseHook is called by the first Close or Abort, once the stream is
	// closed.
	CloseHook func()

	queue *byteQueue
	life  lifeline
}

// NewMemoryReceiveStream returns an empty, open stream without hooks.
func NewMemoryReceiveStream() *MemoryReceiveStream {
	return &MemoryReceiveStream{queue: newByteQueue()}
}

// ReceiveSome calls ReceiveSomeHook and then waits for data, for the end put
// by PutEOF or for the failure put by PutError. Close wakes it, with
// [trigo.ErrClosed]. A cancelled call took nothing. While another receives it
// returns [trigo.ErrBusy].
func (r *MemoryReceiveStream) ReceiveSome(ctx context.Context, p []byte) (int, error) {
	if len(p) == 0 {
		return 0, memoryError("receive", 0, io.ErrShortBuffer)
	}
	if err := r.life.begin(ctx); err != nil {
		return 0, memoryError("receive", 0, err)
	}
	if err := r.queue.acquire(); err != nil {
		return 0, memoryError("receive", 0, err)
	}
	defer r.queue.release()
	if err := r.life.run(ctx, r.ReceiveSomeHook, &r.queue.mu); err != nil {
		return 0, memoryError("receive", 0, err)
	}
	n, err := r.queue.await(ctx, p)
	if n == 0 && err == nil {
		n, err = r.queue.read(p)
	}
	return n, memoryError("receive", 0, err)
}

// PutData adds data to be received. It never waits. It returns ErrClosed if
// the stream is closed, has failed, or PutEOF was called.
func (r *MemoryReceiveStream) PutData(p []byte) error {
	return memoryError("put data", 0, r.queue.put(p))
}

// PutEOF puts the end of the stream after the data put so far. More calls do
// nothing.
func (r *MemoryReceiveStream) PutEOF() { r.queue.end() }

// PutError breaks the stream, as a reset of a connection does: what was not
// received yet is dropped, and ReceiveSome returns an error that Is
// [trigo.ErrBroken] and wraps cause, for ever. On a closed stream it does
// nothing.
func (r *MemoryReceiveStream) PutError(cause error) {
	r.life.mu.Lock() // against a Close, whose ErrClosed has to stay
	defer r.life.mu.Unlock()
	if !r.life.closed.Load() {
		r.queue.fail(trigo.Broken(cause))
	}
}

// Close closes the stream, drops what was not received, and calls CloseHook. It
// never waits, and a dead ctx makes no difference to it.
func (r *MemoryReceiveStream) Close(ctx context.Context) error {
	if r.life.cut() {
		r.queue.fail(trigo.ErrClosed)
		if r.CloseHook != nil {
			r.CloseHook()
		}
	}
	return nil
}

// Abort is Close: a receiver that is gone is an error to its peer in any case.
func (r *MemoryReceiveStream) Abort() error { return r.Close(context.Background()) }

func (r *MemoryReceiveStream) String() string { return "memory" }

// errPeerClosed is why a stream in memory is broken for its sender.
var errPeerClosed = errors.New("the peer closed its end")

var (
	_ trigo.ReceiveStream = (*MemoryReceiveStream)(nil)
	_ trigo.Aborter       = (*MemoryReceiveStream)(nil)
)
