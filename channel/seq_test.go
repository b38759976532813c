package channel_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"testing"
	"testing/synctest"

	"trigo"
	"trigo/channel"
	"trigo/nursery"
)

var errBad = errors.New("bad")

// counter is an iterator that writes down what happens to it.
type counter struct {
	n     int           // values that it yields
	fail  error         // and then this
	block chan struct{} // if not nil: closed when it blocks, before value 1, until its ctx ends
	log   []string
}

func (c *counter) seq(ctx context.Context) iter.Seq2[int, error] {
	return func(yield func(int, error) bool) {
		c.log = append(c.log, "start")
		defer func() { c.log = append(c.log, "finally") }()
		for i := range c.n {
			if i == 1 && c.block != nil {
				close(c.block)
				<-ctx.Done()
				return
			}
			c.log = append(c.log, fmt.Sprint(i))
			if !yield(i, nil) {
				return
			}
		}
		if c.fail != nil {
			yield(0, c.fail)
		}
	}
}

func (c *counter) check(t *testing.T, want ...string) {
	t.Helper()
	if !slices.Equal(c.log, want) {
		t.Errorf("the iterator did %q, want %q", c.log, want)
	}
}

func collect(got *[]int) func(context.Context, *channel.Receiver[int]) error {
	return func(ctx context.Context, r *channel.Receiver[int]) error {
		for v, err := range trigo.Values(ctx, r) {
			if err != nil {
				return err
			}
			*got = append(*got, v)
		}
		return nil
	}
}

func TestFromSeqExhausted(t *testing.T) {
	var got []int
	c := &counter{n: 3}
	want(t, "FromSeq", channel.FromSeq(background, c.seq, collect(&got)), nil)
	if !slices.Equal(got, []int{0, 1, 2}) {
		t.Errorf("received %v", got)
	}
	c.check(t, "start", "0", "1", "2", "finally")
}

func TestFromSeqLeftByBreak(t *testing.T) {
	c := &counter{n: 10}
	err := channel.FromSeq(background, c.seq, func(ctx context.Context, r *channel.Receiver[int]) error {
		for v, err := range trigo.Values(ctx, r) {
			if err != nil || v == 1 {
				return err
			}
		}
		return nil
	})
	want(t, "FromSeq", err, nil)
	c.check(t, "start", "0", "1", "finally")
}

func TestFromSeqNotUsedDoesNotStart(t *testing.T) {
	c := &counter{n: 10}
	err := channel.FromSeq(background, c.seq, func(context.Context, *channel.Receiver[int]) error { return nil })
	want(t, "FromSeq", err, nil)
	c.check(t)
}

func TestFromSeqCancelledBeforeUse(t *testing.T) {
	c := &counter{n: 10}
	err := channel.FromSeq(dead(), c.seq, collect(new([]int)))
	want(t, "FromSeq", err, context.Canceled)
	want(t, "FromSeq", err, errReason)
	c.check(t)
}

func TestFromSeqCancelledWhileTheIteratorWorks(t *testing.T) {
	ctx, cancel := context.WithCancelCause(background)
	c := &counter{n: 10, block: make(chan struct{})}
	var got []int
	go func() {
		<-c.block
		cancel(errReason)
	}()
	err := channel.FromSeq(ctx, c.seq, collect(&got))
	if !nursery.IsCancellation(ctx, err) {
		t.Errorf("FromSeq: %v", err)
	}
	c.check(t, "start", "0", "finally")
}

func TestFromSeqDoesNotRunAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &counter{n: 10}
		err := channel.FromSeq(background, c.seq, func(ctx context.Context, r *channel.Receiver[int]) error {
			synctest.Wait()
			c.check(t)
			_, err := r.ReceiveNoWait()
			want(t, "receive of what nobody waits for", err, trigo.ErrWouldBlock)
			for i := range 3 {
				if v, err := r.Receive(ctx); v != i || err != nil {
					t.Errorf("received %d, %v", v, err)
				}
				synctest.Wait()
				c.check(t, []string{"start", "0", "1", "2"}[:i+2]...)
			}
			return nil
		})
		want(t, "FromSeq", err, nil)
		c.check(t, "start", "0", "1", "2", "finally")
	})
}

// A value that is made for a receiver who is gone when it is ready goes to the
// next one.
func TestFromSeqLosesNoValueToACancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate := make(chan struct{})
		seq := func(context.Context) iter.Seq2[int, error] {
			return func(yield func(int, error) bool) {
				for i := 0; ; i++ {
					<-gate
					if !yield(i, nil) {
						return
					}
				}
			}
		}
		err := channel.FromSeq(background, seq, func(ctx context.Context, r *channel.Receiver[int]) error {
			inner, cancel := context.WithCancelCause(ctx)
			receive := receiving(inner, r)
			receive.waits(t, "receive")
			cancel(errReason)
			receive.ends(t, "receive", errReason)
			gate <- struct{}{}
			synctest.Wait()
			gets(t, r, 0)
			close(gate)
			v, err := r.Receive(ctx)
			if v != 1 || err != nil {
				t.Errorf("received %d, %v", v, err)
			}
			return nil
		})
		want(t, "FromSeq", err, nil)
	})
}

func TestFromSeqReturnsTheIteratorsErrorAsItIs(t *testing.T) {
	c := &counter{n: 2, fail: errBad}
	var got []int
	if err := channel.FromSeq(background, c.seq, collect(&got)); err != errBad {
		t.Errorf("FromSeq: %v", err)
	}
	if !slices.Equal(got, []int{0, 1}) {
		t.Errorf("received %v", got)
	}
	c.check(t, "start", "0", "1", "finally")
}

// Who receives must not take a failure for the end.
func TestFromSeqShowsNoEndWhenTheIteratorFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &counter{fail: errBad}
		var outside *call[int]
		err := channel.FromSeq(background, c.seq, func(ctx context.Context, r *channel.Receiver[int]) error {
			clone, _ := r.Clone()
			outside = receiving(background, clone)
			_, err := r.Receive(ctx)
			want(t, "receive", err, errBad)
			want(t, "receive", err, context.Canceled)
			return err
		})
		if err != errBad {
			t.Errorf("FromSeq: %v", err)
		}
		outside.ends(t, "receive by a clone, with another ctx", trigo.ErrClosed)
	})
}

func TestFromSeqShowsNoEndWhenTheIteratorIsCancelled(t *testing.T) {
	ctx, cancel := context.WithCancelCause(background)
	c := &counter{n: 2, block: make(chan struct{})} // ends without a word when its ctx does
	go func() {
		<-c.block
		cancel(errReason)
	}()
	var outside *call[int]
	channel.FromSeq(ctx, c.seq, func(ctx context.Context, r *channel.Receiver[int]) error {
		r.Receive(ctx)
		clone, _ := r.Clone()
		outside = receiving(background, clone)
		<-ctx.Done()
		return nil
	})
	outside.ends(t, "receive by a clone, with another ctx", trigo.ErrClosed)
}

func TestFromSeqReturnsTheUsersErrorAsItIs(t *testing.T) {
	c := &counter{n: 2}
	err := channel.FromSeq(background, c.seq, func(ctx context.Context, r *channel.Receiver[int]) error {
		r.Receive(ctx)
		return errBad
	})
	if err != errBad {
		t.Errorf("FromSeq: %v", err)
	}
	c.check(t, "start", "0", "finally")
}

// What ends the iterator after use is no news, but use may have been cancelled by
// something of its own.
func TestFromSeqReturnsACancellationOfTheUsersOwn(t *testing.T) {
	c := &counter{n: 2}
	err := channel.FromSeq(background, c.seq, func(ctx context.Context, r *channel.Receiver[int]) error {
		own, cancel := context.WithCancel(ctx)
		cancel()
		_, err := r.Receive(own)
		return err
	})
	want(t, "FromSeq", err, context.Canceled)
	c.check(t)
}

func TestFromSeqReturnsBothErrors(t *testing.T) {
	errLate := errors.New("late")
	synctest.Test(t, func(t *testing.T) {
		seq := func(ctx context.Context) iter.Seq2[int, error] {
			return func(yield func(int, error) bool) {
				<-ctx.Done()
				yield(0, errLate)
			}
		}
		err := channel.FromSeq(background, seq, func(ctx context.Context, r *channel.Receiver[int]) error {
			receive := receiving(ctx, r)
			receive.waits(t, "receive") // so the iterator has begun
			return errBad
		})
		want(t, "FromSeq", err, errBad)
		want(t, "FromSeq", err, errLate)
	})
}

func TestFromSeqPanicsAsTheIteratorDoes(t *testing.T) {
	defer func() {
		if p, ok := recover().(*nursery.PanicError); !ok || p.Value != "no" {
			t.Errorf("recovered %v", p)
		}
	}()
	seq := func(context.Context) iter.Seq2[int, error] {
		return func(func(int, error) bool) { panic("no") }
	}
	channel.FromSeq(background, seq, collect(new([]int)))
}

func TestFromSeqNested(t *testing.T) {
	outer, inner := &counter{n: 3}, &counter{n: 2}
	var got [][2]int
	err := channel.FromSeq(background, outer.seq, func(ctx context.Context, a *channel.Receiver[int]) error {
		for x, err := range trigo.Values(ctx, a) {
			if err != nil {
				return err
			}
			err = channel.FromSeq(ctx, inner.seq, func(ctx context.Context, b *channel.Receiver[int]) error {
				for y, err := range trigo.Values(ctx, b) {
					if err != nil {
						return err
					}
					got = append(got, [2]int{x, y})
				}
				return nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	want(t, "FromSeq", err, nil)
	if len(got) != 6 || got[5] != [2]int{2, 1} {
		t.Errorf("received %v", got)
	}
}

func TestFromSeqSharedByReceivers(t *testing.T) {
	c := &counter{n: 100}
	got := make([][]int, 4)
	err := channel.FromSeq(background, c.seq, func(ctx context.Context, r *channel.Receiver[int]) error {
		return nursery.Run(ctx, func(ctx context.Context, n *nursery.Nursery) error {
			for i := range got {
				n.Go(func(ctx context.Context) error { return collect(&got[i])(ctx, r) })
			}
			return nil
		})
	})
	want(t, "FromSeq", err, nil)
	all := slices.Concat(got...)
	slices.Sort(all)
	if len(all) != 100 || all[99] != 99 {
		t.Errorf("received %v", got)
	}
}

func TestFromSeqClosedByTheUser(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, when := range []string{"before", "between", "during"} {
			c := &counter{n: 5}
			if when == "during" {
				c.block = make(chan struct{})
			}
			err := channel.FromSeq(background, c.seq, func(ctx context.Context, r *channel.Receiver[int]) error {
				if when != "before" {
					r.Receive(ctx)
				}
				if when == "during" {
					receive := receiving(ctx, r)
					receive.waits(t, "receive")
					r.Close(ctx)
					receive.ends(t, "the receive that waited", trigo.ErrClosed)
				}
				r.Close(ctx)
				_, err := r.Receive(ctx)
				want(t, when+": receive", err, trigo.ErrClosed)
				synctest.Wait()
				switch when { // and the iterator has ended, though use goes on
				case "before":
					c.check(t)
				case "between":
					c.check(t, "start", "0", "finally")
				}
				return nil
			})
			want(t, when, err, nil)
			if when == "during" {
				c.check(t, "start", "0", "finally")
			}
		}
	})
}

func TestFromSeqWaitsForTheCleanUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cleaned := false
		seq := func(ctx context.Context) iter.Seq2[int, error] {
			return func(yield func(int, error) bool) {
				defer func() {
					nursery.Shield(ctx, 1<<62, func(ctx context.Context) error { return napping(ctx) })
					cleaned = true
				}()
				yield(1, nil)
			}
		}
		err := channel.FromSeq(background, seq, func(ctx context.Context, r *channel.Receiver[int]) error {
			_, err := r.Receive(ctx)
			return err
		})
		want(t, "FromSeq", err, nil)
		if !cleaned {
			t.Error("it did not wait")
		}
	})
}

// napping takes a second of the bubble's time.
func napping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 1e9)
	defer cancel()
	<-ctx.Done()
	return nil
}
