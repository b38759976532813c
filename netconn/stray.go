package netconn

import (
	"context"
	"net"
	"sync/atomic"

	"trigo"
)

// A stray is an Accept that nothing can wake, in a goroutine of its own. The
// call that started it may be cancelled; the next one finds it there.
type stray struct {
	idle     chan struct{} // holds a token while there is no goroutine, and nothing in accepted
	accepted chan accepted // what the goroutine brought
	shut     chan struct{} // closed by close
	closed   atomic.Bool   // set before anybody closes the listener
}

type accepted struct {
	c   net.Conn
	err error
}

func newStray() *stray {
	s := &stray{idle: make(chan struct{}, 1), accepted: make(chan accepted, 1), shut: make(chan struct{})}
	s.idle <- struct{}{}
	return s
}

// accept waits for the next connection. One call at a time.
func (s *stray) accept(ctx context.Context, l net.Listener) (net.Conn, error) {
	select {
	case <-s.idle:
		s.start(l)
	default:
	}
	select {
	case a := <-s.accepted:
		s.idle <- struct{}{}
		return a.c, a.err
	case <-ctx.Done():
		return nil, trigo.CancelError(ctx)
	case <-s.shut:
		return nil, trigo.ErrClosed
	}
}

func (s *stray) start(l net.Listener) {
	go func() {
		c, err := l.Accept()
		s.accepted <- accepted{c, err}
		if s.closed.Load() {
			s.discard() // whoever closed may not have waited for this
		}
	}()
}

// close waits for the goroutine, whose listener was closed.
func (s *stray) close(ctx context.Context) error {
	s.closed.Store(true)
	close(s.shut)
	select { // without waiting, for ctx may be dead
	case <-s.idle:
		return nil
	case a := <-s.accepted:
		a.close()
		return nil
	default:
	}
	select {
	case <-s.idle:
	case a := <-s.accepted:
		a.close()
	case <-ctx.Done(): // what it still brings, the goroutine itself discards
		return trigo.CancelError(ctx)
	}
	return nil
}

// discard closes a connection that nobody wants any more.
func (s *stray) discard() {
	select {
	case a := <-s.accepted:
		a.close()
		s.idle <- struct{}{}
	default:
	}
}

func (a accepted) close() {
	if a.c != nil {
		a.c.Close()
	}
}
