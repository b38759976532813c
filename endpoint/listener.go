package endpoint

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"

	"trigo"
)

// A Listener yields the connections of an endpoint that listens. It is a
// [trigo.Listener], for [trigo.ServeListeners].
type Listener struct {
	recipe *Recipe
	source source
	slots  slots
	closed chan struct{}
	shut   func() // closes closed, once
}

var _ trigo.Listener[*Incoming] = (*Listener)(nil)

// Listen opens the listeners of the endpoint: one for each address of the host,
// mostly. It waits for nothing but the lookup of a name. On an error nothing is left
// open.
func (r *Recipe) Listen(ctx context.Context) ([]*Listener, error) {
	last := len(r.parts) - 1
	p := r.parts[last]
	if p.listen == nil {
		return nil, r.fail(ctx, last, PhaseListen, "", errors.New("it does not listen"))
	}
	sources, err := p.listen(ctx)
	if err != nil {
		return nil, r.fail(ctx, last, PhaseListen, "", err)
	}
	var room slots
	if p.max > 0 {
		room = make(slots, p.max)
	}
	listeners := make([]*Listener, len(sources))
	for i, s := range sources {
		listeners[i] = newListener(r, s, room)
	}
	return listeners, nil
}

func newListener(r *Recipe, s source, room slots) *Listener {
	closed := make(chan struct{})
	return &Listener{recipe: r, source: s, slots: room, closed: closed, shut: sync.OnceFunc(func() { close(closed) })}
}

// Accept waits for the next connection; it does not wait for what its peer has to
// say, which [Incoming.Open] does. With the max option it also waits until there is
// room for one.
//
// A cancelled Accept lost nothing. It returns [trigo.ErrClosed] if the listener is or
// gets closed, [trigo.ErrBusy] while another call waits for a connection; its other
// errors are those of the transport, and the listener is still usable.
//
// No slot is held while it waits, or a quiet listener would keep it from a busy one.
// The price: each listener may accept one connection too early, which then waits in
// its Open.
func (l *Listener) Accept(ctx context.Context) (*Incoming, error) {
	if err := l.slots.take(ctx, l.closed); err != nil {
		return nil, &trigo.OpError{Op: "accept", Layer: l.String(), Err: err}
	}
	l.slots.give()
	s, err := l.source.Accept(ctx)
	if err != nil {
		return nil, err
	}
	return newIncoming(l.recipe, s, l.slots), nil
}

// Addr returns the address that the listener is bound to, with its real port.
func (l *Listener) Addr() net.Addr { return l.source.Addr() }

// Close stops listening, and wakes an Accept, whether that waits for a connection or
// for room, with [trigo.ErrClosed]. Close waits for nobody. Its error, if any, is that
// of the transport, and it is closed all the same. Connections that were accepted go
// on.
func (l *Listener) Close(ctx context.Context) error {
	l.shut()
	return l.source.Close(ctx)
}

// Recipe returns the recipe that the listener was opened by, to reload it.
func (l *Listener) Recipe() *Recipe { return l.recipe }

// String names the listener by its address: "tcp 127.0.0.1:8080".
func (l *Listener) String() string { return l.source.String() }

// Underlying returns the listener of the transport.
func (l *Listener) Underlying() any { return l.source }

// An Incoming is a connection that was accepted and has none of the upper layers
// yet.
type Incoming struct {
	recipe    *Recipe
	transport trigo.Stream
	slots     slots
	open      atomic.Pointer[trigo.Stream]
	opening   atomic.Bool

	mu   sync.Mutex
	slot bool // it has one

	closed chan struct{}
	shut   func() // closes closed, once; before release
}

var (
	_ trigo.Resource = (*Incoming)(nil)
	_ trigo.Aborter  = (*Incoming)(nil)
)

// newIncoming takes a slot if there is one.
func newIncoming(r *Recipe, s trigo.Stream, room slots) *Incoming {
	closed := make(chan struct{})
	return &Incoming{
		recipe: r, transport: s, slots: room, slot: room.try(),
		closed: closed, shut: sync.OnceFunc(func() { close(closed) }),
	}
}

// Open puts the upper layers on the connection, with their handshakes, and returns
// the stream. It waits for the peer, each layer as long as [Options] allow. When it
// fails the connection is closed; the error is that of [Recipe.Dial].
//
// The stream belongs to the Incoming, whose Close closes it. Open must be called
// once.
func (in *Incoming) Open(ctx context.Context) (trigo.Stream, error) {
	if !in.opening.CompareAndSwap(false, true) {
		return nil, &trigo.OpError{Op: "open", Layer: in.String(), Err: trigo.ErrBusy}
	}
	if err := in.enter(ctx); err != nil {
		return nil, &trigo.OpError{Op: "open", Layer: in.String(), Err: err}
	}
	s, err := in.recipe.cover(ctx, in.transport, nil)
	if err != nil {
		return nil, err
	}
	in.open.Store(&s)
	if in.isClosed() { // and who closed it may have found the transport only
		trigo.CloseForcefully(s)
		return nil, &trigo.OpError{Op: "open", Layer: in.String(), Err: trigo.ErrClosed}
	}
	return s, nil
}

// Transport returns the connection below the layers.
func (in *Incoming) Transport() trigo.Stream { return in.transport }

// RemoteAddr returns the address of the peer on the transport, or nil if that has
// none.
func (in *Incoming) RemoteAddr() net.Addr {
	if s, ok := trigo.As[interface{ RemoteAddr() net.Addr }](in.transport); ok {
		return s.RemoteAddr()
	}
	return nil
}

// Close closes the connection: the stream that Open returned, or else the transport.
// It waits as that does, for the goodbyes of the layers, until ctx ends, so give it a
// deadline; its error only says that there was no goodbye. Calls on the stream are
// woken, with [trigo.ErrClosed]. An Open under way or to come fails at once; one that
// waits for room (the max option), or is to come, with ErrClosed.
func (in *Incoming) Close(ctx context.Context) error {
	in.shut()
	defer in.release()
	return in.stream().Close(ctx)
}

// Abort ends the connection so that its peer cannot take that for a clean end.
func (in *Incoming) Abort() error {
	in.shut()
	defer in.release()
	return trigo.Abort(in.stream())
}

func (in *Incoming) stream() trigo.Stream {
	if s := in.open.Load(); s != nil {
		return *s
	}
	return in.transport
}

// enter waits for a slot, if Accept found none, and fails if the connection is closed.
func (in *Incoming) enter(ctx context.Context) error {
	in.mu.Lock()
	slot := in.slot
	in.mu.Unlock()
	switch {
	case in.isClosed():
		return trigo.ErrClosed
	case slot:
		return nil
	}
	if err := in.slots.take(ctx, in.closed); err != nil {
		trigo.CloseForcefully(in.transport)
		return err
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.isClosed() { // and release may have been here
		in.slots.give()
		return trigo.ErrClosed
	}
	in.slot = true
	return nil
}

// release makes room for another connection.
func (in *Incoming) release() {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.slot {
		in.slots.give()
	}
	in.slot = false
}

func (in *Incoming) isClosed() bool {
	select {
	case <-in.closed:
		return true
	default:
		return false
	}
}

// String names the connection by its transport.
func (in *Incoming) String() string { return describe(in.transport) }

// Underlying returns the stream, for [trigo.As].
func (in *Incoming) Underlying() any { return in.stream() }

// slots are the connections that the max option allows; nil is any number.
type slots chan struct{}

// take waits for a slot, until ctx ends or closed is.
func (s slots) take(ctx context.Context, closed <-chan struct{}) error {
	if s == nil {
		return nil
	}
	select {
	case s <- struct{}{}:
		return nil
	case <-closed:
		return trigo.ErrClosed
	case <-ctx.Done():
		return trigo.CancelError(ctx)
	}
}

// try takes a slot if there is one.
func (s slots) try() bool {
	if s == nil {
		return true
	}
	select {
	case s <- struct{}{}:
		return true
	default:
		return false
	}
}

func (s slots) give() {
	if s != nil {
		<-s
	}
}

// accepting makes a source of a listener of some kind of stream.
type accepting[S trigo.Stream] struct {
	listener interface {
		trigo.Listener[S]
		Addr() net.Addr
		String() string
	}
	tune func(S) error // sets the options of a connection; may be nil
}

func (a accepting[S]) Accept(ctx context.Context) (trigo.Stream, error) {
	s, err := a.listener.Accept(ctx)
	if err != nil {
		return nil, err
	}
	if a.tune != nil {
		// The only failure is that of a connection that is dead already, and
		// that is for whoever uses it to find out.
		_ = a.tune(s)
	}
	return s, nil
}

func (a accepting[S]) Addr() net.Addr                  { return a.listener.Addr() }
func (a accepting[S]) Close(ctx context.Context) error { return a.listener.Close(ctx) }
func (a accepting[S]) String() string                  { return a.listener.String() }
func (a accepting[S]) Underlying() any                 { return a.listener }
