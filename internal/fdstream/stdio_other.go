//go:build !unix

package fdstream

import (
	"errors"
	"os"

	"trigo"
)

// adopt returns an inline stream: nothing can be polled here.
func adopt(fd int, name layerName, dir direction) (trigo.Stream, func() error, error) {
	var f *os.File
	switch fd {
	case 0:
		f = os.Stdin
	case 1:
		f = os.Stdout
	case 2:
		f = os.Stderr
	default:
		return nil, nil, errors.ErrUnsupported
	}
	if _, err := f.Stat(); err != nil {
		return nil, nil, err
	}
	return &inline{layer: name, read: f.Read, write: f.Write}, f.Close, nil
}
