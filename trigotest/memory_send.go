package trigotest

import (
	"context"
	"errors"
	"io"
	"math"
	"reflect"

	"trigo"
	"trigo/nursery"
)

// A MemorySendStream is the sending half of a stream in memory. What is sent
// piles up in it without bound until someone gets it out with
// [MemorySendStream.GetData] or [Pump].
//
// The hooks may be nil, and may be set at any time at which no call on the
// stream is under way. Without hooks no call waits. The ctx of a hook ends with
// the call's, and when the stream is closed: then the call returns
// [trigo.ErrClosed]. A hook that does not heed its ctx cannot be interrupted.
//
// Trio: trio.testing.MemorySendStream.
type MemorySendStream struct {
	// SendAllHook is called by SendAll after the data was stored. Its error is
	// that of SendAll.
	SendAllHook func(ctx context.Context) error

	// WaitHook is called by WaitSendAllMightNotBlock.
	WaitHook func(ctx context.Context) error

	// CloseHook is called by the first Close or Abort, once the stream is
	// closed.
	CloseHook func()

	queue   *byteQueue
	life    lifeline
	sending bool // a call that sends runs its hook; under the lock of the queue

	pump reflect.Value        // the SendAllHook that a pair was made with, to know it again
	peer *MemoryReceiveStream // where it pumps to
}

// NewMemorySendStream returns an empty, open stream without hooks.
func NewMemorySendStream() *MemorySendStream {
	return &MemorySendStream{queue: newByteQueue()}
}

// SendAll stores p and calls SendAllHook. It waits only in the hook, and Close
// wakes it there, with [trigo.ErrClosed]; when it is cancelled there the data is
// stored all the same, and OpError.N says so. While another call sends or waits
// to send it returns [trigo.ErrBusy].
func (s *MemorySendStream) SendAll(ctx context.Context, p []byte) error {
	return s.exclusive(ctx, "send", func() (int, error) {
		if len(p) > 0 && s.direct() { // nothing is no news to a peer that has closed
			if s.peer.queue.put(p) != nil {
				return 0, trigo.Broken(errPeerClosed)
			}
			return len(p), nil
		}
		if err := s.queue.putLocked(p); err != nil {
			return 0, err
		}
		err := s.run(ctx, s.SendAllHook)
		if errors.Is(err, trigo.ErrBroken) {
			return 0, err // the hook found nobody to give it to
		}
		return len(p), err
	})
}

// direct reports whether to store something and to call the hook is the same as
// to put it into the peer's queue: the hook is the one that the pair was made
// with, nobody gets data, and none is left here.
//
// Go does not compare functions, but Values of the same closure are equal, and
// equal ones are of the same closure. If the first were not so, only time would be
// lost.
func (s *MemorySendStream) direct() bool {
	return s.peer != nil && !s.queue.busy && s.queue.empty() && reflect.ValueOf(s.SendAllHook) == s.pump
}

// WaitSendAllMightNotBlock calls WaitHook, and waits only there. What wakes it,
// and what it returns while another call sends, is as with SendAll; a cancelled
// one has no effect.
func (s *MemorySendStream) WaitSendAllMightNotBlock(ctx context.Context) error {
	return s.exclusive(ctx, "wait to send", func() (int, error) {
		return 0, s.run(ctx, s.WaitHook)
	})
}

// exclusive calls f with the lock of the queue, unless another call sends.
func (s *MemorySendStream) exclusive(ctx context.Context, op string, f func() (int, error)) error {
	if err := s.life.begin(ctx); err != nil {
		return memoryError(op, 0, err)
	}
	s.queue.mu.Lock()
	defer s.queue.mu.Unlock()
	if s.sending {
		return memoryError(op, 0, trigo.ErrBusy)
	}
	n, err := f()
	return memoryError(op, n, err)
}

// run calls a hook, without the lock. Meanwhile nobody else sends.
func (s *MemorySendStream) run(ctx context.Context, hook func(context.Context) error) error {
	s.sending = true
	defer func() { s.sending = false }()
	return s.life.run(ctx, hook, &s.queue.mu)
}

// Close closes the stream and calls CloseHook. It never waits, and a dead ctx
// makes no difference to it. The data stored can still be got, and then
// io.EOF.
func (s *MemorySendStream) Close(ctx context.Context) error {
	s.shut(s.queue.end)
	return nil
}

// Abort closes the stream like Close but drops what is stored. Whoever gets
// data from the stream, or receives what is pumped out of it, then gets
// [trigo.ErrBroken] in place of it.
func (s *MemorySendStream) Abort() error {
	s.shut(func() { s.queue.fail(trigo.Broken(errAborted)) })
	return nil
}

var errAborted = errors.New("aborted by the peer")

func (s *MemorySendStream) shut(queue func()) {
	if !s.life.cut() {
		return
	}
	queue()
	if s.CloseHook != nil {
		s.CloseHook()
	}
}

// GetData takes data out of the stream: up to max bytes, or all if max is not
// positive. It waits until there is at least one byte, or the stream is closed or
// aborted; a cancelled call took none. It returns io.EOF when the stream is closed
// and everything was got, ErrBroken if it was aborted, ErrBusy while another call
// gets data.
func (s *MemorySendStream) GetData(ctx context.Context, max int) ([]byte, error) {
	if err := trigo.CancelError(ctx); err != nil {
		return nil, memoryError("get data", 0, err)
	}
	if err := s.queue.acquire(); err != nil {
		return nil, memoryError("get data", 0, err)
	}
	defer s.queue.release()
	if _, err := s.queue.await(ctx, nil); err != nil {
		return nil, memoryError("get data", 0, err)
	}
	data, err := s.queue.clone(orAll(max))
	return data, memoryError("get data", 0, err)
}

// GetDataNoWait is GetData that never waits: where GetData would, it returns
// ErrWouldBlock.
func (s *MemorySendStream) GetDataNoWait(max int) ([]byte, error) {
	if err := s.queue.acquire(); err != nil {
		return nil, memoryError("get data", 0, err)
	}
	defer s.queue.release()
	data, err := s.queue.clone(orAll(max))
	return data, memoryError("get data", 0, err)
}

// orAll is what max means to the caller: everything, if it is not positive.
func orAll(max int) int {
	if max <= 0 {
		return math.MaxInt
	}
	return max
}

func (s *MemorySendStream) String() string { return "memory" }

// memoryError is the public form of an error; there is none for nil, and
// io.EOF stays as it is.
func memoryError(op string, n int, err error) error { return opError("memory", op, n, err) }

func opError(layer, op string, n int, err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	return &trigo.OpError{Op: op, Layer: layer, N: int64(n), Err: err}
}

func isCancellation(ctx context.Context, err error) bool { return nursery.IsCancellation(ctx, err) }

var (
	_ trigo.SendStream = (*MemorySendStream)(nil)
	_ trigo.Aborter    = (*MemorySendStream)(nil)
)
