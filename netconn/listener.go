package netconn

import (
	"context"
	"errors"
	"net"
	"sync/atomic"

	"trigo"
)

// Listener returns l as a [net.Listener], which owns l. Each connection is a
// [Conn] with the options.
//
// Accept waits until there is a connection or Close is called. Any number of
// calls may be made at the same time; they take turns. A lack of descriptors is
// Temporary, as in package net, so that servers go on.
func Listener[S trigo.Stream](l trigo.Listener[S], opts *Options) net.Listener {
	addr := net.Addr(name(describe(l)))
	if a, ok := trigo.As[interface{ Addr() net.Addr }](l); ok {
		addr = a.Addr()
	}
	return &listener[S]{l: l, addr: addr, opts: opts, turn: make(chan struct{}, 1), closed: make(chan struct{})}
}

type listener[S trigo.Stream] struct {
	l       trigo.Listener[S]
	addr    net.Addr
	opts    *Options
	turn    chan struct{} // holds a token while an Accept is under way
	closing atomic.Bool
	closed  chan struct{}
}

func (l *listener[S]) Accept() (net.Conn, error) {
	select {
	case l.turn <- struct{}{}:
	case <-l.closed:
		return nil, l.fail("accept", net.ErrClosed)
	}
	s, err := l.l.Accept(context.Background())
	<-l.turn
	if err != nil {
		return nil, l.fail("accept", err)
	}
	return Conn(s, l.opts), nil
}

func (l *listener[S]) Close() error {
	if l.closing.Swap(true) {
		return l.fail("close", net.ErrClosed)
	}
	close(l.closed)
	return l.fail("close", l.l.Close(context.Background()))
}

func (l *listener[S]) Addr() net.Addr { return l.addr }

// Underlying returns the listener, for [trigo.Layers].
func (l *listener[S]) Underlying() any { return l.l }

func (l *listener[S]) String() string { return describe(l.l) }

func (l *listener[S]) fail(op string, err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, trigo.ErrClosed) {
		err = net.ErrClosed
	}
	return &net.OpError{Op: op, Net: l.addr.Network(), Addr: l.addr, Err: bare(err)}
}
