package file

import (
	"context"
	"fmt"
	"io/fs"
	"iter"
	"math/bits"
	"strings"
)

// GlobOptions says how [Path.Glob] searches.
type GlobOptions struct {
	Case           Case // whether upper and lower case differ; for POSIX they do
	FollowSymlinks bool // "**" goes through links to directories, but not in circles
	Workers        int  // how many directories are read at a time; see [WalkOptions]
}

// Glob returns the paths below p that match pattern, each once. Patterns are those
// of [Pure.FullMatch], compared name by name: "*.go", "*/testdata", "**/*.go". "**" is
// any number of directories, none included; at the end it is everything below, and
// p itself. A pattern that ends with a separator matches directories only. Names
// that begin with a dot are matched like others. A pattern that is empty or has an
// anchor is [fs.ErrInvalid].
//
// Only directories that can hold a match are read, and names without wildcards are
// looked up and not searched for. A name before a separator may be a link to a
// directory; "**" goes through none unless it is asked to.
//
// The order is not defined; see [Path.Walk] for that and for what a cancel does. A
// directory that cannot be read comes as an error with its path, and the search goes
// on. One that is not there has no matches.
func (p Path) Glob(ctx context.Context, pattern string, opts *GlobOptions) iter.Seq2[Path, error] {
	if opts == nil {
		opts = &GlobOptions{}
	}
	return func(yield func(Path, error) bool) {
		g, err := newGlob(p, pattern, opts)
		if err != nil {
			yield("", err)
			return
		}
		over := false
		say := func(p Path, err error) bool {
			if err == nil && ctx.Err() != nil {
				err = deadCtx(ctx, g.op, g.root)
				yield("", err)
				over = true
			} else if !yield(p, err) {
				over = true
			}
			return !over
		}
		err = g.run(ctx, opts.Workers, func(b *batch) bool {
			for i := range b.found {
				if f := &b.found[i]; !f.silent && !say(f.Path, nil) {
					return false
				}
			}
			if b.err != nil && !isAbsent(b.err) {
				return say(g.pathOf(b.node), g.errorAt(b.node, b.err))
			}
			return true
		})
		if err != nil && !over {
			yield("", err)
		}
	}
}

// RGlob is [Path.Glob] with "**" in front of the pattern.
func (p Path) RGlob(ctx context.Context, pattern string, opts *GlobOptions) iter.Seq2[Path, error] {
	recursive := Path("**").Join(pattern)
	if endsWithSeparator(pattern) {
		recursive += separator
	}
	return p.Glob(ctx, string(recursive), opts)
}

// glob is a Glob under way. In each directory it looks for all parts of the pattern
// that can come next, and after a "**" those are several: they are the bits of
// node.states. The bit after those of the parts says that the path matches.
type glob struct {
	tree
	parts    []globPart
	full     uint64 // all parts have been matched
	anyDepth uint64 // the parts that are "**"
	wild     uint64 // the parts for which a directory has to be read
	dirsOnly bool
}

// globPart is a name in a pattern.
type globPart struct {
	text    string
	matches func(name string) bool // not for "**"
}

// maxParts is how many parts a pattern can have; there must be a bit for each.
const maxParts = 60

func newGlob(p Path, text string, opts *GlobOptions) (*glob, error) {
	g := &glob{tree: tree{op: "glob", root: p, follow: opts.FollowSymlinks}, dirsOnly: endsWithSeparator(text)}
	names := native(text).Parts()
	reason := ""
	switch {
	case native(text).Anchor() != "":
		reason = "is not relative"
	case len(names) == 0:
		reason = "is empty"
	case len(names) > maxParts:
		reason = fmt.Sprintf("has more than %d names", maxParts)
	}
	if reason != "" {
		return nil, opError(g.op, p, &invalid{fmt.Sprintf("pattern %q %s", text, reason)})
	}
	for i, name := range names {
		bit := uint64(1) << len(g.parts)
		if name == "**" {
			if i > 0 && names[i-1] == name {
				continue // the same as one
			}
			g.anyDepth |= bit
		}
		if opts.Case != CaseNative && name != ".." || strings.ContainsAny(name, "*?[") {
			g.wild |= bit
		}
		g.parts = append(g.parts, globPart{name, nameMatcher(name, opts.Case.folds(flavourOf(native(""))))})
	}
	g.full = 1 << len(g.parts)
	g.top = &node{states: g.closure(1)}
	g.begin, g.visit = g.lookUp, g.search
	return g, nil
}

func endsWithSeparator(text string) bool {
	return text != "" && flavourOf(native("")).isSeparator(text[len(text)-1])
}

func flavourOf[F Flavour](Pure[F]) flavour {
	var f F
	return f
}

// nameMatcher compiles the pattern of one name. The most frequent ones are compared
// without it.
func nameMatcher(text string, fold bool) func(name string) bool {
	front, back, one := strings.Cut(text, "*")
	switch {
	case fold || strings.ContainsAny(front+back, "*?["):
		return compile(text, separator[0], fold, false).match
	case !one:
		return func(name string) bool { return name == text }
	}
	return func(name string) bool {
		return len(name) >= len(front)+len(back) && strings.HasPrefix(name, front) && strings.HasSuffix(name, back)
	}
}

// closure adds the states in which a "**" stands for no directory.
func (g *glob) closure(states uint64) uint64 { return states | states&g.anyDepth<<1 }

// next returns the states after the parts, other than "**", that match name.
func (g *glob) next(states uint64, name string) (next uint64) {
	for states &^= g.anyDepth | g.full; states != 0; states &= states - 1 {
		if i := bits.TrailingZeros64(states); g.parts[i].matches(name) {
			next |= 1 << (i + 1)
		}
	}
	return next
}

// search looks at a name in a directory that is read.
func (g *glob) search(_ context.Context, r *reader, b *batch, name string, kind fs.FileMode) {
	n := b.node
	kind, err := r.kindOf(n, name, kind)
	if err != nil { // it is gone
		return
	}
	next, deep := g.next(n.states, name), n.states&g.anyDepth
	isDir := kind == fs.ModeDir
	descends := isDir // a "**" does
	byLink := kind == fs.ModeSymlink &&
		(g.follow && deep != 0 || g.dirsOnly && next != 0 || next&^g.full != 0) && r.leadsToDir(n, name)
	if byLink {
		isDir, descends = true, g.follow
	}
	if g.dirsOnly && !isDir {
		next = 0
	}
	if descends {
		next |= deep
	} else if !g.dirsOnly {
		next |= deep << 1 & g.full // a "**" at the end is everything
	}
	if next = g.keepable(next, isDir); next != 0 {
		g.keep(b, g.pathIn(n, name), next, isDir, byLink)
	}
}

// keepable adds to the states of a directory, and leaves to others only that they
// match.
func (g *glob) keepable(states uint64, isDir bool) uint64 {
	if !isDir {
		return states & g.full
	}
	return g.closure(states)
}

// keep notes a path that matches, or a directory in which others may.
func (g *glob) keep(b *batch, path Path, states uint64, isDir, byLink bool) {
	f := found{Entry: Entry{Path: path}, silent: states&g.full == 0}
	if isDir && states&^g.full != 0 {
		f.node = g.child(b.node, path)
		f.node.states, f.node.byLink = states, byLink
	}
	b.found = append(b.found, f)
}

// lookUp looks for the parts that need no search. It reports whether the directory
// has to be read for others; then it leaves everything but ".." to that.
func (g *glob) lookUp(_ *reader, b *batch) (read bool) {
	n := b.node
	read = n.states&g.wild&^g.full != 0
	if n.parent == nil && n.states&g.full != 0 {
		if kind, err := kindOfPath(g.root.name(), true); err == nil && kind == fs.ModeDir {
			g.keep(b, g.pathOf(n), g.full, true, false)
		}
	}
	for i, part := range g.parts {
		bit := uint64(1) << i
		if n.states&bit == 0 || g.wild&bit != 0 || read && part.text != ".." {
			continue
		}
		path := g.pathIn(n, part.text)
		needsDir := g.dirsOnly || bit<<1 != g.full
		kind, err := kindOfPath(string(path), needsDir)
		if isDir := kind == fs.ModeDir; err == nil && (isDir || !needsDir) {
			g.keep(b, path, g.keepable(bit<<1, isDir), isDir, true)
		} else if !isAbsent(err) {
			b.fail(err)
		}
	}
	return read
}
