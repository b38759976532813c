package file

import (
	"context"
	"io"
	"iter"
	"unicode/utf8"

	"trigo"
)

// textReader is the reading half of a [TextFile]: bytes that are no whole character
// yet, and text that was not given out yet.
type textReader struct {
	decoder decoder
	heldCR  bool // a "\r" whose follower decides what it means

	buf   []byte // for what is received; raw is its start
	raw   []byte // not decoded yet
	rawAt int64  // the offset in the file of raw[0]

	text     []byte // decoded
	start    int    // text[start:] was not given out
	searched int    // text[start:searched] has no end of a line
	textAt   int64  // how much text came before text[0]
	marks    []mark // see Tell

	end error // what comes after text: io.EOF or a decode error

	astray bool // the stream of bytes may stand anywhere, and not after raw
}

// textChunk is how many bytes are received at a time, and how many are kept back at
// most in writing.
const textChunk = 32 << 10

// ReadLine returns the next line with its end, as the newline rule made it; only
// the last line of a file may have none. It waits until the line is whole. At the end
// it returns [io.EOF].
//
// A ReadLine that fails has taken nothing: not by a cancel, not by a line longer than
// TextOptions.MaxLine ([trigo.ErrTooLong]), and not by bytes that are not valid
// (*[DecodeError]); what stands before those can be had by [TextFile.Read].
func (t *TextFile) ReadLine(ctx context.Context) (string, error) {
	if err := t.beginRead(ctx, "read line"); err != nil {
		return "", err
	}
	defer t.end(reads)
	for {
		n := 0
		if from := max(t.in.start, t.in.searched); from < len(t.in.text) {
			if n = t.newline.lineLength(t.in.text[from:]); n > 0 {
				n += from - t.in.start
			}
		}
		if n == 0 && t.in.end == io.EOF {
			n = len(t.in.text) - t.in.start
		}
		switch long := max(n, len(t.in.text)-t.in.start); {
		case n > 0 && (t.maxLine == 0 || n <= t.maxLine):
			return t.in.take(n), nil
		case n > 0, t.maxLine > 0 && long > t.maxLine:
			return "", t.fail("read line", trigo.ErrTooLong)
		}
		// A "\r" at the end may yet become the "\r\n" that is looked for.
		t.in.searched = max(t.in.start, len(t.in.text)-1)
		if err := t.fill(ctx, "read line"); err != nil {
			return "", err
		}
	}
}

// Lines iterates over the lines, as [TextFile.ReadLine] returns them, up to the end.
// An error is yielded once, with an empty line, and ends the loop.
func (t *TextFile) Lines(ctx context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for {
			line, err := t.ReadLine(ctx)
			if err == io.EOF || !yield(line, err) || err != nil {
				return
			}
		}
	}
}

// Read returns the next n characters. It waits until it has them, and returns fewer
// only at the end or before bytes that are not valid; if there is none it returns
// [io.EOF] or the *[DecodeError]. A cancelled Read has taken nothing.
func (t *TextFile) Read(ctx context.Context, n int) (string, error) {
	if err := t.beginRead(ctx, "read"); err != nil {
		return "", err
	}
	defer t.end(reads)
	if n <= 0 {
		return "", nil
	}
	for counted, size := 0, 0; ; {
		for rest := t.in.text[t.in.start+size:]; counted < n && len(rest) > 0; counted++ {
			_, one := utf8.DecodeRune(rest)
			size, rest = size+one, rest[one:]
		}
		if counted == n || size > 0 && t.in.end != nil {
			return t.in.take(size), nil
		}
		if err := t.fill(ctx, "read"); err != nil {
			return "", err
		}
	}
}

// ReadAll returns the text up to the end, which may be none. If it fails it has
// taken nothing.
func (t *TextFile) ReadAll(ctx context.Context) (string, error) {
	if err := t.beginRead(ctx, "read"); err != nil {
		return "", err
	}
	defer t.end(reads)
	for t.in.end != io.EOF {
		if err := t.fill(ctx, "read"); err != nil && err != io.EOF {
			return "", err
		}
	}
	return t.in.take(len(t.in.text) - t.in.start), nil
}

// beginRead starts a call that reads. What was written comes first.
func (t *TextFile) beginRead(ctx context.Context, op string) error {
	if err := t.begin(ctx, op, reads); err != nil {
		return err
	}
	var err error
	switch {
	case t.receive == nil:
		err = t.fail(op, errNotOpenFor)
	case t.place != nil && t.out.ahead:
		err = t.settle(ctx)
	}
	if err != nil {
		t.end(reads)
	}
	return err
}

// take gives out n bytes of text.
func (r *textReader) take(n int) string {
	s := string(r.text[r.start : r.start+n])
	r.start += n
	return s
}

// fill receives and decodes a piece. It returns io.EOF or the decode error if there
// is nothing more after the text; a cancel changes nothing.
func (t *TextFile) fill(ctx context.Context, op string) error {
	r := &t.in
	if r.end == io.EOF {
		return io.EOF
	}
	if r.end != nil {
		return t.fail(op, r.end)
	}
	if r.buf == nil {
		r.buf = make([]byte, textChunk)
	}
	pending := len(r.raw)
	if r.astray {
		if _, err := t.place.Seek(ctx, r.rawAt+int64(pending), io.SeekStart); err != nil {
			return err
		}
		r.astray = false
	}
	n, err := t.receive.ReceiveSome(ctx, r.buf[pending:])
	if err != nil && err != io.EOF {
		return err
	}
	if r.start > 0 { // make room
		r.textAt += int64(r.start)
		r.text = r.text[:copy(r.text, r.text[r.start:])]
		r.searched = max(0, r.searched-r.start)
		r.start = 0
	}
	r.mark()
	r.decode(r.buf[:pending+n], err == io.EOF, t)
	r.raw = r.buf[:copy(r.buf, r.raw)]
	return nil
}

// decode turns raw into text, and sets r.raw to what is left of it.
func (r *textReader) decode(raw []byte, atEOF bool, t *TextFile) {
	before := len(r.text)
	if r.heldCR {
		r.text = append(r.text, '\r')
		r.heldCR = false
	}
	text, n, bad, why := decodeAll(r.decoder, t.mode, r.text, raw, atEOF)
	r.rawAt += int64(n)
	r.raw = raw[n:]
	switch {
	case bad > 0:
		r.end = &DecodeError{Encoding: t.encoding, Offset: r.rawAt, Bytes: append([]byte(nil), r.raw[:bad]...), Reason: why}
	case atEOF:
		r.end = io.EOF
	}
	if last := len(text) - 1; r.end == nil && t.newline.holds() && last >= before && text[last] == '\r' {
		r.heldCR = true
		text = text[:last]
	}
	r.text = text[:before+len(t.newline.read(text[before:]))]
}

// moved says that the bytes are now received from another place.
func (r *textReader) moved(at int64, state decoderState, heldCR bool) {
	r.decoder.restore(state)
	r.heldCR = heldCR
	r.raw, r.rawAt = nil, at
	r.text, r.start, r.searched, r.textAt = r.text[:0], 0, 0, 0
	r.marks, r.end = r.marks[:0], nil
	r.astray = false
}

// errNoPosition is what Seek and Tell say of a stream that has no positions.
var errNoPosition = unsupported("it has no positions")
