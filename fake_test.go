package trigo_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"sync"
	"testing"
	"testing/synctest"

	"trigo"
)

// fakeStream is one end of a pair in memory, for use within a synctest bubble.
// It keeps the contract as far as these tests need it.
type fakeStream struct {
	name string
	peer *fakeStream

	in     chan []byte
	rest   []byte        // of the last chunk
	ended  chan struct{} // closed when this end has sent its end of file
	closed chan struct{}
	once   sync.Once
	eof    sync.Once

	closing  error // what Close returns
	forceful bool  // how the first Close was called; read it after closed
}

func newPair() (a, b *fakeStream) {
	a, b = newFakeStream("a"), newFakeStream("b")
	a.peer, b.peer = b, a
	return a, b
}

func newFakeStream(name string) *fakeStream {
	return &fakeStream{
		name:   name,
		in:     make(chan []byte, 4),
		ended:  make(chan struct{}),
		closed: make(chan struct{}),
	}
}

func (s *fakeStream) String() string { return "fake " + s.name }

func (s *fakeStream) failed(op string, err error) error {
	return &trigo.OpError{Op: op, Layer: s.String(), Err: err}
}

// ready reports why a call must fail before it does anything.
func (s *fakeStream) ready(ctx context.Context, op string) error {
	switch {
	case isClosed(s.closed):
		return s.failed(op, trigo.ErrClosed)
	case ctx.Err() != nil:
		return s.failed(op, trigo.CancelError(ctx))
	}
	return nil
}

func (s *fakeStream) SendAll(ctx context.Context, p []byte) error {
	if err := s.ready(ctx, "send"); err != nil {
		return err
	}
	if isClosed(s.ended) {
		return s.failed("send", trigo.ErrClosed)
	}
	select {
	case s.peer.in <- bytes.Clone(p):
		return nil
	case <-s.closed:
		return s.failed("send", trigo.ErrClosed)
	case <-s.peer.closed:
		return s.failed("send", trigo.ErrBroken)
	case <-ctx.Done():
		return s.failed("send", trigo.CancelError(ctx))
	}
}

func (s *fakeStream) WaitSendAllMightNotBlock(ctx context.Context) error {
	return s.ready(ctx, "wait to send")
}

func (s *fakeStream) SendEOF(ctx context.Context) error {
	if err := s.ready(ctx, "send EOF"); err != nil {
		return err
	}
	s.end()
	return nil
}

func (s *fakeStream) end() {
	s.eof.Do(func() { close(s.ended) })
}

func (s *fakeStream) ReceiveSome(ctx context.Context, p []byte) (int, error) {
	if err := s.ready(ctx, "receive"); err != nil {
		return 0, err
	}
	for len(s.rest) == 0 {
		ended := isClosed(s.peer.ended) // asked before looking for what came ahead of it
		select {
		case s.rest = <-s.in:
			continue
		default:
		}
		if ended {
			return 0, io.EOF
		}
		select {
		case s.rest = <-s.in:
		case <-s.peer.ended:
		case <-s.closed:
			return 0, s.failed("receive", trigo.ErrClosed)
		case <-ctx.Done():
			return 0, s.failed("receive", trigo.CancelError(ctx))
		}
	}
	n := copy(p, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}

func (s *fakeStream) Close(ctx context.Context) error {
	s.once.Do(func() {
		s.forceful = ctx.Err() != nil
		s.end()
		close(s.closed)
	})
	return errors.Join(s.closing, trigo.CancelError(ctx))
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// fakeListener accepts what connect gives it. Its backlog is not limited.
type fakeListener struct {
	backlog  chan *fakeStream
	onAccept func(context.Context) error // if set, called first
	onConn   func()                      // if set, called with a connection in hand
	closing  error                       // what Close returns
	closed   chan struct{}
	once     sync.Once
}

func newFakeListener() *fakeListener {
	return &fakeListener{backlog: make(chan *fakeStream, 100), closed: make(chan struct{})}
}

func (l *fakeListener) connect() (client, server *fakeStream) {
	client, server = newPair()
	l.backlog <- server
	return client, server
}

func (l *fakeListener) Accept(ctx context.Context) (*fakeStream, error) {
	if ctx.Err() != nil {
		return nil, trigo.CancelError(ctx)
	}
	if l.onAccept != nil {
		if err := l.onAccept(ctx); err != nil {
			return nil, err
		}
	}
	select {
	case s := <-l.backlog:
		if l.onConn != nil {
			l.onConn()
		}
		return s, nil
	case <-l.closed:
		return nil, &trigo.OpError{Op: "accept", Err: trigo.ErrClosed}
	case <-ctx.Done():
		return nil, &trigo.OpError{Op: "accept", Err: trigo.CancelError(ctx)}
	}
}

func (l *fakeListener) Close(context.Context) error {
	l.once.Do(func() { close(l.closed) })
	return l.closing
}

// async runs f in a goroutine and returns where its result will be.
func async(f func() error) <-chan error {
	done := make(chan error, 1)
	go func() { done <- f() }()
	return done
}

// pending fails the test if done has a result although everybody is blocked.
func pending(t *testing.T, what string, done <-chan error) {
	t.Helper()
	synctest.Wait()
	select {
	case err := <-done:
		t.Fatalf("%s: returned (%v), want it to wait", what, err)
	default:
	}
}

// over returns the result of done, which must be there once everybody is
// blocked, without time going by.
func over(t *testing.T, what string, done <-chan error) error {
	t.Helper()
	synctest.Wait()
	select {
	case err := <-done:
		return err
	default:
		t.Fatalf("%s: still running, want it to have returned", what)
		return nil
	}
}

func wantIs(t *testing.T, what string, err error, kinds ...error) {
	t.Helper()
	for _, kind := range kinds {
		if !errors.Is(err, kind) {
			t.Errorf("%s: got error %v, want one that Is %v", what, err, kind)
		}
	}
}

func wantNil(t *testing.T, what string, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

// canceled returns a dead context.
func canceled() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}
