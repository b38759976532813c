package file

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"syscall"

	"trigo"
)

// reader reads directories of a tree, one at a time.
type reader struct {
	t   *tree
	buf dirBuffer
}

func newReader(t *tree) *reader { return &reader{t: t} }

// read reads on in the directory of b until it has enough for a batch.
func (r *reader) read(ctx context.Context, b *batch) {
	if err := enter(ctx); err != nil {
		b.err, b.end = err, true
		return
	}
	defer leave()
	t, n := r.t, b.node
	if !n.isOpen {
		if t.begin != nil && !t.begin(r, b) {
			b.end = true
			if !t.stay {
				t.drop(n)
			}
			return
		}
		if entered, err := r.open(n); !entered {
			b.fail(err)
			b.end = true
			return
		}
	}
	for !b.end && len(b.found) < batchSize {
		more, err := r.buf.fill(n.dir)
		b.fail(err)
		for {
			name, kind, ok := r.buf.next()
			if !ok {
				break
			}
			if ctx.Err() != nil {
				b.fail(trigo.CancelError(ctx))
				break
			}
			t.visit(ctx, r, b, name, kind)
		}
		more = more && ctx.Err() == nil
		if !more {
			b.end = true
			if t.end != nil && b.err == nil {
				t.end(r, b)
			}
			t.unclaim(n)
		}
	}
}

// fail notes the first thing that went wrong.
func (b *batch) fail(err error) {
	if b.err == nil {
		b.err = err
	}
}

// open opens n for reading. It reports false without an error for a directory that
// is gone, or has become something else, since it was found: then there is
// nothing in it. The same holds for a link that leads up to where it was found.
func (r *reader) open(n *node) (entered bool, err error) {
	t := r.t
	n.pastLink = n.byLink || n.parent != nil && n.parent.pastLink
	switch {
	case n.parent == nil:
		n.dir, err = openDir(t.root.name())
	case n.viaParent:
		n.dir, err = n.parent.dir.open(n.name(), n.byLink)
	case t.top.isOpen:
		n.dir, err = t.top.dir.openBelow(n.rel, n.pastLink)
	default: // names before this one were looked up, not searched for
		n.dir, err = openDir(t.prefix + n.rel)
	}
	if !t.stay {
		t.drop(n)
	}
	if err != nil {
		if n.parent != nil && (isAbsent(err) || errors.Is(err, syscall.ELOOP)) {
			return false, nil
		}
		return false, err
	}
	t.opened(n)
	if t.follow {
		if n.id, err = n.dir.id(); err != nil || n.repeats() {
			t.unclaim(n)
			return false, err
		}
	}
	return true, nil
}

// name is the last name of n. The root has none.
func (n *node) name() string { return n.rel[strings.LastIndexByte(n.rel, separator[0])+1:] }

// repeats reports whether n is one of the directories above it.
func (n *node) repeats() bool {
	for above := n.parent; above != nil; above = above.parent {
		if above.id == n.id {
			return true
		}
	}
	return false
}

// pathOf is the path of n.
func (t *tree) pathOf(n *node) Path {
	if n.parent == nil {
		return t.root.Normal()
	}
	return Path(t.prefix + n.rel)
}

// pathIn is the path of a name in n, and no part of the buffer that name may be in.
func (t *tree) pathIn(n *node, name string) Path {
	if n.parent == nil {
		return Path(strings.Clone(t.prefix + name))
	}
	return Path(t.prefix + n.rel + separator + name)
}

// child makes the node of a directory that was found in n at path.
func (t *tree) child(n *node, path Path) *node {
	return &node{parent: n, rel: string(path[len(t.prefix):]), viaParent: t.claim(n)}
}

// kindOf is the type of a name in n, which the file system may not have told.
func (r *reader) kindOf(n *node, name string, kind fs.FileMode) (fs.FileMode, error) {
	if kind != unknownKind {
		return kind, nil
	}
	return n.dir.kind(name, false)
}

// leadsToDir reports whether a symbolic link in n leads to a directory.
func (r *reader) leadsToDir(n *node, name string) bool {
	kind, err := n.dir.kind(name, true)
	return err == nil && kind == fs.ModeDir
}

// unknownKind is the type of a file of which the file system did not tell it.
const unknownKind = fs.ModeIrregular

// errorAt is the error of an operation that failed in n.
func (t *tree) errorAt(n *node, err error) error {
	var op *trigo.OpError
	if errors.As(err, &op) { // it says where
		return err
	}
	return opError(t.op, t.pathOf(n), err)
}
