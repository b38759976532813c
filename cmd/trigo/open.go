package main

import (
	"context"
	"fmt"
	"time"

	"trigo"
	"trigo/netstream"
)

// open opens the stream that a names, which must not be a listener. The timeout
// is for what needs somebody else.
func (a address) open(ctx context.Context, timeout time.Duration) (trigo.Stream, error) {
	if timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, timeout, errConnectTimeout)
		defer cancel()
	}
	switch a.name {
	case "stdio":
		return openStdio()
	case "tcp":
		return hide(netstream.DialTCP(ctx, a.hostPort(), nil))
	case "unix":
		return hide(netstream.DialUnix(ctx, a.path))
	case "echo":
		return newEcho(), nil
	case "discard":
		return newDiscard(), nil
	}
	return nil, fmt.Errorf("cannot open %s", a)
}

// hide makes of a nil pointer a nil interface.
func hide(s *netstream.Stream, err error) (trigo.Stream, error) {
	if err != nil {
		return nil, err
	}
	return s, nil
}

// listen opens the listeners that a names.
func (a address) listen(ctx context.Context) ([]*netstream.Listener, error) {
	switch a.name {
	case "tcp-listen":
		return netstream.ListenTCP(ctx, a.hostPort(), nil)
	case "unix-listen":
		l, err := netstream.ListenUnix(ctx, a.path, nil)
		return []*netstream.Listener{l}, err
	}
	return nil, fmt.Errorf("cannot listen on %s", a)
}
