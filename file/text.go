package file

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync/atomic"

	"trigo"
)

// TextOptions say how bytes are text. Nil is the same as the zero value.
type TextOptions struct {
	// Encoding is the name of the encoding, as IANA or Python has it: utf-8,
	// utf-8-sig, utf-16, utf-16-le, latin-1, ascii, cp1252, shift_jis and many
	// more. If empty, utf-8.
	Encoding string

	// Errors is what happens to bytes that are not valid in the encoding, and to
	// text that it does not have: strict (a *[DecodeError] or *[EncodeError]),
	// replace (with U+FFFD, or ? in writing), ignore, or backslashreplace. If
	// empty, strict.
	Errors string

	// Newline is what ends a line. If zero, NewlineUniversal.
	Newline Newline

	// LineBuffered sends what was written with each end of a line. If false, that
	// happens when there is enough of it, and in Flush and Close.
	LineBuffered bool

	// MaxLine is how many bytes of UTF-8 a line may have, with its end; a longer
	// one is [trigo.ErrTooLong]. If zero, any number.
	MaxLine int
}

// A TextFile is text over a stream of bytes, mostly a [File]: encoded, in lines,
// and buffered in both directions. It is made by [OpenText] or [NewTextFile].
//
// One call may read and one may write at a time, in parallel if the stream has no
// positions, as a socket has none; a second gets [trigo.ErrBusy]. Over a file with
// positions, each call counts as both. Close may race everything.
//
// Trio: the asynchronous file objects of trio.open_file in text mode.
type TextFile struct {
	bytes   trigo.Resource
	receive trigo.ReceiveStream // nil if it does not receive
	send    trigo.SendStream    // nil if it does not send
	place   positioned          // nil if it has no positions

	encoding     string
	mode         errorMode
	newline      Newline
	lineBuffered bool
	maxLine      int

	used atomic.Uint32 // the halves that calls use, and closed

	in  textReader // of who uses the reading half
	out textWriter // of who uses the writing half
}

// positioned is what has a position.
type positioned interface {
	Seek(ctx context.Context, offset int64, whence int) (int64, error)
	Tell(ctx context.Context) (int64, error)
}

var _ trigo.Resource = (*TextFile)(nil)

// OpenText opens a file as text. The mode is that of [Open], with an optional t in
// place of the b. A mode, an encoding or another option that is not known is
// [fs.ErrInvalid], told before any I/O.
//
// Trio: trio.open_file.
func OpenText(ctx context.Context, path Path, mode string, opts *TextOptions) (*TextFile, error) {
	return openText(ctx, path, mode, opts, func(flag int) (*File, error) { return OpenFile(ctx, path, flag, 0o666) })
}

// openText is OpenText of what open opens.
func openText(ctx context.Context, path Path, mode string, opts *TextOptions, open func(flag int) (*File, error)) (*TextFile, error) {
	flag, err := parseMode(mode, true)
	if err != nil {
		return nil, openError(path, err)
	}
	t, err := newText(opts)
	if err != nil {
		return nil, openError(path, err)
	}
	f, err := open(flag)
	if err != nil {
		return nil, err
	}
	if err := t.over(ctx, f, f.readable, f.writable); err != nil {
		return nil, errors.Join(err, trigo.CloseForcefully(f))
	}
	return t, nil
}

// NewTextFile returns text over r, which it owns: a [File], what [Wrap] made, a
// socket, standard input. It reads if r is a [trigo.ReceiveStream], and writes if it
// is a [trigo.SendStream]. If it fails, r is still the caller's.
//
// If r has positions it is asked where it stands: that is what ctx is for, and all
// that is waited for.
//
// Python: io.TextIOWrapper.
func NewTextFile(ctx context.Context, r trigo.Resource, opts *TextOptions) (*TextFile, error) {
	t, err := newText(opts)
	if err == nil {
		reads, writes := true, true
		if r, ok := r.(interface{ able() (reads, writes bool) }); ok {
			reads, writes = r.able() // it has the methods in any case
		}
		err = t.over(ctx, r, reads, writes)
	}
	if err != nil {
		return nil, &trigo.OpError{Op: "open", Layer: fmt.Sprintf("text(%v)", r), Err: err}
	}
	return t, nil
}

// newText returns a TextFile that is over nothing yet.
func newText(opts *TextOptions) (*TextFile, error) {
	if opts == nil {
		opts = &TextOptions{}
	}
	c, err := lookup(opts.Encoding)
	if err != nil {
		return nil, err
	}
	mode, err := parseErrorMode(opts.Errors)
	if err != nil {
		return nil, err
	}
	if err := opts.Newline.check(); err != nil {
		return nil, err
	}
	if opts.MaxLine < 0 {
		return nil, fmt.Errorf("a MaxLine of %d: %w", opts.MaxLine, fs.ErrInvalid)
	}
	t := &TextFile{
		encoding: opts.Encoding, mode: mode, newline: opts.Newline,
		lineBuffered: opts.LineBuffered, maxLine: opts.MaxLine,
	}
	if t.encoding == "" {
		t.encoding = "utf-8"
	}
	t.in.decoder, t.out.encoder = c.decoder(), c.encoder()
	return t, nil
}

// over puts t over r.
func (t *TextFile) over(ctx context.Context, r trigo.Resource, reads, writes bool) error {
	t.bytes = r
	if reads {
		t.receive, _ = r.(trigo.ReceiveStream)
	}
	if writes {
		t.send, _ = r.(trigo.SendStream)
	}
	at := int64(0)
	if place, ok := r.(positioned); ok {
		var err error
		switch at, err = place.Tell(ctx); {
		case err == nil:
			t.place = place
		case !errors.Is(err, errors.ErrUnsupported):
			return err
		}
	}
	t.in.rawAt = at
	t.out.begin(at, "")
	return nil
}

// Flush sends what was written and is still kept back, and waits until the stream
// below has taken it. If it fails or is cancelled, OpError.N is how many bytes were
// sent; the rest is kept for the next Flush. It is [trigo.ErrBusy] while another
// call writes, or reads what has positions, and [trigo.ErrClosed] on what is closed.
func (t *TextFile) Flush(ctx context.Context) error {
	if err := t.begin(ctx, "flush", writes); err != nil {
		return err
	}
	defer t.end(writes)
	return t.flush(ctx)
}

// Close flushes, within ctx, and closes the stream below, whatever ctx says. With
// a dead ctx, or beside a write that is under way, what was kept back is lost, and
// the error says so: that of the write is then [trigo.ErrClosed].
func (t *TextFile) Close(ctx context.Context) error {
	before := t.used.Or(closed | writes)
	if before&closed != 0 {
		return nil
	}
	var err error
	if before&writes == 0 {
		err = t.flush(ctx)
	}
	return errors.Join(err, t.bytes.Close(ctx))
}

// Detach flushes and returns the stream below, which is the caller's from now on;
// this TextFile is closed. A stream with positions stands where the text was read
// to; of any other, what was read ahead is lost.
//
// If it fails or is cancelled, this TextFile stays open, keeps what it could not flush,
// and reads on where it was; only the stream below may stand anywhere. Detach is
// [trigo.ErrBusy] while another call reads or writes.
func (t *TextFile) Detach(ctx context.Context) (trigo.Resource, error) {
	if err := t.begin(ctx, "detach", both); err != nil {
		return nil, err
	}
	defer t.end(both)
	if err := t.flush(ctx); err != nil {
		return nil, err
	}
	if err := t.rewind(ctx); err != nil {
		return nil, err
	}
	if t.used.Or(closed)&closed != 0 { // by a Close beside it
		return nil, t.fail("detach", trigo.ErrClosed)
	}
	return t.bytes, nil
}

// Encoding returns the name of the encoding, as it was asked for.
func (t *TextFile) Encoding() string { return t.encoding }

// Underlying returns the stream of bytes. What it reads, and where it stands, is
// ahead of the text.
func (t *TextFile) Underlying() any { return t.bytes }

func (t *TextFile) String() string { return fmt.Sprintf("text(%v)", t.bytes) }

// halves are the parts of a TextFile that a call uses, all in one word: a call for
// each line takes and leaves both with one atomic operation each.
type halves = uint32

const (
	reads halves = 1 << iota
	writes
	closed // and nobody begins any more
	both   = reads | writes
)

// begin starts a call that uses h, which end ends.
func (t *TextFile) begin(ctx context.Context, op string, h halves) error {
	h = t.together(h)
	for {
		switch used := t.used.Load(); {
		case used&closed != 0:
			return t.fail(op, trigo.ErrClosed)
		case ctx.Err() != nil:
			return t.fail(op, trigo.CancelError(ctx))
		case used&h != 0:
			return t.fail(op, trigo.ErrBusy)
		case t.used.CompareAndSwap(used, used|h):
			return nil
		}
	}
}

// end reports what was used, closed included.
func (t *TextFile) end(h halves) (before halves) { return t.used.And(^t.together(h)) }

// together returns both halves if there is one position for them, else h.
func (t *TextFile) together(h halves) halves {
	if t.place != nil {
		return both
	}
	return h
}

func (t *TextFile) fail(op string, err error) error {
	return &trigo.OpError{Op: op, Layer: t.String(), Err: err}
}
