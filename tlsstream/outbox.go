package tlsstream

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"trigo"
	"trigo/internal/fdstream"
)

// outbox holds the records that crypto/tls has made and the transport has not
// taken yet. They must reach the wire in the order in which they were made. So
// they are gathered under a lock, and sent by one caller at a time, the one that
// has the turn; what it leaves when it is cancelled comes first for the next.
//
// A message of one record, which the transport mostly takes at once, need not be
// gathered to be sent. So the holder of the turn may open a way past the box, for
// one write that does not wait: that of the record with the message in it, unless
// another has come before. What is left of it goes the usual way. A second write might
// be one of the receiver, who answers a key update, and the turn given back by then.
type outbox struct {
	mu     sync.Mutex
	fresh  *buffer     // gathered, and not being sent; nil if there is nothing
	line   *waiter     // who waits for the turn, the first first
	held   bool        // somebody uses the transport's sending half: has the turn
	past   bool        // the way past is open,
	least  uint16      // for writes of at least this length
	ended  bool        // what is gathered now is thrown away
	some   atomic.Bool // fresh is not nil; for who only looks
	taken  *buffer     // being sent; of the holder of the turn
	failed error       // what the transport said to a write that went past; likewise
	unsure bool        // the transport may keep some of what it took; likewise
}

type waiter struct {
	passed chan struct{} // closed: the turn is ours
	next   *waiter
}

// write gathers p, or what of it does not go past. It never waits for anyone who
// sends. Its callers come one by one: crypto/tls has a lock of its own.
func (o *outbox) write(p []byte, to trigo.SendStream) {
	o.mu.Lock()
	if o.ended {
		o.mu.Unlock()
		return
	}
	if o.past && len(p) >= int(o.least) && o.fresh == nil {
		o.past = false
		o.mu.Unlock() // others only look at the box
		n, err := to.(fdstream.PromptSender).SendNow(p)
		if n == len(p) {
			return
		}
		o.mu.Lock()
		p, o.failed = p[n:], err
	}
	if o.fresh == nil {
		o.fresh = getBuffer(len(p))
		o.some.Store(true)
	}
	o.fresh.add(p)
	o.mu.Unlock()
}

// end is called behind the last record.
func (o *outbox) end() {
	o.mu.Lock()
	o.ended = true
	o.mu.Unlock()
}

// prompt returns to if it can be asked what it takes without waiting.
func prompt(to trigo.SendStream) fdstream.PromptSender {
	if s, ok := to.(fdstream.PromptSender); ok && s.Itself() == any(to) {
		return s
	}
	return nil
}

// open takes the turn and opens the way past the box, for the record of a message
// of size bytes. It reports false if the turn cannot be had at once, something has
// to be sent first, or the transport knows no such way.
func (o *outbox) open(size int, to trigo.SendStream) bool {
	if prompt(to) == nil {
		return false
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.held || o.fresh != nil || o.taken != nil {
		return false
	}
	o.held, o.past, o.least = true, true, uint16(recordHeader+size+aeadTag)
	return true
}

// shut shuts the way past. If nothing is left to send it gives the turn back; if
// something is, it reports false.
func (o *outbox) shut() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.past = false
	if o.fresh == nil {
		o.giveLocked()
	}
	return o.fresh == nil
}

// expect makes room for n bytes of data and what TLS adds to them.
func (o *outbox) expect(n int) {
	o.mu.Lock()
	room := getBuffer(n + chunkBuffer - sendChunk)
	if o.fresh != nil {
		room.add(o.fresh.bytes())
		putBuffer(o.fresh)
	}
	o.fresh = room
	o.some.Store(true)
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
	self := &waiter{passed: make(chan struct{})}
	last := &o.line
	for *last != nil {
		last = &(*last).next
	}
	*last = self
	o.mu.Unlock()
	select {
	case <-self.passed:
		return nil
	case <-ctx.Done():
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for p := &o.line; *p != nil; p = &(*p).next {
		if *p == self {
			*p = self.next
			return trigo.CancelError(ctx)
		}
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
	if first := o.line; first != nil {
		o.line = first.next
		close(first.passed)
		return
	}
	o.held = false
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
		if _, err := o.send(ctx, to, len(o.taken.bytes())); err != nil {
			o.give()
			return err
		}
	}
	return nil
}

// flushFirst is flush for the first n of the bytes that wait. It returns how many
// it has sent: more, if the transport takes what is behind them at once. Nobody else
// may be sending.
func (o *outbox) flushFirst(ctx context.Context, to trigo.SendStream, n int) (sent int, err error) {
	if n <= 0 && !o.unsure {
		return 0, nil // without a turn: see owes
	}
	if err := o.take(ctx); err != nil {
		return 0, err
	}
	for o.next() {
		if err != nil || sent >= n && !o.unsure {
			o.give()
			break
		}
		done := o.sendNow(to)
		if done == 0 {
			done, err = o.send(ctx, to, min(n-sent, len(o.taken.bytes())))
		}
		sent += done
	}
	return sent, err
}

// sendNow sends of what is taken what the transport takes at once, if it can be
// asked, and returns how much that is.
func (o *outbox) sendNow(to trigo.SendStream) int {
	s := prompt(to)
	if s == nil || o.failed != nil || o.unsure {
		return 0
	}
	var n int
	n, o.failed = s.SendNow(o.taken.bytes())
	o.taken.r += n
	return n
}

// next takes what is to be sent next, unless it has that already. If there is
// nothing it gives the turn back.
func (o *outbox) next() bool {
	if o.taken != nil {
		if len(o.taken.bytes()) > 0 || o.unsure {
			return true
		}
		putBuffer(o.taken)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.taken, o.fresh = o.fresh, nil
	o.some.Store(false)
	if o.taken == nil {
		o.giveLocked()
	}
	return o.taken != nil
}

// send sends the first n bytes of what is taken, and returns how many it did send.
//
// A transport whose send fails may count bytes that it keeps for its next one, as a
// Stream does. If it counts all of them that send has to come, with nothing in it
// if nothing is left: until then the outbox is not empty, and the error is not nil.
func (o *outbox) send(ctx context.Context, to trigo.SendStream, n int) (sent int, err error) {
	if o.failed != nil {
		return 0, o.failed
	}
	b := o.taken
	err = to.SendAll(ctx, b.bytes()[:n])
	if err == nil {
		b.r += n
		o.unsure = false
		return n, nil
	}
	var op *trigo.OpError
	switch {
	case errors.As(err, &op):
		sent = min(int(op.N), n)
		b.r += sent
		o.unsure = sent == n
	case ctx.Err() != nil:
		// The peer may have got some of it or nothing. Whatever followed, it
		// could not be understood.
		err = trigo.Broken(fmt.Errorf("%w: %v", errUncounted, err))
	}
	return sent, err
}

var errUncounted = errors.New("the transport was cancelled and does not say how much it sent")

// gathered returns how many bytes wait to be sent, beside those that somebody
// sends just now.
func (o *outbox) gathered() int {
	if !o.some.Load() {
		return 0 // mostly
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.fresh == nil {
		return 0
	}
	return o.fresh.w
}

// waiting returns how many bytes wait to be sent. Nobody may be sending.
func (o *outbox) waiting() int {
	n := o.gathered()
	if o.taken != nil {
		n += len(o.taken.bytes())
	}
	return n
}

// owes reports whether there is something to send. Nobody may be sending, but
// somebody may have the turn and wait until a send might not block: until the peer
// receives, who may be waiting for us to do so.
func (o *outbox) owes() bool { return o.taken != nil || o.gathered() > 0 }

// leftover reports whether there is something that somebody has still to send.
func (o *outbox) leftover() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.held || o.fresh != nil || o.taken != nil
}
