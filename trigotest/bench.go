package trigotest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing/synctest"
	"time"

	"trigo"
)

// reporter is the part of *testing.T that a check reports through. The kit's
// own tests put a recorder in its place.
type reporter interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
	Skipf(format string, args ...any)
}

// bench is what a check works on. Whatever might wait runs in a goroutine of
// its own, so that a stream that hangs costs the check its patience and not
// more. A bench belongs to the goroutine of the check.
type bench struct {
	t     reporter
	opts  CheckOptions
	ends  []trigo.Resource
	calls map[*call]bool // under way, or not looked at yet
	makes []*call        // those that bring a stream
}

// runCheck runs c. Whatever happens, both ends are closed and no call is left
// when it returns, or the check has failed.
func runCheck(t reporter, c check, opts *CheckOptions) {
	b := &bench{t: t, opts: *opts, calls: make(map[*call]bool)}
	if b.opts.Patience == 0 {
		b.opts.Patience = 10 * time.Second
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	defer func() {
		cancel(errors.New("the check is over"))
		b.cleanUp()
	}()
	c.run(ctx, b)
}

func (b *bench) cleanUp() {
	b.t.Helper()
	for _, end := range b.ends {
		b.close(b.dead(), end)
	}
	over := time.After(b.opts.Patience)
	for c := range b.calls {
		select {
		case <-c.done:
		case <-over:
			b.t.Errorf("%s: still waiting, though the ctx is dead and both ends are closed", c.what)
			return
		}
	}
	for _, c := range b.makes {
		if c.stream != nil {
			trigo.CloseForcefully(c.stream)
		}
	}
}

// pair makes two connected ends.
func (b *bench) pair(ctx context.Context, maker OneWayMaker) (s trigo.SendStream, r trigo.ReceiveStream) {
	b.t.Helper()
	b.ok(b.start("making a pair of streams", func(*call) (err error) {
		s, r, err = maker(ctx)
		return err
	}))
	b.ends = append(b.ends, s, r)
	return s, r
}

// start calls f in a goroutine of its own.
func (b *bench) start(what string, f func(c *call) error) *call {
	c := startCall(what, f)
	b.calls[c] = true
	return c
}

func (b *bench) send(ctx context.Context, s trigo.SendStream, p []byte) *call {
	return b.start(fmt.Sprintf("SendAll of %d bytes", len(p)), func(*call) error {
		return s.SendAll(ctx, p)
	})
}

func (b *bench) wait(ctx context.Context, s trigo.SendStream) *call {
	return b.start("WaitSendAllMightNotBlock", func(*call) error {
		return s.WaitSendAllMightNotBlock(ctx)
	})
}

func (b *bench) sendEOF(ctx context.Context, s trigo.HalfCloseableStream) *call {
	return b.start("SendEOF", func(*call) error { return s.SendEOF(ctx) })
}

func (b *bench) close(ctx context.Context, r trigo.Resource) *call {
	return b.start("Close", func(*call) error { return r.Close(ctx) })
}

// receive starts one ReceiveSome of up to max bytes.
func (b *bench) receive(ctx context.Context, r trigo.ReceiveStream, max int) *call {
	return b.receiveInto(ctx, r, make([]byte, max))
}

func (b *bench) receiveInto(ctx context.Context, r trigo.ReceiveStream, p []byte) *call {
	return b.start(fmt.Sprintf("ReceiveSome of up to %d bytes", len(p)), func(c *call) (err error) {
		c.data, err = receiveSome(ctx, r, p)
		return err
	})
}

// receiveAll starts to receive until the end of the stream.
func (b *bench) receiveAll(ctx context.Context, r trigo.ReceiveStream) *call {
	return b.start("receiving until EOF", func(c *call) error {
		buf := make([]byte, 64<<10)
		for {
			p, err := receiveSome(ctx, r, buf)
			if err == io.EOF {
				return nil
			}
			if err != nil {
				return err
			}
			c.data = append(c.data, p...)
		}
	})
}

// receiveSome is ReceiveSome for all checks: whatever else they are about, n
// and err have to fit each other.
func receiveSome(ctx context.Context, r trigo.ReceiveStream, buf []byte) ([]byte, error) {
	n, err := r.ReceiveSome(ctx, buf)
	switch {
	case n < 0 || n > len(buf), n > 0 && err != nil, n == 0 && err == nil && len(buf) > 0:
		return nil, fmt.Errorf("ReceiveSome into %d bytes returned %d, %v", len(buf), n, err)
	case err != io.EOF && errors.Is(err, io.EOF):
		return nil, fmt.Errorf("ReceiveSome wrapped io.EOF: %q", err.Error())
	}
	return buf[:n], err
}

// finish waits for c and returns its error.
func (b *bench) finish(c *call) error {
	b.t.Helper()
	b.first(c)
	return c.err
}

// first waits for any of the calls and returns it.
func (b *bench) first(calls ...*call) *call {
	b.t.Helper()
	one, other := calls[0], calls[len(calls)-1]
	timer := time.NewTimer(b.opts.Patience)
	defer timer.Stop()
	select {
	case <-one.done:
	case <-other.done:
		one = other
	case <-timer.C:
		b.t.Fatalf("%s: still waiting after %v", one.what, b.opts.Patience)
	}
	delete(b.calls, one)
	return one
}

// settle waits until every call under way waits for something, or has
// returned.
func (b *bench) settle() {
	switch {
	case b.opts.Settle != nil:
		b.opts.Settle()
		return
	case b.opts.Bubble:
		synctest.Wait()
		return
	}
	if len(b.calls) > 0 {
		settle(context.Background(), slices.Collect(maps.Keys(b.calls))...)
	}
}

// waits fails the check if c does not wait.
func (b *bench) waits(c *call) {
	b.t.Helper()
	b.settle()
	if c.returned() {
		b.t.Fatalf("%s: returned (%v), but it ought to wait", c.what, c.err)
	}
}

// ok wants success.
func (b *bench) ok(c *call) {
	b.t.Helper()
	if err := b.finish(c); err != nil {
		b.t.Fatalf("%s: %v, want success", c.what, err)
	}
}

// fails wants an error of one of the kinds; nil among them stands for success.
func (b *bench) fails(c *call, kinds ...error) {
	b.t.Helper()
	err := b.finish(c)
	b.is(c.what, err, kinds...)
}

func (b *bench) is(what string, err error, kinds ...error) {
	b.t.Helper()
	var claims []string
	for _, kind := range []error{trigo.ErrClosed, trigo.ErrBroken, trigo.ErrBusy} {
		if errors.Is(err, kind) {
			claims = append(claims, kind.Error())
		}
	}
	if len(claims) > 1 {
		b.t.Fatalf("%s: error %q is of several kinds: %s", what, err, strings.Join(claims, ", "))
	}
	for _, kind := range kinds {
		if errors.Is(err, kind) {
			return
		}
	}
	b.t.Fatalf("%s: error is %v, want %v", what, err, kinds)
}

// cancelled wants the error of a call that ctx cancelled.
func (b *bench) cancelled(ctx context.Context, c *call) {
	b.t.Helper()
	err := b.finish(c)
	b.isCancelled(ctx, c.what, err)
}

func (b *bench) isCancelled(ctx context.Context, what string, err error) {
	b.t.Helper()
	if !errors.Is(err, ctx.Err()) || !errors.Is(err, context.Cause(ctx)) {
		b.t.Fatalf("%s: error is %v, want one that Is %q and Is its cause %q", what, err, ctx.Err(), context.Cause(ctx))
	}
}

// closed wants a Close to have been silent, or to say no more than that it had
// no time.
func (b *bench) closed(ctx context.Context, c *call) {
	b.t.Helper()
	if err := b.finish(c); err != nil && !isCancellation(ctx, err) {
		b.t.Fatalf("%s with a ctx that ended: %v, want success or its cancellation", c.what, err)
	}
}

// gets wants a receive to have returned exactly this.
func (b *bench) gets(c *call, want string) {
	b.t.Helper()
	b.ok(c)
	if string(c.data) != want {
		b.t.Fatalf("%s: got %s, want %s", c.what, abbreviate(c.data), abbreviate([]byte(want)))
	}
}

// eof wants the end of the stream, bare.
func (b *bench) eof(c *call) {
	b.t.Helper()
	if err := b.finish(c); err != io.EOF {
		b.t.Fatalf("%s: %s, %v; want EOF", c.what, abbreviate(c.data), err)
	}
}

// dead returns a ctx that was cancelled with a cause of its own.
func (b *bench) dead() context.Context {
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(errDead)
	return ctx
}

var errDead = errors.New("cancelled by the check")

func abbreviate(p []byte) string {
	if len(p) > 32 {
		return fmt.Sprintf("%q... (%d bytes)", p[:32], len(p))
	}
	return fmt.Sprintf("%q", p)
}
