package tlsstream

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"trigo"
)

// outbox holds the records that crypto/tls has made and the transport has not
// taken yet. They must reach the wire in the order in which they were made. So
// they are gathered under a lock, and sent by one caller at a time, the one that
// has the turn; what it leaves when it is cancelled comes first for the next.
type outbox struct {
	mu      sync.Mutex
	fresh   []byte          // gathered, and not being sent
	held    bool            // somebody uses the transport's sending half: has the turn
	waiters []chan struct{} // for the turn, in their order; closed to pass it on

	// Of the holder of the turn.
	taken []byte // being sent
	sent  int    // of taken
}

// gather adds p. It never waits for anyone who sends.
func (o *outbox) gather(p []byte) {
	o.mu.Lock()
	if o.fresh == nil {
		o.fresh = getBuffer(len(p))[:0]
	}
	o.fresh = append(o.fresh, p...)
	o.mu.Unlock()
}

// expect makes room for n bytes of data and what TLS adds to them.
func (o *outbox) expect(n int) {
	o.mu.Lock()
	if o.fresh == nil {
		o.fresh = getBuffer(n + chunkBuffer - sendChunk)[:0]
	}
	o.mu.Unlock()
}

// take waits for the turn.
func (o *outbox) take(ctx context.Context) error {
	o.mu.Lock()
	if !o.held {
		o.held = true
		o.mu.Unlock()
		return nil
	}
	passed := make(chan struct{})
	o.waiters = append(o.waiters, passed)
	o.mu.Unlock()
	select {
	case <-passed:
		return nil
	case <-ctx.Done():
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if i := slices.Index(o.waiters, passed); i >= 0 {
		o.waiters = slices.Delete(o.waiters, i, i+1)
		return trigo.CancelError(ctx)
	}
	return nil // it was passed on to us before the cancel
}

// tryTake takes the turn if nobody has it.
func (o *outbox) tryTake() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	free := !o.held
	o.held = true
	return free
}

// give passes the turn on.
func (o *outbox) give() {
	o.mu.Lock()
	o.giveLocked()
	o.mu.Unlock()
}

func (o *outbox) giveLocked() {
	if len(o.waiters) == 0 {
		o.held, o.waiters = false, nil
		return
	}
	close(o.waiters[0])
	o.waiters = o.waiters[1:]
}

// flush takes its turn and sends everything there is, also what is gathered
// meanwhile. A cancelled flush leaves the rest where it is.
func (o *outbox) flush(ctx context.Context, to trigo.SendStream) error {
	if err := o.take(ctx); err != nil {
		return err
	}
	return o.drain(ctx, to)
}

// drain is flush for the holder of the turn. It gives it back.
func (o *outbox) drain(ctx context.Context, to trigo.SendStream) error {
	for o.next() {
		if err := o.send(ctx, to); err != nil {
			o.give()
			return err
		}
	}
	return nil
}

// next takes what is to be sent next, unless it has that already. If there is
// nothing it gives the turn back.
func (o *outbox) next() bool {
	if o.sent < len(o.taken) {
		return true
	}
	if o.taken != nil {
		putBuffer(o.taken)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.taken, o.fresh, o.sent = o.fresh, nil, 0
	if len(o.taken) > 0 {
		return true
	}
	o.giveLocked()
	return false
}

func (o *outbox) send(ctx context.Context, to trigo.SendStream) error {
	err := to.SendAll(ctx, o.taken[o.sent:])
	if err == nil {
		o.sent = len(o.taken)
		return nil
	}
	var op *trigo.OpError
	switch {
	case errors.As(err, &op):
		o.sent += min(int(op.N), len(o.taken)-o.sent)
		if o.sent == len(o.taken) && ctx.Err() != nil {
			return nil // it had happened before the cancel
		}
	case ctx.Err() != nil:
		// The peer may have got some of it or nothing. Whatever followed, it
		// could not be understood.
		return trigo.Broken(fmt.Errorf("%w: %v", errUncounted, err))
	}
	return err
}

var errUncounted = errors.New("the transport was cancelled and does not say how much it sent")

// gathered returns how many bytes wait to be sent, beside those that somebody
// sends just now.
func (o *outbox) gathered() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.fresh)
}

// leftover reports whether there is something that somebody has still to send.
func (o *outbox) leftover() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.fresh) > 0 || o.held || o.sent < len(o.taken)
}
