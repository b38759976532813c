package trigotest

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"trigo"
	"trigo/netstream"
)

// memoryListener is a listener without a network. Its fields are how it goes
// wrong, one at a time.
type memoryListener struct {
	backlog chan trigo.Stream
	shut    chan struct{}
	once    sync.Once
	busy    atomic.Bool

	accept  func(ctx context.Context) (trigo.Stream, error)
	closing func(ctx context.Context) error
	dialled func(s trigo.Stream) trigo.Stream
	deaf    bool // a dial does not notice that the listener is closed
}

func (l *memoryListener) Accept(ctx context.Context) (trigo.Stream, error) {
	if l.accept != nil {
		return l.accept(ctx)
	}
	return l.goodAccept(ctx)
}

func (l *memoryListener) goodAccept(ctx context.Context) (trigo.Stream, error) {
	select {
	case <-l.shut:
		return nil, trigo.ErrClosed
	default:
	}
	if err := trigo.CancelError(ctx); err != nil {
		return nil, err
	}
	if !l.busy.CompareAndSwap(false, true) {
		return nil, trigo.ErrBusy
	}
	defer l.busy.Store(false)
	select {
	case s := <-l.backlog:
		return s, nil
	case <-l.shut:
		return nil, trigo.ErrClosed
	case <-ctx.Done():
		return nil, trigo.CancelError(ctx)
	}
}

func (l *memoryListener) Close(ctx context.Context) error {
	if l.closing != nil {
		return l.closing(ctx)
	}
	l.once.Do(func() { close(l.shut) })
	return nil
}

func (l *memoryListener) dial(ctx context.Context) (trigo.Stream, error) {
	select {
	case <-l.shut:
		if !l.deaf {
			return nil, errors.New("refused")
		}
	default:
	}
	near, far := NewMemoryPair()
	var accepted trigo.Stream = far
	if l.dialled != nil {
		accepted = l.dialled(far)
	}
	select {
	case l.backlog <- accepted:
		return near, nil
	case <-ctx.Done():
		return nil, trigo.CancelError(ctx)
	}
}

func memoryListenerMaker(inflict func(l *memoryListener, hang chan struct{}), hang chan struct{}) ListenerMaker[trigo.Stream, *memoryListener] {
	return func(context.Context) (*memoryListener, func(context.Context) (trigo.Stream, error), error) {
		l := &memoryListener{backlog: make(chan trigo.Stream, 5), shut: make(chan struct{})}
		if inflict != nil {
			inflict(l, hang)
		}
		return l, l.dial, nil
	}
}

func TestListenersConform(t *testing.T) {
	t.Run("memory", func(t *testing.T) { CheckListener(t, memoryListenerMaker(nil, nil), bubble) })
	t.Run("outside a bubble", func(t *testing.T) { CheckListener(t, memoryListenerMaker(nil, nil), nil) })
	t.Run("tcp", func(t *testing.T) {
		CheckListener(t, func(ctx context.Context) (*netstream.Listener, func(context.Context) (trigo.Stream, error), error) {
			ls, err := netstream.ListenTCP(ctx, "127.0.0.1:0", nil)
			if err != nil {
				return nil, nil, err
			}
			return ls[0], func(ctx context.Context) (trigo.Stream, error) {
				return netstream.DialTCP(ctx, ls[0].Addr().String(), nil)
			}, nil
		}, nil)
	})
}

var listenerDefects = []struct {
	check, what string
	inflict     func(l *memoryListener, hang chan struct{})
}{
	{"who dials is accepted", "connects to nobody", func(l *memoryListener, _ chan struct{}) {
		l.dialled = func(trigo.Stream) trigo.Stream { s, _ := NewMemoryPair(); return s }
	}},
	{"a silent peer does not hold up the next", "waits for the first byte", func(l *memoryListener, _ chan struct{}) {
		l.accept = func(ctx context.Context) (trigo.Stream, error) {
			s, err := l.goodAccept(ctx)
			if err == nil {
				_, err = s.ReceiveSome(ctx, make([]byte, 1))
			}
			return s, err
		}
	}},
	{"a dead ctx does nothing", "accepts under a dead ctx", func(l *memoryListener, _ chan struct{}) {
		l.accept = func(ctx context.Context) (trigo.Stream, error) {
			select {
			case s := <-l.backlog:
				return s, nil
			default:
				return l.goodAccept(ctx)
			}
		}
	}},
	{"a cancelled accept loses nobody", "goes on accepting", func(l *memoryListener, _ chan struct{}) {
		l.accept = func(ctx context.Context) (trigo.Stream, error) {
			var s trigo.Stream
			var err error
			done := make(chan struct{})
			go func() {
				defer close(done)
				s, err = l.goodAccept(context.Background())
			}()
			select {
			case <-done:
				return s, err
			case <-ctx.Done():
				return nil, trigo.CancelError(ctx)
			}
		}
	}},
	{"a cancel that races an accept loses nobody", "prefers a late cancel", func(l *memoryListener, _ chan struct{}) {
		l.accept = func(ctx context.Context) (trigo.Stream, error) {
			s, err := l.goodAccept(ctx)
			pause(ctx, nil)
			if ctx.Err() != nil {
				return nil, trigo.CancelError(ctx)
			}
			return s, err
		}
	}},
	{"a second acceptor is busy", "serves two at once", func(l *memoryListener, _ chan struct{}) {
		l.accept = func(ctx context.Context) (trigo.Stream, error) {
			l.busy.Store(false)
			return l.goodAccept(ctx)
		}
	}},
	{"close wakes an acceptor", "wakes nobody", func(l *memoryListener, hang chan struct{}) {
		l.accept = func(ctx context.Context) (trigo.Stream, error) {
			select {
			case <-hang:
				return nil, trigo.ErrClosed
			case <-ctx.Done():
				return nil, trigo.CancelError(ctx)
			}
		}
	}},
	{"close with a dead ctx closes", "does not close then", func(l *memoryListener, _ chan struct{}) {
		l.closing = func(ctx context.Context) error {
			if ctx.Err() == nil {
				l.once.Do(func() { close(l.shut) })
			}
			return trigo.CancelError(ctx)
		}
	}},
	{"close again is silent", "complains", func(l *memoryListener, _ chan struct{}) {
		l.closing = func(context.Context) error {
			err := error(trigo.ErrClosed)
			l.once.Do(func() { close(l.shut); err = nil })
			return err
		}
	}},
	{"who dials a closed listener fails", "takes more", func(l *memoryListener, _ chan struct{}) { l.deaf = true }},
	{"what was accepted outlives its listener", "closes what it accepted", func(l *memoryListener, _ chan struct{}) {
		var accepted []trigo.Stream
		l.dialled = func(s trigo.Stream) trigo.Stream { accepted = append(accepted, s); return s }
		l.closing = func(ctx context.Context) error {
			for _, s := range accepted {
				s.Close(ctx)
			}
			l.once.Do(func() { close(l.shut) })
			return nil
		}
	}},
	{"nothing is left behind", "leaves a goroutine", func(l *memoryListener, hang chan struct{}) {
		go func() { <-hang }()
	}},
}

func TestEachListenerCheckFindsItsDefect(t *testing.T) {
	covered := make(map[string]bool)
	for _, d := range listenerDefects {
		covered[d.check] = true
		tryChecks(t, d.check, d.what, func(hang chan struct{}) []check {
			return listenerChecks(memoryListenerMaker(d.inflict, hang))
		})
	}
	wantCovered(t, covered, listenerChecks(memoryListenerMaker(nil, nil)))
}

// tryChecks runs one of the checks in a bubble and wants it to fail.
func tryChecks(t *testing.T, name, what string, checks func(hang chan struct{}) []check) {
	t.Run(name+"/"+what, func(t *testing.T) {
		rec := &recorder{}
		synctest.Test(t, func(t *testing.T) {
			hang := make(chan struct{}) // what hangs for ever hangs on this
			for _, c := range checks(hang) {
				if c.name == name {
					done := make(chan struct{})
					go func() {
						defer close(done)
						runCheck(rec, c, bubble)
					}()
					<-done
				}
			}
			close(hang)
		})
		if len(rec.failures) == 0 {
			t.Errorf("the check accepts what %s", what)
		}
	})
}

func wantCovered(t *testing.T, covered map[string]bool, checks []check) {
	t.Helper()
	for _, c := range checks {
		if !covered[c.name] {
			t.Errorf("no defect shows that the check %q can fail", c.name)
		}
	}
}
