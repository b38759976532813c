package trigo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"sync/atomic"
)

// BufferedReceiver receives messages from a byte stream: so many bytes, or up
// to a delimiter, or a line. What a stream receives is cut anywhere; this puts
// it together. It is a [ReceiveStream] itself, so a stream whose first bytes
// had to be looked at can be passed on. To go on sending as well, staple it:
// Staple(s, NewBufferedReceiver(s)).
//
// # Nothing is lost
//
// A call that fails consumes nothing. Whether it was cancelled, met a message
// longer than its limit ([ErrTooLong]) or the end of the stream in the middle
// of a message ([io.ErrUnexpectedEOF]), what has been received stays
// buffered, and the same or another call can have it. At the end of the stream,
// with nothing buffered, every call returns a bare [io.EOF]. Other errors are
// those of the stream beneath; ReceiveSome returns them only when the buffer is
// empty.
//
// # Slices and memory
//
// The slices returned are parts of the buffer, valid until the next call.
// The buffer grows with what was received, never with what was asked for, so
// a peer cannot make it grow by announcing a long message. After a big message
// it shrinks back to 64 KiB.
//
// # Concurrency
//
// One receiver at a time: a second gets [ErrBusy]. Close may race everything.
// Buffered and Unread wait for nothing, and must not be called during another
// call.
type BufferedReceiver struct {
	r      ReceiveStream
	busy   atomic.Bool // held by the one call that receives
	closed atomic.Bool

	buf        []byte
	start, end int // buf[start:end] was received and not yet handed out
}

var _ ReceiveStream = (*BufferedReceiver)(nil)

// NewBufferedReceiver returns a BufferedReceiver on r, and owns it.
func NewBufferedReceiver(r ReceiveStream) *BufferedReceiver {
	return &BufferedReceiver{r: r}
}

// The buffer begins with minBuffer, and does not keep more than chunkSize for
// long. defaultLimit bounds a message when the caller does not.
const (
	minBuffer    = 4 << 10
	defaultLimit = 64 << 10
)

var newline = []byte{'\n'}

// ReceiveSome returns what is buffered, as much as fits into p. Only when
// there is nothing does it receive.
func (b *BufferedReceiver) ReceiveSome(ctx context.Context, p []byte) (int, error) {
	if len(p) == 0 {
		return 0, b.failed("receive", io.ErrShortBuffer)
	}
	if err := b.begin(ctx, "receive"); err != nil {
		return 0, err
	}
	defer b.busy.Store(false)
	if b.start == b.end {
		if len(p) >= minBuffer { // no need to copy it twice
			return b.r.ReceiveSome(ctx, p)
		}
		if err := b.fill(ctx); err != nil {
			return 0, err
		}
	}
	n := copy(p, b.Buffered())
	b.start += n
	return n, nil
}

// ReceiveExactly returns the next n bytes. It waits until that many are buffered,
// and so not at all if they are. A cancelled call consumed nothing, nor did one
// that met the end of the stream: [io.EOF] if nothing was left, else
// [io.ErrUnexpectedEOF]. It returns [ErrClosed] if this is or gets closed,
// [ErrBusy] while another call receives.
func (b *BufferedReceiver) ReceiveExactly(ctx context.Context, n int) ([]byte, error) {
	return b.next(ctx, "receive exactly", n, n)
}

// Peek returns the next n bytes and leaves them to be received. It waits, and
// fails, as [BufferedReceiver.ReceiveExactly] does.
func (b *BufferedReceiver) Peek(ctx context.Context, n int) ([]byte, error) {
	return b.next(ctx, "peek", n, 0)
}

// next returns the next n bytes and consumes some of them.
func (b *BufferedReceiver) next(ctx context.Context, op string, n, consume int) ([]byte, error) {
	if n < 0 {
		return nil, b.failed(op, errors.New("negative length"))
	}
	if err := b.begin(ctx, op); err != nil {
		return nil, err
	}
	defer b.busy.Store(false)
	for b.end-b.start < n {
		if err := b.fill(ctx); err != nil {
			return nil, b.cut(op, err)
		}
	}
	p := b.Buffered()[:n:n]
	b.start += consume
	return p, nil
}

// ReceiveUntil returns the bytes up to the first delim, including it. If they
// would be more than limit it returns [ErrTooLong]; a limit of 0 or less means
// 64 KiB. It waits until delim, or limit bytes without it, are buffered.
//
// A call that is cancelled or meets the end before delim consumed nothing, nor did
// one that returns ErrTooLong. Other errors are those of
// [BufferedReceiver.ReceiveExactly].
func (b *BufferedReceiver) ReceiveUntil(ctx context.Context, delim []byte, limit int) ([]byte, error) {
	const op = "receive until"
	if len(delim) == 0 {
		return nil, b.failed(op, errors.New("empty delimiter"))
	}
	if err := b.begin(ctx, op); err != nil {
		return nil, err
	}
	defer b.busy.Store(false)
	n, err := b.find(ctx, delim, limit)
	if err != nil {
		return nil, b.cut(op, err)
	}
	return b.take(n), nil
}

// ReceiveLine returns the next line without its ending, LF or CRLF. The last
// line of a stream needs no ending. The limit counts the ending; 0 or less
// means 64 KiB, and a longer line is [ErrTooLong]. It waits until the line is
// whole; a cancelled call consumed nothing.
func (b *BufferedReceiver) ReceiveLine(ctx context.Context, limit int) ([]byte, error) {
	const op = "receive line"
	if err := b.begin(ctx, op); err != nil {
		return nil, err
	}
	defer b.busy.Store(false)
	n, err := b.find(ctx, newline, limit)
	if err == io.EOF && b.start < b.end {
		return b.take(b.end - b.start), nil
	}
	if err != nil {
		return nil, b.cut(op, err)
	}
	return bytes.TrimSuffix(b.take(n)[:n-1], []byte{'\r'}), nil
}

// Lines iterates over the lines as [BufferedReceiver.ReceiveLine] returns them.
// The loop ends at [io.EOF]; any other error is yielded once, with a nil line,
// and ends it too. After a cancel what came of the line stays buffered: another
// loop, or call, begins with that line.
func (b *BufferedReceiver) Lines(ctx context.Context, limit int) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for {
			line, err := b.ReceiveLine(ctx, limit)
			if err == io.EOF || !yield(line, err) || err != nil {
				return
			}
		}
	}
}

// Buffered returns what was received and not yet handed out.
func (b *BufferedReceiver) Buffered() []byte { return b.buf[b.start:b.end:b.end] }

// Unread puts p in front of what is buffered, to be received again. p may be a
// slice that the last call returned, or anything else.
func (b *BufferedReceiver) Unread(p []byte) {
	if len(p) <= b.start {
		b.start -= len(p)
		copy(b.buf[b.start:], p)
		return
	}
	// Into a new buffer, because p may lie in the old one.
	buf := make([]byte, max(minBuffer, len(p)+b.end-b.start))
	n := copy(buf, p)
	n += copy(buf[n:], b.Buffered())
	b.buf, b.start, b.end = buf, 0, n
}

// Close closes the stream beneath; what is buffered is lost. That wakes a call
// that receives, with [ErrClosed]. How long it waits, and its error, are those of
// the stream beneath.
func (b *BufferedReceiver) Close(ctx context.Context) error {
	b.closed.Store(true)
	return b.r.Close(ctx)
}

// Underlying returns the stream beneath, for [Layers]. What is buffered here
// will not be received from it.
func (b *BufferedReceiver) Underlying() any { return b.r }

func (b *BufferedReceiver) String() string { return fmt.Sprintf("buffered(%s)", describe(b.r)) }

// begin enters a call, unless it must fail before it does anything.
func (b *BufferedReceiver) begin(ctx context.Context, op string) error {
	if !b.busy.CompareAndSwap(false, true) {
		return b.failed(op, ErrBusy)
	}
	err := CancelError(ctx)
	if b.closed.Load() {
		err = ErrClosed
	}
	if err != nil {
		b.busy.Store(false)
		return b.failed(op, err)
	}
	return nil
}

// take consumes n bytes that are buffered.
func (b *BufferedReceiver) take(n int) []byte {
	p := b.buf[b.start : b.start+n : b.start+n]
	b.start += n
	return p
}

// find receives until delim is buffered, and returns where it ends.
func (b *BufferedReceiver) find(ctx context.Context, delim []byte, limit int) (int, error) {
	if limit <= 0 {
		limit = defaultLimit
	}
	searched := 0 // so many bytes cannot be the beginning of delim
	for {
		window := b.Buffered()
		window = window[:min(len(window), limit)]
		if i := bytes.Index(window[searched:], delim); i >= 0 {
			return searched + i + len(delim), nil
		}
		if len(window) == limit {
			return 0, ErrTooLong
		}
		searched = max(0, len(window)-len(delim)+1)
		if err := b.fill(ctx); err != nil {
			return 0, err
		}
	}
}

// fill receives once, behind what is buffered.
func (b *BufferedReceiver) fill(ctx context.Context) error {
	b.makeRoom()
	n, err := b.r.ReceiveSome(ctx, b.buf[b.end:])
	b.end += n
	return err
}

// makeRoom makes at least a quarter of the buffer free behind what is buffered.
// A move of n bytes follows on at least n/2 bytes received or consumed since the
// last one, so a long message costs linear time however small its pieces.
func (b *BufferedReceiver) makeRoom() {
	unread := b.end - b.start
	if unread == 0 {
		b.start, b.end = 0, 0
	}
	size := len(b.buf)
	switch {
	case size == 0:
		size = minBuffer
	case size > chunkSize && unread <= chunkSize/4: // a big message has gone
		size = chunkSize
	case size-b.end >= size/4:
		return
	case unread > size/2:
		size *= 2
	}
	buf := b.buf
	if size != len(buf) {
		buf = make([]byte, size)
	}
	copy(buf, b.Buffered())
	b.buf, b.start, b.end = buf, 0, unread
}

// cut makes the error of a call that could not have its whole message.
func (b *BufferedReceiver) cut(op string, err error) error {
	switch {
	case err == io.EOF && b.start < b.end:
		return b.failed(op, io.ErrUnexpectedEOF)
	case err == ErrTooLong:
		return b.failed(op, err)
	}
	return err // of the stream beneath, which has said what there is to say
}

func (b *BufferedReceiver) failed(op string, err error) error {
	return &OpError{Op: op, Layer: b.String(), Err: err}
}
