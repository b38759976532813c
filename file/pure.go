package file

import (
	"io/fs"
	"strings"

	"trigo"
)

// A Pure is a path of flavour F, with everything that can be said about it without
// looking at a file system. It works the same on every system, so that a program
// on Linux can take a Windows path apart.
//
// A Pure is a string, however it was written: "a//./b" is a path and can be used
// with every method. Those that return a path return it in normal form, which
// is what [Pure.String] gives: no separator twice, no "." in between, the
// separator of the flavour. The empty path is ".". ".." is kept, since it
// cannot be taken back without looking for symbolic links. Compare paths with
// [Pure.Equal]; == is equal strings.
//
// The results are those of pathlib in CPython 3.13, on the bytes of the name: a
// name need not be UTF-8.
//
// Bad arguments are errors that name the argument and are [fs.ErrInvalid].
//
// Trio: trio.Path; Python: pathlib.PurePath.
type Pure[F Flavour] string

// PosixPath is a path as Linux, macOS and the BSDs write it, on any system.
//
// Python: pathlib.PurePosixPath.
type PosixPath = Pure[Posix]

// WindowsPath is a path as Windows writes it, on any system. Either slash
// separates, and upper and lower case are equal.
//
// Python: pathlib.PureWindowsPath.
type WindowsPath = Pure[Windows]

// parsed is a path taken apart.
type parsed struct {
	drive, root string
	tail        []string // the names after the root
}

// parse takes p apart.
func (p Pure[F]) parse() parsed {
	var f F
	path := string(p)
	sep := string(f.separator())
	if f.isSeparator('/') && sep != "/" {
		path = strings.ReplaceAll(path, "/", sep)
	}
	drive, root, rest := f.split(path)
	if root == "" {
		root = f.impliedRoot(drive)
	}
	d := parsed{drive, root, make([]string, 0, strings.Count(rest, sep)+1)}
	for name := range strings.SplitSeq(rest, sep) {
		if name != "" && name != "." {
			d.tail = append(d.tail, name)
		}
	}
	return d
}

// unparse puts a path together. A first name that looks like a drive gets a "."
// in front, which tells it from one.
func unparse[F Flavour](d parsed) Pure[F] {
	var f F
	sep := string(f.separator())
	path := strings.Join(d.tail, sep)
	switch {
	case d.drive != "" || d.root != "":
		return Pure[F](d.drive + d.root + path)
	case path == "":
		return "."
	}
	if drive, _, _ := f.split(d.tail[0]); drive != "" {
		return Pure[F]("." + sep + path)
	}
	return Pure[F](path)
}

// String returns p in normal form.
func (p Pure[F]) String() string {
	var f F
	if f.isNormal(string(p)) {
		return string(p)
	}
	return string(unparse[F](p.parse()))
}

// Normal returns p in normal form.
func (p Pure[F]) Normal() Pure[F] { return Pure[F](p.String()) }

// AsPosix returns p with slashes as separators.
func (p Pure[F]) AsPosix() string {
	var f F
	if f.separator() == '/' {
		return p.String()
	}
	return strings.ReplaceAll(p.String(), string(f.separator()), "/")
}

// Drive returns the drive or the share: "C:", `\\server\share`, or nothing.
func (p Pure[F]) Drive() string { return p.parse().drive }

// Root returns the root: "/", `\`, or nothing if the path is relative. On POSIX
// it is "//" for a path that begins with exactly two slashes.
func (p Pure[F]) Root() string { return p.parse().root }

// Anchor returns drive and root together.
func (p Pure[F]) Anchor() string {
	d := p.parse()
	return d.drive + d.root
}

// Parts returns the anchor, if there is one, and the names after it.
func (p Pure[F]) Parts() []string {
	d := p.parse()
	if d.drive+d.root == "" {
		return d.tail
	}
	return append([]string{d.drive + d.root}, d.tail...)
}

// Parent returns the path without its last name. The parent of an anchor, and of
// the empty path, is itself. It goes by the names alone: the parent of ".." is
// ".".
func (p Pure[F]) Parent() Pure[F] {
	d := p.parse()
	if n := len(d.tail); n > 0 {
		d.tail = d.tail[:n-1]
	}
	return unparse[F](d)
}

// Parents returns Parent, its parent, and so on up to the anchor or ".".
func (p Pure[F]) Parents() []Pure[F] {
	d := p.parse()
	parents := make([]Pure[F], 0, len(d.tail))
	for len(d.tail) > 0 {
		d.tail = d.tail[:len(d.tail)-1]
		parents = append(parents, unparse[F](d))
	}
	return parents
}

// Join appends others to p. One that is absolute replaces everything before it,
// but on Windows one that has a root and no drive keeps the drive.
func (p Pure[F]) Join(others ...string) Pure[F] {
	var f F
	path := string(p)
	for _, other := range others {
		path = f.join(path, other)
	}
	return Pure[F](path).Normal()
}

// IsAbsolute reports whether p needs nothing in front: on POSIX it has a root, on
// Windows a root and a drive.
func (p Pure[F]) IsAbsolute() bool {
	var f F
	return f.isAbsolute(p.String())
}

// IsReserved reports whether a name in p means something else to Windows, such
// as "nul.txt" or a name that ends with a space. On POSIX no name does.
func (p Pure[F]) IsReserved() bool {
	var f F
	return f.isReserved(p.String())
}

// pathError is the error of a pure operation: bad input.
func pathError(op, path string, err error) error {
	return &trigo.OpError{Op: op, Layer: "path " + path, Err: err}
}

// invalid is the reason of an argument that cannot be used.
type invalid struct{ text string }

func (e *invalid) Error() string { return e.text }
func (e *invalid) Unwrap() error { return fs.ErrInvalid }
