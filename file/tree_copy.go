package file

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"time"

	"trigo"
)

// CopyOptions says how [Path.Copy] and [Path.CopyTree] copy.
type CopyOptions struct {
	KeepTimes bool // the copy gets the modification times too

	// FollowSymlinks: CopyTree copies what links lead to, and not the links. A link
	// to a directory above it is left out. Copy always does.
	FollowSymlinks bool

	// Merge: CopyTree copies into directories that are there already, and replaces
	// files. Otherwise what is there is fs.ErrExist.
	Merge bool
}

// copyPiece is how much is copied between two looks at the ctx.
const copyPiece = 8 << 20

// Copy copies the contents and the permissions of a regular file; what target held
// is replaced. Where the system can copy within itself (Linux) the bytes do not
// pass through this program. Another kind of file is [fs.ErrInvalid], and so is a
// target that is the same file.
//
// A cancel is noticed every few megabytes. A copy that did not come to its end is
// removed.
func (p Path) Copy(ctx context.Context, target Path, opts *CopyOptions) error {
	if opts == nil {
		opts = &CopyOptions{}
	}
	err := enter(ctx)
	if err == nil {
		held := true
		err = copyFile(p.name(), target.name(), opts, func() error {
			leave() // let others have a turn
			err := enter(ctx)
			held = err == nil
			return err
		})
		if held {
			leave()
		}
	}
	if err != nil {
		return opError("copy", p, err)
	}
	return nil
}

// copyFile copies a file by its path. Before each piece but the first it calls
// between, and gives up if that fails.
func copyFile(from, to string, opts *CopyOptions, between func() error) (err error) {
	info, err := os.Stat(from)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() { // to open a FIFO would be noticed at its other end
		return &invalid{"not a regular file"}
	}
	src, err := os.Open(from)
	if err != nil {
		return err
	}
	defer src.Close()
	dst, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|nonblocking, info.Mode().Perm())
	if err != nil {
		return err
	}
	defer func() {
		if closeErr := dst.Close(); err == nil {
			err = closeErr
		}
	}()
	old, err := dst.Stat()
	if err != nil {
		return err
	}
	if os.SameFile(info, old) {
		return &invalid{"the target is the same file"}
	}
	if !old.Mode().IsRegular() {
		return &invalid{"the target is not a regular file"}
	}
	defer func() {
		if err != nil {
			os.Remove(to)
		}
	}()
	if old.Size() > 0 {
		if err := dst.Truncate(0); err != nil {
			return err
		}
	}
	for first := true; ; first = false {
		if !first {
			if err := between(); err != nil {
				return err
			}
		}
		n, err := io.CopyN(dst, src, copyPiece)
		if n < copyPiece {
			if err != nil && err != io.EOF {
				return err
			}
			break
		}
	}
	if old.Mode().Perm() != info.Mode().Perm() {
		if err := dst.Chmod(info.Mode().Perm()); err != nil {
			return err
		}
	}
	if opts.KeepTimes {
		return os.Chtimes(to, time.Time{}, info.ModTime())
	}
	return nil
}

// CopyTree copies a directory and everything below it, several directories at a
// time. Files and directories keep their permissions, links stay what they say, and
// target is made. FIFOs, sockets and devices are [fs.ErrInvalid]. A target within p
// is too.
//
// The first error ends it, and so does a cancel, between two files or within a
// large one. What was copied until then stays, and a file that was not finished is
// removed.
func (p Path) CopyTree(ctx context.Context, target Path, opts *CopyOptions) error {
	const op = "copy tree"
	if opts == nil {
		opts = &CopyOptions{}
	}
	from, err := p.Resolve(ctx, nil)
	if err != nil {
		return opError(op, p, cause(err))
	}
	to, err := target.Resolve(ctx, nil)
	if err != nil {
		return opError(op, p, cause(err))
	}
	if to.IsRelativeTo(from) {
		return opError(op, p, &invalid{"the target is within it"})
	}
	c := &treeCopy{tree: tree{op: op, root: p, follow: opts.FollowSymlinks}, target: target, opts: opts}
	c.begin, c.visit, c.done = c.mkdir, c.copy, c.finish
	if err := c.run(ctx, 0, c.tell); err != nil {
		return err
	}
	return c.err
}

// treeCopy is a CopyTree under way.
type treeCopy struct {
	tree
	target Path
	opts   *CopyOptions
	err    error
}

// targetOf is where n goes.
func (c *treeCopy) targetOf(n *node) string {
	if n.parent == nil {
		return c.target.name()
	}
	return c.target.name() + separator + n.rel
}

// mkdir makes the copy of a directory, in which we may write whatever its
// permissions will be.
func (c *treeCopy) mkdir(_ *reader, b *batch) bool {
	n := b.node
	var err error
	if n.info, err = os.Stat(c.pathOf(n).name()); err == nil {
		err = os.Mkdir(c.targetOf(n), n.info.Mode().Perm()|0o700)
	}
	if errors.Is(err, fs.ErrExist) && c.opts.Merge {
		if info, statErr := os.Stat(c.targetOf(n)); statErr == nil && info.IsDir() {
			err = nil
		}
	}
	b.fail(err)
	return err == nil
}

// copy copies a file or a link, or notes a directory.
func (c *treeCopy) copy(ctx context.Context, r *reader, b *batch, name string, kind fs.FileMode) {
	n := b.node
	kind, err := r.kindOf(n, name, kind)
	if err != nil { // it is gone
		return
	}
	path := c.pathIn(n, name)
	byLink := c.follow && kind == fs.ModeSymlink && r.leadsToDir(n, name)
	to := c.targetOf(n) + separator + name
	switch {
	case kind == fs.ModeDir || byLink:
		f := found{node: c.child(n, path)}
		f.node.byLink = byLink
		b.found = append(b.found, f)
		return
	case kind == fs.ModeSymlink && !c.follow:
		err = copyLink(string(path), to, c.opts.Merge)
	case kind.IsRegular() || kind == fs.ModeSymlink:
		if !c.opts.Merge {
			if _, err = os.Lstat(to); err == nil {
				err = fs.ErrExist
				break
			}
		}
		err = copyFile(string(path), to, c.opts, func() error { return trigo.CancelError(ctx) })
	default:
		err = &invalid{"neither a regular file nor a directory nor a link"}
	}
	if err != nil {
		b.fail(opError(c.op, path, err))
	}
}

// copyLink makes a link that says the same.
func copyLink(from, to string, replace bool) error {
	target, err := os.Readlink(from)
	if err != nil {
		return err
	}
	err = os.Symlink(target, to)
	if replace && errors.Is(err, fs.ErrExist) {
		if err = unlink(to); err == nil {
			err = os.Symlink(target, to)
		}
	}
	return err
}

func (c *treeCopy) tell(b *batch) bool {
	if b.err != nil {
		c.err = c.errorAt(b.node, b.err)
	}
	return c.err == nil
}

// finish gives the copy of a directory its permissions and times, when nothing is
// added to it any more.
func (c *treeCopy) finish(n *node) bool {
	if n.info == nil { // it was gone
		return true
	}
	to := c.targetOf(n)
	err := os.Chmod(to, n.info.Mode().Perm())
	if err == nil && c.opts.KeepTimes {
		err = os.Chtimes(to, time.Time{}, n.info.ModTime())
	}
	if err != nil {
		c.err = opError(c.op, c.pathOf(n), err)
	}
	return err == nil
}
