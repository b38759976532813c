package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"

	"trigo"
	"trigo/endpoint"
	"trigo/nursery"
	"trigo/relay"
)

// server relays what a listening side accepts.
type server struct {
	*job
	side      int // the one that listens
	admission *admission
	stopper   *stopper

	mu       sync.Mutex
	left     int           // of --max-accepts; negative: any number
	stop     chan struct{} // closed: accept no more
	stopOnce sync.Once
	worst    *failure // for --strict, or of the one connection of --once
}

func (j *job) serve(ctx context.Context, s *stopper, side int) error {
	s.patient.Store(!j.once)
	listeners, err := j.recipes[side].Listen(ctx)
	if err != nil {
		return opening(side, err)
	}
	sv := &server{job: j, side: side, admission: j.admission(), stopper: s, stop: make(chan struct{}), left: -1}
	opts := &trigo.ServeOptions{Stop: sv.stop, MaxConns: j.maxConns}
	switch {
	case j.once:
		sv.left, opts.MaxConns = 1, 1
	case j.maxAccepts > 0:
		sv.left = j.maxAccepts
	}
	if j.overload == "reject" {
		opts.MaxConns = 0 // whoever is too many is accepted, and sent away
	}
	var addresses []string
	for _, l := range listeners {
		addresses = append(addresses, l.Addr().String())
		j.out.notice(fmt.Sprintf("listening %v", l), slog.String("address", l.Addr().String()))
	}
	for _, pin := range j.recipes[side].Pins() {
		j.out.notice("pin="+pin, slog.String("pin", pin))
	}
	opts.Logger = slog.New(&scarcity{Handler: slog.DiscardHandler, out: j.out})
	opts.Ready = func() { announce(j.out, j.ready, addresses) }
	err = nursery.Run(ctx, func(ctx context.Context, n *nursery.Nursery) error {
		over, end := context.WithCancel(ctx)
		defer end()
		n.Go(func(context.Context) error { return beat(over, j.ready) })
		n.Go(func(context.Context) error {
			select {
			case <-s.drain:
				sv.stopAccepting()
				withdraw(j.ready)
			case <-over.Done():
			}
			return nil
		})
		return trigo.ServeListeners(ctx, sv.serveOne, listeners, opts)
	})
	if code, cause := interruption(err); cause != nil {
		return &failure{code: code, err: cause}
	}
	if err != nil {
		return &failure{code: exitFailure, err: err}
	}
	if sv.worst != nil && (j.once || j.strict) {
		if !j.once {
			return &failure{code: sv.worst.code} // it was told of when it happened
		}
		return sv.worst
	}
	return nil
}

func (sv *server) stopAccepting() { sv.stopOnce.Do(func() { close(sv.stop) }) }

// take takes one of the connections that --max-accepts leaves.
func (sv *server) take() bool {
	sv.mu.Lock()
	defer sv.mu.Unlock()
	if sv.left == 0 {
		return false
	}
	if sv.left > 0 {
		sv.left--
		if sv.left == 0 {
			sv.stopAccepting()
		}
	}
	return true
}

// serveOne relays one connection. What goes wrong with it is said, and is not
// the server's failure.
func (sv *server) serveOne(ctx context.Context, in *endpoint.Incoming) error {
	number := sv.conns.number()
	label := fmt.Sprintf("#%d %s", number, peerName(in))
	why, leave := sv.admission.admit(in.RemoteAddr())
	if why != "" {
		in.Abort()
		sv.conns.failed()
		sv.out.detail(1, label+" "+why, slog.Int("code", exitDenied))
		return nil
	}
	defer leave()
	sv.admission.pace(ctx)
	if !sv.take() {
		in.Abort()
		return nil
	}
	if f := sv.handle(ctx, number, label, in); f != nil {
		sv.note(ctx, label, f)
	}
	return nil
}

// note tells of a failure, and keeps it for the exit code.
func (sv *server) note(ctx context.Context, label string, f *failure) {
	sv.conns.failed()
	sv.mu.Lock()
	if sv.worst == nil || f.code > sv.worst.code {
		sv.worst = f
	}
	sv.mu.Unlock()
	// A peer that resets is daily life, and a cut is told of once.
	if !sv.once && f.code != exitBroken && ctx.Err() == nil {
		sv.out.fail(label+": ", f)
	}
}

func (sv *server) handle(ctx context.Context, number int, label string, in *endpoint.Incoming) *failure {
	failed := func(err error) *failure {
		var f *failure
		if errors.As(err, &f) {
			return f
		}
		return opening(sv.side, err)
	}
	client, err := in.Open(ctx)
	if err != nil {
		return failed(err)
	}
	other, err := sv.job.open(endpoint.WithClient(ctx, client), 1-sv.side)
	if err != nil {
		in.Abort()
		return failed(err)
	}
	a, b := sv.order(client, other)
	if sv.once {
		if err := sv.job.relay(ctx, sv.stopper, a, b); err != nil {
			return failed(err)
		}
		return nil
	}
	c := sv.conns.addNumbered(number, peerName(in), a, b)
	defer sv.conns.remove(c)
	report, err := sv.job.move(ctx, c, a, b)
	sv.out.detail(1, sv.summary(label, in, a, b, report), reportAttrs(report)...)
	return relaying(err)
}

// summary is that of a relay whose client is named by the label.
func (sv *server) summary(label string, in *endpoint.Incoming, a, b trigo.Stream, r relay.Report) string {
	names := [2]string{nameOf(a), nameOf(b)}
	transport, _, _ := strings.Cut(in.String(), " ")
	names[sv.side] = sv.shortName(names[sv.side], transport)
	return label + " " + summary(names[0], names[1], r)
}

// shortName leaves the layers of a name: who is at the other end is in the label.
func (sv *server) shortName(name, transport string) string {
	layers := sv.sides[sv.side].Layers()
	if len(layers) == 1 {
		return transport
	}
	return name
}

// order returns the sides in the order of the command line.
func (sv *server) order(client, other trigo.Stream) (a, b trigo.Stream) {
	if sv.side == 0 {
		return client, other
	}
	return other, client
}

// peerName names who connected. Over a Unix socket nobody has a name.
func peerName(in *endpoint.Incoming) string {
	addr := in.RemoteAddr()
	if _, unix := addr.(*net.UnixAddr); unix || addr == nil {
		return in.String()
	}
	return addr.String()
}
