package file

import (
	"context"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"trigo"
)

// textWriter is the writing half of a [TextFile]: what is kept back.
type textWriter struct {
	encoder encoder
	buf     []byte
	first   bool         // nothing was written yet, at the start of the file
	before  decoderState // after what was written last
	ahead   bool         // the reading half has to settle
}

// begin says where what is written next goes, and in which state a decoder would
// be there.
func (w *textWriter) begin(at int64, s decoderState) {
	w.first, w.before = at == 0, s
	w.encoder.begin(w.first, s)
}

// WriteString writes s, at the position that the text was read to. Mostly it is kept
// back until there is more; see TextOptions.LineBuffered and [TextFile.Flush].
//
// What the encoding does not have is, in strict mode, an *[EncodeError], and nothing
// of s is taken. If sending fails or is cancelled, OpError.N says what became of s: 0,
// nothing of it was taken, and the text reads on where it was; else all of it was, and
// what could not be sent goes with the next write or Flush. When Close comes meanwhile,
// and something is kept back, that is lost and the error Is [trigo.ErrClosed].
func (t *TextFile) WriteString(ctx context.Context, s string) (err error) {
	if err := t.begin(ctx, "write", writes); err != nil {
		return err
	}
	defer func() {
		kept := len(t.out.buf) > 0
		// A Close beside this call could not flush, and did not wait.
		if t.end(writes)&closed != 0 && kept && !errors.Is(err, trigo.ErrClosed) {
			err = errors.Join(err, t.fail("write", trigo.ErrClosed))
		}
	}()
	if t.send == nil {
		return t.fail("write", errNotOpenFor)
	}
	if t.place != nil && !t.out.ahead {
		if err := t.turnToWriting(ctx); err != nil {
			return err
		}
	}
	written := t.newline.write(s)
	buf, n := encodeAll(t.out.encoder, t.mode, t.out.buf, written)
	if n < len(written) {
		why := encodeError(t.encoding, t.out.encoder, s)
		t.out.encoder.begin(t.out.first, t.out.before)
		return t.fail("write", why)
	}
	t.out.buf = buf
	t.out.first, t.out.before = false, t.out.encoder.state()
	t.out.ahead = t.place != nil
	if len(buf) < textChunk && !(t.lineBuffered && strings.ContainsAny(s, "\r\n")) {
		return nil
	}
	err = t.flush(ctx)
	var op *trigo.OpError
	if errors.As(err, &op) {
		op.N = int64(len(s))
	}
	return err
}

// turnToWriting begins the writing where the text was read to, or at the end of a
// file that is appended to.
func (t *TextFile) turnToWriting(ctx context.Context) error {
	if err := t.rewind(ctx); err != nil {
		return err
	}
	at := t.in.rawAt
	if f, ok := t.place.(*File); ok && f.appends {
		end, err := f.Seek(ctx, 0, io.SeekEnd)
		if err != nil {
			return err
		}
		at, t.in.astray = end, true
	}
	t.out.begin(at, t.in.decoder.state())
	return nil
}

// flush sends what is kept back, for the holder of writing.
func (t *TextFile) flush(ctx context.Context) error {
	if len(t.out.buf) == 0 {
		return nil
	}
	err := t.send.SendAll(ctx, t.out.buf)
	sent := len(t.out.buf)
	if err != nil {
		sent = 0
		var op *trigo.OpError
		if errors.As(err, &op) {
			sent = int(op.N)
		}
	}
	t.out.buf = t.out.buf[:copy(t.out.buf, t.out.buf[sent:])]
	return err
}

// encodeError is the error of s, which e cannot encode.
func encodeError(name string, e encoder, s string) *EncodeError {
	_, n := e.encode(nil, s)
	_, size := utf8.DecodeRuneInString(s[n:])
	return &EncodeError{Encoding: name, Offset: n, Text: s[n : n+size]}
}
