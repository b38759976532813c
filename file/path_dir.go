package file

import (
	"context"
	"iter"
)

// Iterdir returns the paths of what is in the directory p, in no order, without "."
// and "..". It streams: the directory is read in pieces as the loop goes on, so that
// what appears or goes away meanwhile may be seen or not.
//
// An error is the last that comes: that the directory cannot be read, or the error of
// a cancelled call, between two paths. Nothing is open when the loop is over.
func (p Path) Iterdir(ctx context.Context) iter.Seq2[Path, error] {
	return func(yield func(Path, error) bool) {
		for e, err := range p.Scandir(ctx) {
			if !yield(e.Path, err) {
				return
			}
		}
	}
}

// Scandir is [Path.Iterdir] with the types of the files, which the directory has
// anyway.
//
// Python: os.scandir.
func (p Path) Scandir(ctx context.Context) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		opts := WalkOptions{Enter: func(Entry) bool { return false }, Workers: 1}
		for e, err := range p.walk(ctx, "scandir", &opts) {
			if err != nil {
				e = Entry{}
			}
			if !yield(e, err) {
				return
			}
		}
	}
}
