package trigotest

import (
	"context"
	"io"
	"sync"

	"trigo"
)

// keptBuffer is the most that an empty queue holds on to.
const keptBuffer = 64 << 10

// byteQueue is an unbounded buffer. Anyone may put; one at a time may take,
// and the streams that own the queue see to that.
type byteQueue struct {
	mu    sync.Mutex
	data  []byte // from taken on, what is there
	taken int
	ended bool  // nothing more will be put
	err   error // what is to be had instead of data

	changed chan struct{} // one token: there is something new to look at
}

func newByteQueue() *byteQueue {
	return &byteQueue{changed: make(chan struct{}, 1)}
}

// put appends p, unless the queue has ended or failed.
func (q *byteQueue) put(p []byte) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.ended || q.err != nil {
		return trigo.ErrClosed
	}
	if q.taken > 0 && len(q.data)+len(p) > cap(q.data) { // rather than grow
		q.data = q.data[:copy(q.data, q.data[q.taken:])]
		q.taken = 0
	}
	q.data = append(q.data, p...)
	signal(q.changed)
	return nil
}

// end says that nothing more will be put. What is there can still be taken.
func (q *byteQueue) end() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.ended = true
	signal(q.changed)
}

// fail drops what is there; from now on there is only err to take.
func (q *byteQueue) fail(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.data, q.taken, q.err = nil, 0, err
	signal(q.changed)
}

// await waits until there is something to take: data, the end or a failure.
func (q *byteQueue) await(ctx context.Context) error {
	for !q.ready() {
		select {
		case <-q.changed:
		case <-ctx.Done():
			if q.ready() {
				return nil
			}
			return trigo.CancelError(ctx)
		}
	}
	return nil
}

func (q *byteQueue) ready() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.data) > q.taken || q.ended || q.err != nil
}

// take gives up to max bytes to use, which must not keep them. It never waits.
func (q *byteQueue) take(max int, use func([]byte)) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case q.err != nil:
		return q.err
	case len(q.data) > q.taken:
		n := min(max, len(q.data)-q.taken)
		use(q.data[q.taken : q.taken+n])
		q.taken += n
		if q.taken == len(q.data) {
			q.data, q.taken = q.data[:0], 0
			if cap(q.data) > keptBuffer {
				q.data = nil // do not hold on to what a burst needed
			}
		}
		return nil
	case q.ended:
		return io.EOF
	}
	return trigo.ErrWouldBlock
}

// signal leaves a token in a channel with room for one.
func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
