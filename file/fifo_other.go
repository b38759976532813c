//go:build !unix

package file

import (
	"errors"
	"io/fs"
)

func makeFIFO(string, fs.FileMode) error { return errors.ErrUnsupported }
