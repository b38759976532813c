package file

import (
	"context"
	"errors"

	"trigo"
)

// name is what the system is given: the empty path is the current directory.
func (p Path) name() string {
	if p == "" {
		return "."
	}
	return string(p)
}

// call makes a short call on the file system for an operation on p.
func (p Path) call(ctx context.Context, op string, f func(name string) error) error {
	_, err := ask(ctx, op, p, func(name string) (struct{}, error) { return struct{}{}, f(name) })
	return err
}

// ask is call for calls that have a result.
func ask[V any](ctx context.Context, op string, p Path, f func(name string) (V, error)) (v V, err error) {
	if err = enter(ctx); err == nil {
		v, err = f(p.name())
		leave()
	}
	if err != nil {
		return v, opError(op, p, err)
	}
	return v, nil
}

// opError is the error of an operation on p.
func opError(op string, p Path, err error) error {
	return &trigo.OpError{Op: op, Layer: layerOf(p), Err: bare(err)}
}

// deadCtx is the error of an operation that fails because ctx is dead.
func deadCtx(ctx context.Context, op string, p Path) error {
	return opError(op, p, trigo.CancelError(ctx))
}

// cause takes away the operation that an error names, for another that it is part
// of.
func cause(err error) error {
	var op *trigo.OpError
	if errors.As(err, &op) {
		return op.Err
	}
	return err
}
