package endpoint

import (
	"context"
	"errors"
	"net"
	"testing"
	"testing/synctest"

	"trigo"
	"trigo/trigotest"
)

// inMemory is a source whose connections are in memory: each Accept makes one.
type inMemory struct{ closed chan struct{} }

func (m inMemory) Accept(context.Context) (trigo.Stream, error) {
	select {
	case <-m.closed:
		return nil, trigo.ErrClosed
	default:
		a, _ := trigotest.NewMemoryPair()
		return a, nil
	}
}

func (m inMemory) Addr() net.Addr { return nil }
func (m inMemory) String() string { return "memory" }
func (m inMemory) Close(context.Context) error {
	close(m.closed)
	return nil
}

// oneAtATime returns a listener with max=1 and the connection that has the slot.
func oneAtATime(t *testing.T) (*Listener, *Incoming) {
	t.Helper()
	recipe, err := parsed(t, "tcp-listen:127.0.0.1:0").Prepare(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	l := newListener(recipe, inMemory{make(chan struct{})}, make(slots, 1))
	in, err := l.Accept(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return l, in
}

// later runs f until it waits, and returns what it will return.
func later(f func() error) <-chan error {
	done := make(chan error, 1)
	go func() { done <- f() }()
	synctest.Wait()
	return done
}

// wantNow wants that a call has returned err.
func wantNow(t *testing.T, what string, done <-chan error, want error) {
	t.Helper()
	synctest.Wait()
	select {
	case err := <-done:
		if !errors.Is(err, want) {
			t.Errorf("%s: got %v, want %v", what, err, want)
		}
	default:
		t.Errorf("%s still waits", what)
	}
}

func TestCloseWakesAnAcceptThatWaitsForRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		l, in := oneAtATime(t)
		accepted := later(func() error { _, err := l.Accept(ctx); return err })
		if err := l.Close(ctx); err != nil {
			t.Error(err)
		}
		wantNow(t, "Accept", accepted, trigo.ErrClosed)
		wantNow(t, "Accept after Close", later(func() error { _, err := l.Accept(ctx); return err }), trigo.ErrClosed)
		if err := in.Close(ctx); err != nil || len(l.slots) != 0 {
			t.Errorf("%v, and %d slots are taken by nobody", err, len(l.slots))
		}
	})
}

func TestCloseWakesAnOpenThatWaitsForRoom(t *testing.T) {
	for name, end := range map[string]func(*Incoming) error{
		"Close": func(in *Incoming) error { return in.Close(t.Context()) },
		"Abort": (*Incoming).Abort,
	} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			l, in := oneAtATime(t)
			a, _ := trigotest.NewMemoryPair()
			early := newIncoming(l.recipe, a, l.slots)
			opened := later(func() error { _, err := early.Open(ctx); return err })
			if err := end(early); err != nil {
				t.Error(err)
			}
			wantNow(t, "Open under "+name, opened, trigo.ErrClosed)
			if err := in.Close(ctx); err != nil || len(l.slots) != 0 {
				t.Errorf("%s: %v, and %d slots are taken by nobody", name, err, len(l.slots))
			}
		})
	}
}

func TestOpenAfterCloseDoesNotWaitForRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		l, in := oneAtATime(t)
		a, _ := trigotest.NewMemoryPair()
		early := newIncoming(l.recipe, a, l.slots)
		if err := errors.Join(early.Close(ctx), early.Close(ctx)); err != nil {
			t.Error(err)
		}
		wantNow(t, "Open", later(func() error { _, err := early.Open(ctx); return err }), trigo.ErrClosed)
		if err := in.Close(ctx); err != nil {
			t.Error(err)
		}
		wantNow(t, "Open of what had a slot", later(func() error { _, err := in.Open(ctx); return err }), trigo.ErrClosed)
		if len(l.slots) != 0 {
			t.Errorf("%d slots are taken by nobody", len(l.slots))
		}
	})
}

// Close that comes when the last layer is on, and before Open has returned it, leaves
// nothing open that Open then hands out.
func TestAConnectionThatIsClosedAsItsLastLayerIsPutOnIsNotOpened(t *testing.T) {
	recipe, err := parsed(t, "count+tcp-listen:127.0.0.1:0").Prepare(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	transport, _ := trigotest.NewMemoryPair()
	in := newIncoming(recipe, transport, nil)
	top := recipe.parts[0]
	put := top.wrap
	top.wrap = func(ctx context.Context, below trigo.Stream) (trigo.Stream, error) {
		s, err := put(ctx, below)
		in.Close(ctx)
		return s, err
	}
	if s, err := in.Open(t.Context()); s != nil || !errors.Is(err, trigo.ErrClosed) {
		t.Errorf("Open: %v, %v", s, err)
	}
}
