package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"trigo"
	"trigo/netstream"
	"trigo/nursery"
	"trigo/relay"
)

// server relays what a listening side accepts.
type server struct {
	*job
	side int // the one that listens

	stopper *stopper

	accepted atomic.Int64
	stop     chan struct{} // closed: accept no more
	stopOnce sync.Once
	last     error // of the one connection of --once
}

func (j *job) serve(ctx context.Context, s *stopper, side int) error {
	if j.usesStdio() {
		j.once = true // there is one standard input
	}
	s.patient.Store(!j.once)
	listeners, err := j.sides[side].listen(ctx)
	if err != nil {
		return opening(side, err)
	}
	sv := &server{job: j, side: side, stopper: s, stop: make(chan struct{})}
	for _, l := range listeners {
		j.notice("listening %v", l)
	}
	opts := &trigo.ServeOptions{Stop: sv.stop, MaxConns: j.maxConns}
	if j.once {
		opts.MaxConns = 1
	}
	err = nursery.Run(ctx, func(ctx context.Context, n *nursery.Nursery) error {
		over, end := context.WithCancel(ctx)
		defer end()
		n.Go(func(context.Context) error {
			select {
			case <-s.drain:
				sv.stopAccepting()
			case <-over.Done():
			}
			return nil
		})
		return trigo.ServeListeners(ctx, func(ctx context.Context, conn *netstream.Stream) error {
			if j.once {
				sv.stopAccepting()
				sv.last = sv.handle(ctx, conn)
				return nil
			}
			sv.handleOne(ctx, conn)
			return nil
		}, listeners, opts)
	})
	if code, cause := interruption(err); cause != nil {
		return &failure{code: code, err: cause}
	}
	if err != nil {
		return &failure{code: exitFailure, err: err}
	}
	return sv.last
}

func (sv *server) stopAccepting() { sv.stopOnce.Do(func() { close(sv.stop) }) }

// handle relays the one connection of --once.
func (sv *server) handle(ctx context.Context, conn *netstream.Stream) error {
	other, err := sv.job.open(ctx, 1-sv.side)
	if err != nil {
		conn.Abort()
		return err
	}
	a, b := sv.order(conn, other)
	return sv.relay(ctx, sv.stopper, a, b)
}

// handleOne relays one connection of many. What goes wrong with it is said, and
// is not the server's failure.
func (sv *server) handleOne(ctx context.Context, conn *netstream.Stream) {
	sv.stopper.open.Add(1)
	defer sv.stopper.open.Add(-1)
	label := fmt.Sprintf("#%d %s", sv.accepted.Add(1), peer(conn))

	other, err := sv.job.open(ctx, 1-sv.side)
	if err != nil {
		conn.Abort()
		var f *failure
		if errors.As(err, &f) && ctx.Err() == nil {
			sv.out.fail(label+": ", f)
		}
		return
	}
	a, b := sv.order(conn, other)
	report, err := relay.Run(ctx, a, b, sv.options.relay(nil))
	if sv.verbose {
		names := [2]string{nameOf(a), nameOf(b)}
		names[sv.side] = conn.LocalAddr().Network() // the rest is in the label
		sv.out.printf("%s %s", label, summary(names[0], names[1], report))
	}
	// A peer that resets is daily life, and a cut is told of once.
	if f := relaying(err); f != nil && f.code != exitBroken && ctx.Err() == nil {
		sv.out.fail(label+": ", f)
	}
}

// order returns the sides in the order of the command line.
func (sv *server) order(conn *netstream.Stream, other trigo.Stream) (a, b trigo.Stream) {
	if sv.side == 0 {
		return conn, other
	}
	return other, conn
}

// peer names who connected. Over a Unix socket nobody has a name.
func peer(conn *netstream.Stream) string {
	if name := conn.RemoteAddr().String(); name != "" && name != "@" {
		return name
	}
	return conn.LocalAddr().String()
}
