package file

import (
	"context"
	"io"
)

// # Positions in text
//
// The text that was given out ends somewhere in the middle of what was decoded, and
// nobody knows which byte that is: the text may have been shortened (newlines),
// lengthened (replacements), or depend on what came long before (escape sequences).
// Python finds out by decoding backwards and forwards in Tell.
//
// Here a mark is made whenever bytes are received: at which byte, in which state of
// the decoder, before which text. A position is a mark and how much of the text
// after it was given out; Seek goes to the mark, decodes again and skips that. So Tell
// costs nothing, and Seek a piece. Only a write after a read has to know the byte, and
// finds it by decoding byte by byte from the mark (rewind).

// A TextPosition is a place in a [TextFile], as [TextFile.Tell] returns it. The zero
// value is the start. It means nothing to any other file or encoding. Positions can
// be compared with ==; two that differ may still be the same place.
type TextPosition struct {
	at     int64 // of the byte
	state  decoderState
	heldCR bool
	skip   int64 // bytes of text
}

// mark is a place in the text whose byte is known.
type mark struct {
	text int64 // how much text came before it
	TextPosition
}

// mark remembers where what is decoded next comes from, and forgets the marks that
// nobody can go back to.
func (r *textReader) mark() {
	given := r.textAt + int64(r.start)
	first := 0
	for first+1 < len(r.marks) && r.marks[first+1].text <= given {
		first++
	}
	if len(r.text) == r.start {
		first = len(r.marks)
	}
	r.marks = append(r.marks[:0], r.marks[first:]...)
	r.marks = append(r.marks, mark{r.textAt + int64(len(r.text)), r.position()})
}

// position is where raw stands.
func (r *textReader) position() TextPosition {
	return TextPosition{at: r.rawAt, state: r.decoder.state(), heldCR: r.heldCR}
}

// given is where the text that was given out ends.
func (r *textReader) given() TextPosition {
	given := r.textAt + int64(r.start)
	p := r.position()
	if len(r.text) == r.start && !r.heldCR {
		return p
	}
	for _, m := range r.marks {
		if m.text <= given {
			p = m.TextPosition
			p.skip = given - m.text
		}
	}
	return p
}

// Tell returns the position. What was written is flushed first, and that is what it
// waits for; what a cancelled Tell could not flush is kept back, as with
// [TextFile.Flush]. A stream that has no positions is [errors.ErrUnsupported]. While
// another call reads or writes it is [trigo.ErrBusy].
func (t *TextFile) Tell(ctx context.Context) (TextPosition, error) {
	if err := t.beginPlaced(ctx, "tell"); err != nil {
		return TextPosition{}, err
	}
	defer t.end(both)
	return t.in.given(), nil
}

// Seek goes to a position that [TextFile.Tell] has returned, or to the start: the
// zero TextPosition. A cancelled Seek may leave the file anywhere; another Seek
// repairs that.
func (t *TextFile) Seek(ctx context.Context, p TextPosition) error {
	if err := t.beginPlaced(ctx, "seek"); err != nil {
		return err
	}
	defer t.end(both)
	if err := t.jump(ctx, p); err != nil {
		return err
	}
	for left := p.skip; left > 0; {
		n := min(left, int64(len(t.in.text)-t.in.start))
		t.in.start += int(n)
		if left -= n; left == 0 {
			break
		}
		if err := t.fill(ctx, "seek"); err == io.EOF {
			return t.fail("seek", io.ErrUnexpectedEOF) // the file has become shorter
		} else if err != nil {
			return err
		}
	}
	return nil
}

// SeekEnd flushes and goes to the end. A cancelled SeekEnd has not moved; what it
// could not flush is kept back. Its errors are those of [TextFile.Tell].
func (t *TextFile) SeekEnd(ctx context.Context) error {
	if err := t.beginPlaced(ctx, "seek"); err != nil {
		return err
	}
	defer t.end(both)
	at, err := t.place.Seek(ctx, 0, io.SeekEnd)
	if err != nil {
		return err
	}
	t.in.moved(at, "", false)
	t.out.begin(at, "")
	return nil
}

// beginPlaced starts a call that has to do with positions, and flushes.
func (t *TextFile) beginPlaced(ctx context.Context, op string) error {
	if err := t.begin(ctx, op, both); err != nil {
		return err
	}
	err := t.settle(ctx)
	if t.place == nil {
		err = t.fail(op, errNoPosition)
	}
	if err != nil {
		t.end(both)
	}
	return err
}

// settle flushes, and has the reading half know where that has led. It is for the
// holder of both halves.
func (t *TextFile) settle(ctx context.Context) error {
	if !t.out.ahead {
		return nil
	}
	if err := t.flush(ctx); err != nil {
		return err
	}
	at, err := t.place.Tell(ctx)
	if err != nil {
		return err
	}
	t.in.moved(at, t.out.encoder.state(), false)
	t.out.ahead = false
	return nil
}

// jump goes to p, less what is to be skipped.
func (t *TextFile) jump(ctx context.Context, p TextPosition) error {
	if _, err := t.place.Seek(ctx, p.at, io.SeekStart); err != nil {
		return err
	}
	t.in.moved(p.at, p.state, p.heldCR)
	t.out.begin(p.at, p.state)
	return nil
}

// rewind puts the stream of bytes where the text that was given out ends, if it has
// positions, so that nothing is read ahead. If it fails, the text that was read ahead
// is still there, and the next call that needs the stream finds the way.
func (t *TextFile) rewind(ctx context.Context) error {
	r := &t.in
	if t.place == nil || len(r.text) == r.start && len(r.raw) == 0 && !r.heldCR && !r.astray {
		return nil
	}
	p := r.given()
	before, state := *r, r.decoder.state()
	r.text, r.marks = nil, nil // those of before are not to be written over
	err := t.goBack(ctx, p)
	if err != nil {
		*r = before
		r.decoder.restore(state)
		r.astray = true
	}
	return err
}

// goBack goes to p and from there, byte by byte, over what is to be skipped.
func (t *TextFile) goBack(ctx context.Context, p TextPosition) error {
	r := &t.in
	if err := t.jump(ctx, p); err != nil {
		return err
	}
	if p.skip == 0 {
		return nil
	}
	buf := make([]byte, textChunk)
	var raw []byte
	afterCR := TextPosition{at: -1} // the place, unless the next character is "\n"
	for {
		n, err := t.receive.ReceiveSome(ctx, buf)
		switch {
		case err == io.EOF && afterCR.at >= 0:
			return t.jump(ctx, afterCR)
		case err == io.EOF: // the file has become shorter
			return t.fail("write", io.ErrUnexpectedEOF)
		case err != nil:
			return err
		}
		for _, b := range buf[:n] {
			r.decode(append(raw, b), false, t)
			raw = append(raw[:0], r.raw...)
			given := int64(len(r.text))
			switch {
			case given > p.skip && afterCR.at >= 0:
				return t.jump(ctx, afterCR)
			case given >= p.skip:
				return t.jump(ctx, TextPosition{at: r.rawAt, state: r.decoder.state()})
			case given+1 == p.skip && r.heldCR && afterCR.at < 0:
				afterCR = TextPosition{at: r.rawAt, state: r.decoder.state()}
			}
		}
	}
}

var _ positioned = (*File)(nil)
