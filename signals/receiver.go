package signals

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"os/signal"
	"reflect"
	"slices"
	"sync"
	"syscall"

	"trigo"
)

// Receiver receives the signals that it was opened for. One task at a time may
// receive; Close may be called at any time, from any goroutine.
type Receiver struct {
	numbers []syscall.Signal
	hints   chan os.Signal // in the order of arrival, unless they are too many
	changed chan struct{}  // one token: what receive waits for is not what it was

	// Guarded by the table's lock.
	pending   []syscall.Signal // each once, in the order of arrival
	receiving bool
	closed    bool
	left      *sync.Cond // receiving has become false
}

var _ trigo.ReceiveChannel[os.Signal] = (*Receiver)(nil)

// hintsKept is how many arrivals between two looks at a receiver are kept in
// their order. Of what comes after them nothing is lost but the order.
const hintsKept = 1024

// Open starts to receive the given signals, instead of what they did so far.
// A signal given twice counts once. If none is given, or one that no program
// can catch here, it returns an error and has changed nothing; for a signal
// that this system does not have the error Is [errors.ErrUnsupported].
func Open(sigs ...os.Signal) (*Receiver, error) {
	r := &Receiver{
		hints:   make(chan os.Signal, hintsKept),
		changed: make(chan struct{}, 1),
		left:    sync.NewCond(&table.Mutex),
	}
	for _, sig := range sigs {
		n, err := catchable(sig)
		if err != nil {
			return nil, failed("open", fmt.Errorf("%v: %w", sig, err))
		}
		r.numbers = append(r.numbers, n)
	}
	if len(r.numbers) == 0 {
		return nil, failed("open", errors.New("no signals given"))
	}
	slices.Sort(r.numbers)
	r.numbers = slices.Compact(r.numbers)

	table.Lock()
	defer table.Unlock()
	for _, n := range r.numbers {
		table.push(n, r)
	}
	for _, n := range r.numbers {
		signal.Notify(r.hints, n)
	}
	return r, nil
}

// Receive returns the signal that arrived first of those not yet received. It
// waits until there is one. However often a signal arrived since it was last
// received, it is received once; several are received in the order in which
// the first of each arrived. (If more than a thousand come between two calls,
// repetitions counted, what comes first after that is in the order of the
// numbers.) A cancelled Receive took nothing.
//
// It returns [trigo.ErrBusy] while another call receives, [trigo.ErrClosed] if
// the receiver is or gets closed.
func (r *Receiver) Receive(ctx context.Context) (os.Signal, error) {
	table.Lock()
	defer table.Unlock()
	switch {
	case r.closed:
		return nil, failed("receive", trigo.ErrClosed)
	case r.receiving:
		return nil, failed("receive", trigo.ErrBusy)
	case ctx.Err() != nil:
		return nil, failed("receive", trigo.CancelError(ctx))
	}
	r.receiving = true
	defer func() {
		r.receiving = false
		r.left.Broadcast()
	}()
	for {
		r.collect()
		switch {
		case r.closed: // what is pending is for Close to pass on
			return nil, failed("receive", trigo.ErrClosed)
		case len(r.pending) > 0:
			n := r.pending[0]
			r.pending = r.pending[1:]
			return n, nil
		case ctx.Err() != nil:
			return nil, failed("receive", trigo.CancelError(ctx))
		}
		r.wait(ctx)
	}
}

// wait waits for a signal, for a change of what to wait for, or for the end of
// ctx. It frees the table's lock meanwhile.
func (r *Receiver) wait(ctx context.Context) {
	cases := []reflect.SelectCase{
		{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(ctx.Done())},
		{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(r.changed)},
	}
	for _, n := range r.numbers {
		if w := table.watched[n]; w.top() == r {
			cases = append(cases, reflect.SelectCase{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(w.arrived)})
		}
	}
	table.Unlock()
	_, value, _ := reflect.Select(cases)
	table.Lock()
	if n, ok := value.Interface().(syscall.Signal); ok {
		// Of several Select takes any; collect knows which came first.
		table.watched[n].putBack(n, r)
	}
}

// collect makes pending what has arrived. The hints tell the order. What they do not
// tell of had arrived before they were looked at; what comes meanwhile waits for the
// next time, unless there is a hint of it.
func (r *Receiver) collect() {
	var here []syscall.Signal
	for _, n := range r.numbers {
		if len(table.watched[n].arrived) > 0 {
			here = append(here, n)
		}
	}
	for {
		select {
		case sig := <-r.hints:
			r.take(sig.(syscall.Signal))
			continue
		default:
		}
		break
	}
	for _, n := range here {
		r.take(n)
	}
}

// take makes n pending if it has arrived and is ours.
func (r *Receiver) take(n syscall.Signal) {
	w := table.watched[n]
	if w.top() != r {
		return
	}
	select {
	case <-w.arrived:
		r.add(n)
	default:
	}
}

// add makes n pending.
func (r *Receiver) add(n syscall.Signal) {
	if !slices.Contains(r.pending, n) {
		r.pending = append(r.pending, n)
	}
	r.wake()
}

func (r *Receiver) wake() {
	select {
	case r.changed <- struct{}{}:
	default:
	}
}

// All iterates over the signals as they arrive. It ends with the error of the
// first Receive that fails: with [trigo.ErrClosed] when r is closed.
func (r *Receiver) All(ctx context.Context) iter.Seq2[os.Signal, error] {
	return trigo.Values(ctx, r)
}

// Close stops receiving. A call that waits gets [trigo.ErrClosed]. The signals
// not yet received go to the receiver opened before this one, or are raised
// again under the disposition that was there before: that may end the process
// before Close returns. An error says that a signal could not be raised; it Is
// [errors.ErrUnsupported] on Windows, where a program cannot do that. ctx has
// no effect: nothing here takes long.
func (r *Receiver) Close(context.Context) error {
	table.Lock()
	defer table.Unlock()
	if r.closed {
		return nil
	}
	r.closed = true
	r.wake()
	for r.receiving {
		r.left.Wait()
	}
	r.collect()
	signal.Stop(r.hints)
	for _, n := range r.numbers {
		if table.pop(n, r) && !slices.Contains(r.pending, n) {
			r.pending = append(r.pending, n)
		}
	}
	var errs []error
	for _, n := range r.pending {
		if w := table.watched[n]; w != nil {
			w.top().add(n)
		} else if err := raise(n); err != nil {
			errs = append(errs, fmt.Errorf("raise %v: %w", n, err))
		}
	}
	if len(errs) > 0 {
		return failed("close", errors.Join(errs...))
	}
	return nil
}

func (r *Receiver) String() string { return layer }

const layer = "signals"

func failed(op string, err error) error { return &trigo.OpError{Op: op, Layer: layer, Err: err} }
