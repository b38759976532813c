package netstream

import (
	"context"
	"errors"
	"net"
	"os"
	"time"

	"trigo"
)

// connectError returns what a Dialer's error means. Only the ctx can have set
// it a time limit.
func connectError(ctx context.Context, err error) error {
	givenUp := errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded)
	if givenUp && isCancelled(ctx) {
		return trigo.CancelError(ctx)
	}
	return bare(err)
}

// isCancelled reports whether ctx has ended. Package net keeps its own clock for
// the deadline of a ctx, which may be a moment ahead of the ctx's.
func isCancelled(ctx context.Context) bool {
	if d, ok := ctx.Deadline(); ok && !time.Now().Before(d) {
		<-ctx.Done()
	}
	return ctx.Err() != nil
}

// bare returns what is left of an error of package net without the words that
// our own errors say: operation, network, addresses.
func bare(err error) error {
	var op *net.OpError
	if errors.As(err, &op) {
		err = op.Err
	}
	var call *os.SyscallError
	if errors.As(err, &call) && call.Syscall == "connect" {
		err = call.Err
	}
	return err
}
