package file

import (
	"context"
	"io/fs"
	"iter"
	"strings"
)

// An Entry is a name in a directory, as the directory has it: what it is was not
// asked for again.
type Entry struct {
	Path Path        // begins with the path at which the search began
	Type fs.FileMode // only the bits of its type: [fs.ModeDir], [fs.ModeSymlink], 0 for a regular file
}

// Name returns the last name of the path.
func (e Entry) Name() string {
	return string(e.Path[strings.LastIndexByte(string(e.Path), separator[0])+1:])
}

// IsDir reports whether it is a directory. A link to one is not.
func (e Entry) IsDir() bool { return e.Type.IsDir() }

// IsFile reports whether it is a regular file. A link to one is not.
func (e Entry) IsFile() bool { return e.Type.IsRegular() }

// IsSymlink reports whether it is a symbolic link.
func (e Entry) IsSymlink() bool { return e.Type&fs.ModeSymlink != 0 }

// WalkOptions says how [Path.Walk] goes.
type WalkOptions struct {
	// BottomUp: a directory comes after everything in it.
	BottomUp bool

	// FollowSymlinks: links to directories are entered, except those that lead to
	// a directory above them. They are still told as links.
	FollowSymlinks bool

	// Enter, if it is not nil, says which directories are entered. It is called by
	// the goroutine of the loop; without BottomUp, after the loop has seen the
	// directory.
	Enter func(dir Entry) bool

	// Workers is how many directories are read at a time. 0 is 2, or as many as
	// there are processors. More can be better for a distant file system.
	Workers int
}

// Walk returns everything below p, but not p itself. A directory comes before
// what is in it, or after it with BottomUp. Nothing else is said about the order:
// directories are read side by side, so that it can differ from walk to walk.
//
// The walk streams. A directory is opened after the loop has seen it, and however
// large it is, it is read in pieces; the names in it are not sorted. A slow loop
// stops the reading. No link is followed unless it was asked for, no path is too
// long and no tree too deep. What appears or goes away during the walk may be seen
// or not.
//
// A directory that cannot be read comes as an error beside its own entry, and the
// walk goes on with the others. When ctx ends, the error of a cancelled call comes
// between two entries, and is the last. Once the loop is over, in whatever way, no
// goroutine and no descriptor is left.
//
// A ctx that is dead touches nothing.
func (p Path) Walk(ctx context.Context, opts *WalkOptions) iter.Seq2[Entry, error] {
	if opts == nil {
		opts = &WalkOptions{}
	}
	return p.walk(ctx, "walk", opts)
}

func (p Path) walk(ctx context.Context, op string, opts *WalkOptions) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		w := &walk{tree: tree{op: op, root: p, follow: opts.FollowSymlinks}, opts: opts, yield: yield}
		w.visit = w.found
		if opts.BottomUp {
			w.done = func(n *node) bool { return n.parent == nil || w.say(ctx, Entry{w.pathOf(n), n.kind}) }
		}
		err := w.run(ctx, opts.Workers, func(b *batch) bool { return w.tell(ctx, b) })
		if err != nil && !w.over {
			yield(Entry{}, err)
		}
	}
}

// walk is a Walk under way.
type walk struct {
	tree
	opts  *WalkOptions
	yield func(Entry, error) bool
	over  bool // the loop has ended
}

// found is called for each name.
func (w *walk) found(_ context.Context, r *reader, b *batch, name string, kind fs.FileMode) {
	kind, err := r.kindOf(b.node, name, kind)
	if err != nil { // it is gone
		return
	}
	f := found{Entry: Entry{w.pathIn(b.node, name), kind}}
	byLink := w.follow && kind == fs.ModeSymlink && r.leadsToDir(b.node, name)
	if kind == fs.ModeDir || byLink {
		f.node = w.child(b.node, f.Path)
		f.node.byLink = byLink
	}
	b.found = append(b.found, f)
}

// tell gives a batch to the loop.
func (w *walk) tell(ctx context.Context, b *batch) bool {
	for i := range b.found {
		f := &b.found[i]
		late := f.node != nil && w.opts.BottomUp
		if !late && !w.say(ctx, f.Entry) {
			return false
		}
		if f.node == nil {
			continue
		}
		f.node.kind = f.Type
		if w.opts.Enter != nil && !w.opts.Enter(f.Entry) {
			w.drop(f.node)
			f.node = nil
			if late && !w.say(ctx, f.Entry) {
				return false
			}
		}
	}
	if b.err != nil && !w.yield(Entry{w.pathOf(b.node), fs.ModeDir}, w.errorAt(b.node, b.err)) {
		w.over = true
	}
	return !w.over
}

// say gives an entry to the loop, or the error of a cancelled call.
func (w *walk) say(ctx context.Context, e Entry) bool {
	if ctx.Err() != nil {
		w.yield(Entry{}, deadCtx(ctx, w.op, w.root))
		w.over = true
	} else if !w.yield(e, nil) {
		w.over = true
	}
	return !w.over
}
