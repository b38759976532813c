package file

import (
	"context"
	"io/fs"

	"trigo"
)

// MakeFIFO makes a FIFO: a pipe with a name. It has the permissions perm, less the
// umask. If path exists it is [fs.ErrExist]. Where there are no FIFOs (Windows) it is
// [errors.ErrUnsupported]. It waits for the disk, and for nobody to open the FIFO; a
// cancelled call has made nothing.
//
// A FIFO opened for reading is at its end when all who had it open for writing are
// gone; more may come, but this File has had its end. Who wants to hear of several
// writers opens it again, or for reading and writing (r+), with which it never ends.
//
// Python: os.mkfifo.
func MakeFIFO(ctx context.Context, path Path, perm fs.FileMode) error {
	err := enter(ctx)
	if err == nil {
		err = makeFIFO(string(path), perm)
		leave()
	}
	if err != nil {
		return &trigo.OpError{Op: "make FIFO", Layer: layerOf(path), Err: bare(err)}
	}
	return nil
}
