package trigo

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"trigo/nursery"
)

// ServeOptions are the choices of [ServeListeners]. The zero value is good, and
// is what nil means.
type ServeOptions struct {
	// HandlerNursery is where the handlers run, with its ctx. They then
	// outlive a ServeListeners that is cancelled, and their errors are that
	// nursery's business. nil: a nursery within ServeListeners.
	HandlerNursery *nursery.Nursery

	// Ready is called once, when every listener accepts.
	Ready func()

	// Stop, when closed, ends the server gently: the listeners are closed at
	// once, the handlers may finish, and then ServeListeners returns nil.
	// Cancelling ctx meanwhile cuts the wait short. nil: never.
	Stop <-chan struct{}

	// MaxConns limits how many handlers run at a time, over all listeners
	// together. At the limit nothing is accepted: who comes next waits in the
	// backlog. 0: no limit.
	MaxConns int

	// RetryDelay is the pause after an Accept that failed for lack of
	// descriptors or memory. 0: 100 ms.
	RetryDelay time.Duration

	// HandlerError is told the error of each handler that failed, from the
	// handler's goroutine and before its connection is closed. What it
	// returns counts in place of that error: nil lets the server go on. It
	// does not hear of the handlers that were merely cancelled.
	// nil: the error of a handler ends the server, as in Trio.
	HandlerError func(error) error

	// Logger is told of the lacks that RetryDelay is for. nil: slog.Default().
	Logger *slog.Logger
}

// ServeListeners accepts from all listeners and runs handler for each
// connection, in a goroutine of its own. It returns when ctx is cancelled, when
// something fails, or when it is told to stop (see [ServeOptions]), and not
// before every handler has returned, unless these run in a nursery of the
// caller's.
//
// The listeners belong to it from the call on, even one with bad arguments:
// however it ends, they are closed. So are the connections, forcefully, when
// their handler has returned, failed or panicked, and one that arrives together
// with a cancel. A graceful Close is up to the handler.
//
// An Accept that fails for lack of descriptors or memory is logged and tried
// again: the lack passes when connections end. Any other error of a listener
// ends the server, which cancels the handlers and returns that error. When ctx
// is cancelled the error Is ctx.Err() and Is [context.Cause](ctx).
//
// Trio: trio.serve_listeners.
func ServeListeners[R Resource, L Listener[R]](ctx context.Context, handler func(context.Context, R) error, listeners []L, opts *ServeOptions) error {
	s, err := newServer(ctx, handler, len(listeners), opts)
	if err != nil {
		for _, l := range listeners {
			err = andClose(err, l)
		}
		return err
	}
	return nursery.Run(ctx, func(ctx context.Context, n *nursery.Nursery) error {
		s.home = cmp.Or(s.opts.HandlerNursery, n)
		err := nursery.Run(ctx, func(ctx context.Context, accepting *nursery.Nursery) error {
			for _, l := range listeners {
				accepting.Go(func(ctx context.Context) error { return s.accept(ctx, l) })
			}
			if s.opts.Ready != nil {
				s.opts.Ready()
			}
			select {
			case <-s.opts.Stop:
				accepting.Cancel(errStopped)
			case <-ctx.Done():
			}
			return nil
		})
		if err != nil {
			return err
		}
		return s.drain(ctx)
	})
}

var errStopped = errors.New("the server was told to stop")

// server is one call of ServeListeners.
type server[R Resource] struct {
	handler func(context.Context, R) error
	opts    ServeOptions // with the defaults filled in
	home    *nursery.Nursery
	slots   slots
	active  atomic.Int64  // running handlers, and 1 for as long as more may come
	idle    chan struct{} // closed when active has reached 0
}

func newServer[R Resource](ctx context.Context, handler func(context.Context, R) error, listeners int, opts *ServeOptions) (*server[R], error) {
	s := &server[R]{handler: handler, idle: make(chan struct{})}
	s.active.Store(1)
	if opts != nil {
		s.opts = *opts
	}
	s.opts.RetryDelay = cmp.Or(s.opts.RetryDelay, 100*time.Millisecond)
	s.opts.Logger = cmp.Or(s.opts.Logger, slog.Default())

	var err error
	switch {
	case listeners == 0:
		err = errors.New("no listeners")
	case handler == nil:
		err = errors.New("no handler")
	case s.opts.MaxConns < 0:
		err = errors.New("negative MaxConns")
	case s.opts.RetryDelay < 0:
		err = errors.New("negative RetryDelay")
	default:
		err = CancelError(ctx)
	}
	if err != nil {
		return nil, &OpError{Op: "serve", Err: err}
	}
	if s.opts.MaxConns > 0 {
		s.slots = make(slots, s.opts.MaxConns)
	}
	return s, nil
}

// accept starts handlers for what comes from l until ctx ends or l fails, and
// closes l.
//
// It holds no slot while it waits in Accept, or a quiet listener would keep that
// slot from a busy one. The price: a listener that waited already when another
// reached the limit may accept one connection, whose handler waits for its turn.
func (s *server[R]) accept(ctx context.Context, l Listener[R]) (err error) {
	defer func() { err = andClose(err, l) }()
	for {
		if err := s.slots.take(ctx); err != nil {
			return err
		}
		s.slots.give()
		conn, err := l.Accept(ctx)
		switch {
		case err == nil:
			if err := s.slots.take(ctx); err != nil {
				return andClose(err, conn)
			}
			s.start(conn)
		case isCapacity(err):
			s.opts.Logger.LogAttrs(ctx, slog.LevelError, "accept failed, will try again",
				slog.Any("error", err), slog.String("listener", describe(l)), slog.Duration("delay", s.opts.RetryDelay))
			select {
			case <-time.After(s.opts.RetryDelay):
			case <-ctx.Done():
				return CancelError(ctx)
			}
		default:
			return err
		}
	}
}

// start runs the handler for conn, which has a slot.
func (s *server[R]) start(conn R) {
	s.active.Add(1)
	finish := func() {
		// A failure here only says that the goodbye, which is the handler's
		// to say, was cut short. No reason to end a server.
		_ = CloseForcefully(conn)
		s.slots.give()
		s.end()
	}
	started := false
	defer func() {
		if !started { // Go panicked: the caller's nursery has ended
			finish()
		}
	}()
	s.home.Go(func(ctx context.Context) error {
		defer finish()
		err := s.handler(ctx, conn)
		if err == nil || s.opts.HandlerError == nil || nursery.IsCancellation(ctx, err) {
			return err
		}
		return s.opts.HandlerError(err)
	})
	started = true
}

func (s *server[R]) end() {
	if s.active.Add(-1) == 0 {
		close(s.idle)
	}
}

// drain waits for the handlers, once nobody accepts any more.
func (s *server[R]) drain(ctx context.Context) error {
	s.end()
	select {
	case <-s.idle:
		return nil
	case <-ctx.Done():
		return CancelError(ctx)
	}
}

// slots are what MaxConns allows; nil has no limit.
type slots chan struct{}

func (s slots) take(ctx context.Context) error {
	if s == nil {
		return nil
	}
	select {
	case s <- struct{}{}: // asked for alone first: a free slot wins over a cancel
	default:
		select {
		case s <- struct{}{}:
		case <-ctx.Done():
			return CancelError(ctx)
		}
	}
	return nil
}

func (s slots) give() {
	if s != nil {
		<-s
	}
}

// isCapacity reports whether err is a lack of something that will be there
// again when other connections have ended.
func isCapacity(err error) bool {
	return slices.ContainsFunc(capacityErrors, func(lack error) bool { return errors.Is(err, lack) })
}
