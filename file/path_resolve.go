package file

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"
)

// Cwd returns the current directory.
func Cwd(ctx context.Context) (Path, error) {
	return ask(ctx, "cwd", ".", func(string) (Path, error) { return cwd() })
}

func cwd() (Path, error) {
	dir, err := os.Getwd()
	return Path(dir), err
}

// Absolute returns p with the current directory in front, if it needs one. Links
// and ".." stay as they are.
func (p Path) Absolute(ctx context.Context) (Path, error) {
	return ask(ctx, "absolute", p, func(string) (Path, error) { return absolute(p) })
}

func absolute(p Path) (Path, error) {
	switch {
	case p.IsAbsolute():
		return p.Normal(), nil
	case runtime.GOOS == "windows": // each drive has a current directory
		full, err := filepath.Abs(p.name())
		return Path(full), err
	}
	dir, err := cwd()
	if err != nil {
		return "", err
	}
	return dir.Join(string(p)), nil
}

// ResolveOptions says how [Path.Resolve] goes.
type ResolveOptions struct {
	Strict bool // what does not exist is an error, and so is a link that leads to itself
}

// Resolve returns the absolute path of p without links and without "..". What does
// not exist is taken as it is written, and so is a link that leads to itself.
func (p Path) Resolve(ctx context.Context, opts *ResolveOptions) (Path, error) {
	strict := opts != nil && opts.Strict
	return ask(ctx, "resolve", p, func(string) (Path, error) { return resolve(p, strict) })
}

// resolve goes through the names from the left and keeps the path so far free of
// links. todo holds what is to come, the next at the end; at the place where a link
// has been gone through to its end there is a mark with its path.
func resolve(p Path, strict bool) (Path, error) {
	type step struct {
		name string
		link Path // a mark, if it is not empty
	}
	full, err := absolute(p)
	if err != nil {
		return "", err
	}
	at := rootOf(full.Anchor())
	var todo []step
	push := func(names []string) {
		for _, name := range slices.Backward(names) {
			todo = append(todo, step{name: name})
		}
	}
	push(full.pure().parse().tail)
	resolved := map[Path]Path{} // links, and where they lead; nothing while that is being found out
	for len(todo) > 0 {
		next := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		switch {
		case next.link != "":
			resolved[next.link] = at
			continue
		case next.name == "..":
			at = at.Parent()
			continue
		}
		path := at.child(next.name)
		info, err := os.Lstat(string(path))
		if err != nil && strict {
			return "", err
		}
		if err != nil || info.Mode()&fs.ModeSymlink == 0 {
			at = path
			continue
		}
		if to, seen := resolved[path]; seen {
			switch {
			case to != "":
				at = to
			case strict:
				return "", syscall.ELOOP
			default:
				at = path
			}
			continue
		}
		target, err := os.Readlink(string(path))
		if err != nil {
			if strict {
				return "", err
			}
			at = path
			continue
		}
		resolved[path] = ""
		todo = append(todo, step{link: path})
		d := native(target).parse()
		if d.root != "" || d.drive != "" {
			at = rootOf(string(at.Join(d.drive + d.root)))
		}
		push(d.tail)
	}
	return at, nil
}

// rootOf is what an anchor leads to: on POSIX two slashes are the same as one.
func rootOf(anchor string) Path {
	if separator == "/" {
		return separator
	}
	return Path(anchor)
}

// child is a name in p, which is in normal form. Join would take some names of
// Windows for drives.
func (p Path) child(name string) Path {
	if d := p.pure().parse(); len(d.tail) > 0 || d.root == "" {
		return p + separator + Path(name)
	}
	return p + Path(name)
}
