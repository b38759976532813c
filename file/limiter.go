package file

import (
	"container/list"
	"context"
	"fmt"
	"sync"

	"trigo"
)

// A system call on a regular file or a directory holds a thread until it ends,
// and the runtime starts another thread for whoever else wants to run. Ten
// thousand calls to a file server that hangs are ten thousand threads, and at
// that number the runtime gives up. So each such call takes a place first, with
// enter, and gives it back with leave. Those for whom there is none stand in
// line, first come first served, and that wait ends with their ctx.
//
// A place is held for one system call, or for a few short ones. A long read or
// write takes a new place for each of its pieces.

// DefaultLimit is how many calls of this package on files and directories are
// under way at a time, unless [SetLimit] said something else. The queue of a disk
// is mostly shorter.
const DefaultLimit = 64

// SetLimit makes n the number of calls that this package lets be under way at a
// time, in the whole process, and returns what it was before. The calls that are
// under way already end as they would have. n below 1 is a panic.
//
// Trio: trio.to_thread.current_default_thread_limiter().total_tokens.
func SetLimit(n int) (old int) { return places.resize(n) }

// places is the limiter of all files.
var places = limiter{limit: DefaultLimit}

// enter takes a place for a call on the file system. It fails, with the error
// of a cancelled call, if ctx is dead or ends while it waits for one.
func enter(ctx context.Context) error { return places.acquire(ctx) }

// leave gives back the place that enter took.
func leave() { places.release() }

// limiter is a semaphore with a ctx.
type limiter struct {
	mu    sync.Mutex
	limit int       // guarded by mu
	used  int       // guarded by mu
	line  list.List // guarded by mu; of chan struct{}, closed when the place is given
}

func (l *limiter) acquire(ctx context.Context) error {
	if ctx.Err() != nil {
		return trigo.CancelError(ctx)
	}
	l.mu.Lock()
	if l.used < l.limit && l.line.Len() == 0 {
		l.used++
		l.mu.Unlock()
		return nil
	}
	given := make(chan struct{})
	waiting := l.line.PushBack(given)
	l.mu.Unlock()

	select {
	case <-given:
		return nil
	case <-ctx.Done():
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case <-given: // just now; it is for the next in line
		l.used--
		l.admit()
	default:
		l.line.Remove(waiting)
	}
	return trigo.CancelError(ctx)
}

func (l *limiter) release() {
	l.mu.Lock()
	l.used--
	if l.line.Len() > 0 {
		l.admit()
	}
	l.mu.Unlock()
}

func (l *limiter) resize(n int) (old int) {
	if n < 1 {
		panic(fmt.Sprintf("file: a limit of %d calls", n))
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	old, l.limit = l.limit, n
	l.admit()
	return old
}

// admit gives the free places to those who wait. The caller holds mu.
func (l *limiter) admit() {
	for l.used < l.limit && l.line.Len() > 0 {
		l.used++
		close(l.line.Remove(l.line.Front()).(chan struct{}))
	}
}
