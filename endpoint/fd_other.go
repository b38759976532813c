//go:build !unix

package endpoint

import (
	"context"
	"errors"

	"trigo"
)

func openFD(context.Context, int, Direction) (trigo.Stream, error) {
	return nil, &trigo.OpError{Op: "open", Layer: "descriptor", Err: errors.ErrUnsupported}
}

func makeFIFO(path string, _ uint32) error {
	return &trigo.OpError{Op: "make", Layer: "fifo " + path, Err: errors.ErrUnsupported}
}
