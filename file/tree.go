package file

import (
	"context"
	"io/fs"
	"runtime"
	"sync"

	"trigo/nursery"
)

// What goes through whole trees (Walk, Glob, RemoveAll, CopyTree) is built on a
// tree. The problem: one goroutine that reads one directory after the other waits
// most of the time for the system, while the order in which the caller is told must
// be one that can be described.
//
// The rule: directories are read, a buffer at a time, by whoever is free, and what
// was found goes to the goroutine of the caller, which alone looks at it, tells
// the loop, and decides which directories are read next. So the caller has seen a
// directory before anybody opens it, and needs no locks. When nothing has been
// found yet it reads a directory itself: a small tree is read without any other
// goroutine, and in a large one the caller never waits while there is work.
//
// The latest directory found is read first, which keeps the list of those to be
// read short, and helpers pause when the caller is behind.
//
// Directories are opened relative to the one above, by descriptor, so that neither
// the length of a path nor somebody who renames things on the way matters, and
// no link is followed that was not asked for. A directory is kept open while those
// found in it are to be opened, but no more than maxHeld of them: in a tree deeper
// than that the rest are opened from the root.

// maxHeld is how many directories a tree keeps open for those below.
const maxHeld = 64

// A batch of found names is sent on when it has this many. It bounds what a huge
// directory takes in memory.
const batchSize = 512

// node is a directory that is to be read.
type node struct {
	parent    *node       // nil for the root
	rel       string      // the path from the root
	kind      fs.FileMode // for Walk
	viaParent bool        // it has a claim on parent.dir
	byLink    bool        // its name may be that of a link
	pastLink  bool        // or one on the way may be

	// Of whoever reads it; one at a time.
	dir    dirHandle
	isOpen bool
	id     fileID // only in a tree that follows links

	states uint64      // of Glob: the places in the pattern
	inside int         // of RemoveAll: the directories found in it
	gone   bool        // of RemoveAll: it is removed
	info   fs.FileInfo // of CopyTree

	// Of the goroutine of the caller.
	below int // directories found in it that are not done, and itself until it is read

	claims int // guarded by tree.mu: dir is closed when nobody has one
}

// found is a name in a directory.
type found struct {
	Entry
	node   *node // a directory to be read, or nil
	silent bool  // not to be told, only to be read
}

// batch is what was found in one go.
type batch struct {
	node  *node
	found []found
	end   bool  // the directory has been read to its end
	err   error // why it could not be, or what could not be done in it
}

// tree reads the directories below a root.
type tree struct {
	op     string
	prefix string // comes before rel in a path
	root   Path
	follow bool // links to directories are directories
	stay   bool // the claim on a parent is kept until the directory is done

	// begin, which may be nil, is called before a directory is opened and says
	// whether to read it. visit is called for each name in it, which is only good
	// during the call, and end after the last, if all went well. They run in several
	// goroutines.
	begin func(r *reader, b *batch) (read bool)
	visit func(ctx context.Context, r *reader, b *batch, name string, kind fs.FileMode)
	end   func(r *reader, b *batch)
	// done is called when a directory and everything below it is done, in the
	// goroutine of the caller. If it returns false that is the end of the tree.
	done func(n *node) bool

	top *node // the root; made by run if there is none

	mu      sync.Mutex
	changed sync.Cond      // with mu: todo, ready or closed
	todo    []*node        // guarded by mu; the latest is the next
	ready   []*batch       // guarded by mu
	spare   []*batch       // guarded by mu; to be used again
	reading int            // guarded by mu: helpers that are at a directory
	idle    int            // guarded by mu: helpers that wait
	open    map[*node]bool // guarded by mu
	closed  bool           // guarded by mu
}

// run reads the tree and calls tell for each batch, in this goroutine. It ends when
// tell returns false, when ctx does, or when all has been read. No helper and no
// descriptor is left.
func (t *tree) run(ctx context.Context, workers int, tell func(*batch) bool) error {
	t.changed.L = &t.mu
	t.prefix = t.root.String() + separator
	switch root := t.root.String(); {
	case root == ".":
		t.prefix = ""
	case root[len(root)-1] == separator[0]:
		t.prefix = root
	}
	if workers == 0 {
		workers = max(2, runtime.GOMAXPROCS(0))
	}
	return nursery.Run(ctx, func(inner context.Context, crew *nursery.Nursery) error {
		defer t.close()
		defer crew.Cancel(nil) // before that, so that no helper waits for a place any more
		if t.top == nil {
			t.top = &node{}
		}
		t.top.claims, t.top.below = 1, 1 // a claim that is never given up: all can be opened from the root
		t.open = map[*node]bool{}
		t.todo = append(t.todo, t.top)
		self := newReader(t)
		for helpers := 0; ; {
			b := t.next(inner, self)
			if b == nil {
				return nil
			}
			if ctx.Err() != nil {
				return deadCtx(ctx, t.op, t.root)
			}
			if !tell(b) {
				return nil
			}
			n, end := b.node, b.end
			more := t.settle(b)
			if end && !t.finished(n) {
				return nil
			}
			if more > 1 && helpers < workers-1 {
				helpers++
				crew.Go(func(ctx context.Context) error { t.help(ctx); return nil })
			}
		}
	})
}

// next returns a batch, or nil when all has been read. Only the caller calls it.
func (t *tree) next(ctx context.Context, self *reader) *batch {
	t.mu.Lock()
	for {
		switch {
		case len(t.ready) > 0:
			b := t.ready[0]
			t.ready[0] = nil
			t.ready = t.ready[1:]
			if len(t.ready) == 0 && t.idle > 0 {
				t.changed.Broadcast() // helpers may have paused
			}
			t.mu.Unlock()
			return b
		case len(t.todo) > 0:
			b := t.take()
			t.mu.Unlock()
			self.read(ctx, b)
			return b
		case t.reading == 0:
			t.mu.Unlock()
			return nil
		}
		t.changed.Wait()
	}
}

// help reads directories for the caller until the tree is closed.
func (t *tree) help(ctx context.Context) {
	r := newReader(t)
	t.mu.Lock()
	defer t.mu.Unlock()
	for !t.closed {
		if len(t.todo) == 0 || len(t.ready) >= maxReady {
			t.idle++
			t.changed.Wait()
			t.idle--
			continue
		}
		b := t.take()
		t.reading++
		t.mu.Unlock()
		r.read(ctx, b)
		t.mu.Lock()
		t.reading--
		t.ready = append(t.ready, b)
		t.changed.Broadcast() // the caller may wait
	}
}

// maxReady is how many batches may wait for the caller.
const maxReady = 32

// take takes the next directory. The caller of it holds mu.
func (t *tree) take() *batch {
	last := len(t.todo) - 1
	n := t.todo[last]
	t.todo[last] = nil
	t.todo = t.todo[:last]
	if k := len(t.spare); k > 0 {
		b := t.spare[k-1]
		t.spare = t.spare[:k-1]
		b.node = n
		return b
	}
	return &batch{node: n}
}

// settle takes over what a batch found, and returns how many directories are to be
// read. Those that the caller does not want have no node any more.
func (t *tree) settle(b *batch) (todo int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := b.node
	if !b.end {
		t.todo = append(t.todo, n)
	}
	for _, f := range b.found {
		if f.node != nil {
			f.node.below = 1
			n.below++
			t.todo = append(t.todo, f.node)
		}
	}
	if len(t.todo) > 1 && t.idle > 0 {
		t.changed.Broadcast()
	}
	clear(b.found)
	*b = batch{found: b.found[:0]}
	t.spare = append(t.spare, b)
	return len(t.todo)
}

// finished marks n as read, and calls done for it and for those above that were
// waiting for it. It reports whether all calls of done returned true.
func (t *tree) finished(n *node) bool {
	for n != nil {
		if n.below--; n.below > 0 {
			return true
		}
		if t.done != nil && !t.done(n) {
			return false
		}
		if t.stay {
			t.drop(n)
		}
		n = n.parent
	}
	return true
}

// drop gives up the claim of n on the directory above.
func (t *tree) drop(n *node) {
	if n.viaParent {
		n.viaParent = false
		t.unclaim(n.parent)
	}
}

// claim keeps n open for something found in it, if there are not too many already.
func (t *tree) claim(n *node) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.open) > maxHeld || !t.open[n] {
		return false
	}
	n.claims++
	return true
}

// opened notes that n is open, with the claim of whoever reads it.
func (t *tree) opened(n *node) {
	t.mu.Lock()
	n.claims++
	t.open[n] = true
	t.mu.Unlock()
	n.isOpen = true
}

// unclaim gives up a claim on n and closes it if nobody else has one.
func (t *tree) unclaim(n *node) {
	t.mu.Lock()
	n.claims--
	last := n.claims == 0 && t.open[n]
	if last {
		delete(t.open, n)
	}
	t.mu.Unlock()
	if last {
		n.dir.close()
	}
}

// close lets the helpers go, waits for those that are at a directory, and closes
// what is open still.
func (t *tree) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	t.changed.Broadcast()
	for t.reading > 0 {
		t.changed.Wait()
	}
	for n := range t.open {
		n.dir.close()
	}
	t.open = nil
}
