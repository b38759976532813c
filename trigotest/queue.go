package trigotest

import (
	"bytes"
	"context"
	"io"
	"sync"

	"trigo"
	"trigo/internal/vigil"
)

// keptBuffer is the most that an empty queue holds on to.
const keptBuffer = 64 << 10

// byteQueue is an unbounded buffer. Anyone may put; one at a time may take: who
// has acquired it.
type byteQueue struct {
	mu    sync.Mutex
	data  []byte // from taken on, what is there
	taken int
	ended bool  // nothing more will be put
	err   error // what is to be had instead of data

	busy    bool          // somebody takes
	awaited bool          // and waits for something to take, and was not told yet
	into    []byte        // where it wants what comes, if it would copy it there anyway
	handed  int           // how much came there
	changed chan struct{} // one token for who waits: there is something new to look at
	vigil   vigil.Vigil   // tells who waits, too; belongs to who takes, if somebody does
}

func newByteQueue() *byteQueue {
	return &byteQueue{changed: make(chan struct{}, 1)}
}

// put appends p, unless the queue has ended or failed.
func (q *byteQueue) put(p []byte) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.putLocked(p)
}

func (q *byteQueue) putLocked(p []byte) error {
	if q.over() {
		return trigo.ErrClosed
	}
	if q.awaited { // so there is nothing before p
		q.handed = copy(q.into, p)
		p = p[q.handed:]
	}
	// Rather than grow, but only if more was taken than is moved for it: else a full
	// queue that stays full would be moved for every byte.
	if q.taken > len(q.data)/2 && len(q.data)+len(p) > cap(q.data) {
		q.data = q.data[:copy(q.data, q.data[q.taken:])]
		q.taken = 0
	}
	q.data = append(q.data, p...)
	q.tell()
	return nil
}

// end says that nothing more will be put. What is there can still be taken.
func (q *byteQueue) end() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.ended = true
	q.finish()
}

// fail drops what is there; from now on there is only err to take.
func (q *byteQueue) fail(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.data, q.taken, q.err = nil, 0, err
	q.finish()
}

func (q *byteQueue) finish() {
	q.tell()
	if !q.busy {
		q.vigil.Drop() // nobody will wait any more
	}
}

// over reports whether nothing can be put any more.
func (q *byteQueue) over() bool { return q.ended || q.err != nil }

// empty reports whether who wants to take has to wait.
func (q *byteQueue) empty() bool { return len(q.data) == q.taken && !q.over() }

// tell wakes who waits, if anybody does.
func (q *byteQueue) tell() {
	if q.awaited {
		q.awaited = false
		signal(q.changed)
	}
}

// acquire locks the queue for the one who takes, or returns ErrBusy if that is
// somebody else. It stays acquired when the lock is given up for a while.
func (q *byteQueue) acquire() error {
	q.mu.Lock()
	if q.busy {
		q.mu.Unlock()
		return trigo.ErrBusy
	}
	q.busy = true
	return nil
}

func (q *byteQueue) release() {
	q.busy = false
	if q.over() {
		q.vigil.Drop()
	}
	q.mu.Unlock()
}

// await waits until there is something to take: data, the end or a failure. What
// is there when ctx ends comes before the error. While it waits, what is put goes
// straight into p, if there is one; the n bytes that did are taken. The caller has
// acquired the queue.
//
// It waits in its own loop, and not in functions for each thing: a processor that
// comes from another goroutine has forgotten where its returns go to.
func (q *byteQueue) await(ctx context.Context, p []byte) (n int, err error) {
	q.handed = 0
	for q.empty() && q.handed == 0 {
		if err != nil {
			return 0, err
		}
		q.awaited, q.into = true, p
		q.mu.Unlock() // also because nobody knows what a ctx does when it is looked at
		look := q.watch(ctx)
		err = trigo.CancelError(ctx) // a later cancel leaves a token, or ends the look
		switch {
		case err != nil:
		case look == nil:
			<-q.changed
		default:
			select {
			case <-q.changed:
			case <-look:
			}
		}
		q.mu.Lock()
		q.awaited, q.into = false, nil
	}
	return q.handed, nil
}

// watch sees to it that the end of ctx leaves a token. Where that is not worth
// while, it returns the channel to look at. Nobody else waits, so what was
// registered before can always be replaced.
func (q *byteQueue) watch(ctx context.Context) <-chan struct{} {
	done := ctx.Done()
	if q.vigil.Covers(done) {
		return nil
	}
	if q.vigil.Worthwhile() {
		changed := q.changed // and not the queue, which is not to live as long as ctx
		q.vigil.Keep(ctx, func() { signal(changed) })
		return nil
	}
	return done
}

// front returns up to max bytes that can be taken, which are those of the queue.
// It never waits. The caller holds the lock.
func (q *byteQueue) front(max int) ([]byte, error) {
	switch {
	case q.err != nil:
		return nil, q.err
	case len(q.data) > q.taken:
		return q.data[q.taken:][:min(len(q.data)-q.taken, max)], nil
	case q.ended:
		return nil, io.EOF
	}
	return nil, trigo.ErrWouldBlock
}

// drop takes n bytes off the front. The caller holds the lock.
func (q *byteQueue) drop(n int) {
	q.taken += n
	if q.taken < len(q.data) {
		return
	}
	q.data, q.taken = q.data[:0], 0
	if cap(q.data) > keptBuffer {
		q.data = nil // do not hold on to what a burst needed
	}
}

// read takes as much as fits into p. The caller holds the lock.
func (q *byteQueue) read(p []byte) (int, error) {
	data, err := q.front(len(p))
	n := copy(p, data)
	q.drop(n)
	return n, err
}

// clone takes up to max bytes. The caller holds the lock.
func (q *byteQueue) clone(max int) ([]byte, error) {
	data, err := q.front(max)
	data = bytes.Clone(data)
	q.drop(len(data))
	return data, err
}

// moveTo takes up to max bytes and puts them into another queue; what that does
// not take, with the error lost, is gone. It never waits.
func (q *byteQueue) moveTo(other *byteQueue, max int) (lost, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.busy && q.err == nil { // a failure is everybody's
		return nil, trigo.ErrBusy
	}
	data, err := q.front(max)
	if err != nil {
		return nil, err
	}
	other.mu.Lock()
	defer other.mu.Unlock()
	if len(data) == len(q.data) && len(other.data) == 0 && !other.over() { // the buffer itself, with all that is in it
		q.data, other.data = other.data, q.data
		other.tell()
		return nil, nil
	}
	lost = other.putLocked(data)
	q.drop(len(data))
	return lost, nil
}

// signal leaves a token in a channel with room for one.
func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
