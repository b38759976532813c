package file

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// RemoveAll removes p and, if it is a directory, everything in it, several
// directories at a time. That there is nothing is no error. Links are removed, and
// not followed, not even one that somebody puts in place of a directory while it
// runs (Linux; elsewhere p must not be written by people who are not trusted).
//
// What cannot be removed stays, and the rest is removed all the same; the error is
// the first. A cancel ends it between two files and leaves the others. "." and ".."
// as last name are refused with [fs.ErrInvalid].
func (p Path) RemoveAll(ctx context.Context) error {
	const op = "remove all"
	if p == "" || p.Name() == "" || p.Name() == ".." {
		return opError(op, p, &invalid{"there is no way to remove it by this name"})
	}
	err := p.call(ctx, op, unlink)
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if info, statErr := p.Lstat(ctx); statErr != nil || !info.IsDir() {
		return err
	}
	r := &removal{tree: tree{op: op, root: p, stay: true}}
	r.visit, r.end, r.done = r.remove, r.removeLeaf, r.removeDir
	if err := r.run(ctx, 0, r.tell); err != nil {
		return err
	}
	if err := p.call(ctx, op, rmdir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		if r.err == nil {
			r.err = p.call(ctx, op, os.RemoveAll) // somebody still adds to it: once more
		}
		return r.err
	}
	return nil
}

// removal is a RemoveAll under way.
type removal struct {
	tree
	err error // the first
}

// remove removes a file, or notes a directory.
func (t *removal) remove(_ context.Context, _ *reader, b *batch, name string, kind fs.FileMode) {
	n := b.node
	var err error
	if kind != fs.ModeDir {
		err = n.dir.unlink(name)
		if err == nil || errors.Is(err, fs.ErrNotExist) {
			return
		}
		if kind == unknownKind || errors.Is(err, syscall.EISDIR) {
			kind, _ = n.dir.kind(name, false)
		}
	}
	if kind != fs.ModeDir {
		b.fail(opError(t.op, t.pathIn(n, name), err))
		return
	}
	b.found = append(b.found, found{node: t.child(n, t.pathIn(n, name))})
	n.inside++
}

// removeLeaf removes a directory that has no others in it, at once.
func (t *removal) removeLeaf(_ *reader, b *batch) {
	if n := b.node; n.inside == 0 && n.viaParent {
		n.gone = n.parent.dir.rmdir(n.name()) == nil
	}
}

func (t *removal) tell(b *batch) bool {
	if b.err != nil && t.err == nil {
		t.err = t.errorAt(b.node, b.err)
	}
	return true
}

// removeDir removes a directory whose contents are gone.
func (t *removal) removeDir(n *node) bool {
	if n.gone || n.parent == nil {
		return true
	}
	err := t.rmdirOf(n)
	if errors.Is(err, syscall.ENOTEMPTY) { // why was told, or RemoveAll will try once more
		return true
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) && t.err == nil {
		t.err = opError(t.op, t.pathOf(n), err)
	}
	return true
}

func (t *removal) rmdirOf(n *node) error {
	if n.viaParent {
		return n.parent.dir.rmdir(n.name())
	}
	above := t.top.dir
	if n.parent.parent != nil {
		var err error
		if above, err = above.openBelow(n.parent.rel, false); err != nil {
			return err
		}
		defer above.close()
	}
	return above.rmdir(n.name())
}
