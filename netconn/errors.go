package netconn

import (
	"context"
	"errors"
	"io"
	"net"
	"os"

	"trigo"
)

// failed makes the error of a connection of one that its stream returned for a
// call under ctx. It is never nil.
func (c *conn) failed(ctx context.Context, op string, err error) error {
	switch {
	case err == io.EOF:
		return err
	case c.closing.Load() && errors.Is(err, trigo.ErrClosed):
		err = net.ErrClosed // whose text programs look for
	case ctx.Err() != nil && errors.Is(err, ctx.Err()):
		err = os.ErrDeadlineExceeded
	default:
		err = bare(err)
	}
	return c.fail(op, err)
}

func (c *conn) failIfClosed(op string) error {
	if c.closing.Load() {
		return c.fail(op, net.ErrClosed)
	}
	return nil
}

// late is the error of a call that began after its deadline.
func (c *conn) late(op string) error {
	if err := c.failIfClosed(op); err != nil {
		return err
	}
	return c.fail(op, os.ErrDeadlineExceeded)
}

// fail returns err as package net would: with operation, network and addresses.
func (c *conn) fail(op string, err error) error {
	if err == nil {
		return nil
	}
	return &net.OpError{Op: op, Net: c.remote.Network(), Source: c.local, Addr: c.remote, Err: err}
}

// bare is err without the operation and the layer that an outermost OpError
// names: a net.OpError names them, too.
func bare(err error) error {
	if op, ok := err.(*trigo.OpError); ok {
		return op.Err
	}
	return err
}

// sent returns how many bytes went out before a send failed.
func sent(err error) int {
	var op *trigo.OpError
	if errors.As(err, &op) {
		return int(op.N)
	}
	return 0
}
