package local

import (
	"context"
	"io"

	"trigo"
)

// echo receives what it was sent.
type echo struct {
	end
	offer chan []byte // what the sender has, to the receiver
	taken chan int    // how much of it the receiver took
}

// Echo returns a stream that receives what it was sent, and its end once it was
// sent one. It holds no bytes: a sender waits until they are received.
func Echo() trigo.HalfCloseableStream {
	return &echo{end: newEnd("echo"), offer: make(chan []byte), taken: make(chan int)}
}

// SendAll waits until all of p was received.
func (e *echo) SendAll(ctx context.Context, p []byte) error {
	if err := e.beginSend(ctx); err != nil {
		return e.fail("send", 0, err)
	}
	defer e.sending.Store(false)
	for sent := 0; sent < len(p); {
		select {
		case e.offer <- p[sent:]:
			sent += <-e.taken
		case <-e.closed:
			return e.fail("send", sent, trigo.ErrClosed)
		case <-ctx.Done():
			return e.fail("send", sent, trigo.CancelError(ctx))
		}
	}
	return nil
}

func (e *echo) ReceiveSome(ctx context.Context, p []byte) (int, error) {
	if err := e.beginReceive(ctx, p); err != nil {
		return 0, e.fail("receive", 0, err)
	}
	defer e.receiving.Store(false)
	select {
	case data := <-e.offer:
		n := copy(p, data)
		e.taken <- n
		return n, nil
	case <-e.ended:
		return 0, io.EOF
	case <-e.closed:
		return 0, e.fail("receive", 0, trigo.ErrClosed)
	case <-ctx.Done():
		return 0, e.fail("receive", 0, trigo.CancelError(ctx))
	}
}
