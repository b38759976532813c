package trigotest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"time"

	"trigo"
)

func checkDeadCtx(ctx context.Context, b *bench, s trigo.SendStream, r trigo.ReceiveStream) {
	dead := b.dead()
	never := b.send(dead, s, []byte("never"))
	b.cancelled(dead, never)
	if n := sentBytes(never.err); n != 0 {
		b.t.Fatalf("%s under a dead ctx: OpError.N is %d", never.what, n)
	}
	b.cancelled(dead, b.send(dead, s, nil))
	b.cancelled(dead, b.wait(dead, s))
	b.cancelled(dead, b.receive(dead, r, 1))

	// Also when there would be something to receive.
	sent := b.send(ctx, s, []byte("x"))
	b.settle()
	b.cancelled(dead, b.receive(dead, r, 1))
	b.gets(b.receive(ctx, r, 10), "x")
	b.ok(sent)

	one, two := b.close(ctx, s), b.close(ctx, r)
	b.ok(one)
	b.ok(two)
}

func checkCancelledReceive(ctx context.Context, b *bench, s trigo.SendStream, r trigo.ReceiveStream) {
	for _, text := range []string{"x", "y"} {
		scope, cancel := context.WithCancelCause(ctx)
		p := make([]byte, 1)
		received := b.receiveInto(scope, r, p)
		b.waits(received)
		cancel(errDead)
		b.cancelled(scope, received)

		p[0] = '-' // it is the caller's again
		sent := b.send(ctx, s, []byte(text))
		b.gets(b.receive(ctx, r, 1), text)
		b.ok(sent)
		if string(p) != "-" {
			b.t.Fatalf("%s that was cancelled: %q came into its slice later", received.what, p)
		}
	}
	scope, cancel := context.WithTimeout(ctx, time.Millisecond)
	defer cancel()
	b.cancelled(scope, b.receive(scope, r, 1))
}

func checkRacingCancel(ctx context.Context, b *bench, s trigo.SendStream, r trigo.ReceiveStream) {
	for i := range 200 {
		scope, cancel := context.WithCancelCause(ctx)
		received := b.receive(scope, r, 2)
		sent := b.send(ctx, s, []byte{byte(i)})
		for range rand.IntN(20) {
			runtime.Gosched()
		}
		cancel(errDead)
		if b.finish(received) != nil {
			b.cancelled(scope, received)
			received = b.receive(ctx, r, 2)
		}
		b.gets(received, string([]byte{byte(i)}))
		b.ok(sent)
	}
}

// checkCancelledSend sends until a SendAll waits, cancels it, and compares what
// arrives with what the error says has gone out. A stream that never waits
// passes.
func checkCancelledSend(ctx context.Context, b *bench, s trigo.SendStream, r trigo.ReceiveStream) {
	const chunk, limit = 256 << 10, 16 << 20
	scope, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)

	var sent int64
	var waiting *call
	var p []byte
	for sent < limit && waiting == nil {
		p = pattern(sent, chunk)
		waiting = b.send(scope, s, p)
		b.settle()
		if waiting.returned() {
			b.ok(waiting)
			clear(p)
			sent, waiting = sent+chunk, nil
		}
	}

	// A little is received meanwhile, so that some of it has gone even where
	// there is no buffer.
	head := b.receive(ctx, r, 1000)
	b.ok(head)
	if waiting != nil {
		b.settle()
		cancel(errDead)
		sent += b.sentBy(scope, waiting, chunk)
		clear(p) // what counts as sent is not in there any more
	}

	const next = "and then"
	last := b.start("SendAll and Close after a cancelled SendAll", func(*call) error {
		return errors.Join(s.SendAll(ctx, []byte(next)), s.Close(ctx))
	})
	rest := b.start("receiving what was sent", func(*call) error {
		return receivePattern(ctx, r, head.data, sent, next)
	})
	b.ok(rest)
	b.ok(last)
}

// sentBy waits for a SendAll of size bytes that ctx cancelled and returns how
// many it sent.
func (b *bench) sentBy(ctx context.Context, c *call, size int64) int64 {
	b.t.Helper()
	if b.finish(c) == nil {
		return size // it had succeeded before the cancel
	}
	b.cancelled(ctx, c)
	var op *trigo.OpError
	if !errors.As(c.err, &op) {
		b.t.Fatalf("%s: the error (%T) is no *trigo.OpError, so nobody knows what was sent", c.what, c.err)
	}
	if op.N < 0 || op.N > size {
		b.t.Fatalf("%s: OpError.N is %d", c.what, op.N)
	}
	return op.N
}

// patternBlock repeats in a pattern. Its length is a prime, so that it agrees
// with nobody's buffers.
var patternBlock = func() []byte {
	p := make([]byte, 65521)
	rand.NewChaCha8([32]byte{'t', 'r', 'i', 'g', 'o'}).Read(p)
	return p
}()

// pattern returns n bytes of the endless pattern from an offset on.
func pattern(offset, n int64) []byte {
	p := make([]byte, 0, n)
	for int64(len(p)) < n {
		at := (offset + int64(len(p))) % int64(len(patternBlock))
		more := patternBlock[at:]
		p = append(p, more[:min(int64(len(more)), n-int64(len(p)))]...)
	}
	return p
}

// receivePattern receives until EOF. With head in front that must be n bytes of
// the pattern and then tail.
func receivePattern(ctx context.Context, r trigo.ReceiveStream, head []byte, n int64, tail string) error {
	var at int64
	var got []byte // behind the pattern
	compare := func(p []byte) error {
		part := p[:min(int64(len(p)), n-at)]
		if !bytes.Equal(part, pattern(at, int64(len(part)))) {
			return fmt.Errorf("bytes %d to %d are not those that were sent there", at, at+int64(len(part)))
		}
		at += int64(len(part))
		got = append(got, p[len(part):]...)
		return nil
	}
	if err := compare(head); err != nil {
		return err
	}
	buf := make([]byte, 64<<10)
	for {
		p, err := receiveSome(ctx, r, buf)
		if err == io.EOF {
			break
		}
		if err == nil {
			err = compare(p)
		}
		if err != nil {
			return err
		}
	}
	if at != n || string(got) != tail {
		return fmt.Errorf("received %d bytes and then %s, want %d and then %q", at, abbreviate(got), n, tail)
	}
	return nil
}
