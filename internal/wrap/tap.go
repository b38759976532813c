package wrap

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"unicode/utf8"

	"trigo"
)

// TapOptions say how a tap writes. Nil is the same as the zero value.
type TapOptions struct {
	Hex  bool   // in hexadecimal, 16 bytes a line; otherwise as text, a line for each line
	Name string // begins every line, before the ">" of what is sent and the "<" of what is received
}

// Tapped is a stream that writes down what passes.
type Tapped struct {
	layer
	w              io.Writer
	hex            bool
	sent, received track
}

// track is a direction, and what the holder of its half knows about it.
type track struct {
	half
	mark  string
	count int64
}

var _ trigo.HalfCloseableStream = (*Tapped)(nil)

// Tap returns a stream over s that dumps each direction to w.
//
// What is sent is written before it is sent, so that a question comes before
// its answer; if not all of it went out, a line says so. What one call moved is
// one Write to w, so several taps can share a writer if that can be written to
// concurrently. An error of w is of no consequence to the stream.
func Tap(s trigo.Stream, w io.Writer, opts *TapOptions) *Tapped {
	if opts == nil {
		opts = &TapOptions{}
	}
	return &Tapped{
		layer:    layer{s, "tap"},
		w:        w,
		hex:      opts.Hex,
		sent:     track{mark: opts.Name + "> "},
		received: track{mark: opts.Name + "< "},
	}
}

func (t *Tapped) SendAll(ctx context.Context, p []byte) error {
	if len(p) == 0 || ctx.Err() != nil {
		return t.inner.SendAll(ctx, p)
	}
	if !t.sent.busy.CompareAndSwap(false, true) {
		return t.fail("send", 0, trigo.ErrBusy)
	}
	defer t.sent.end()
	t.dump(&t.sent, p)
	err := t.inner.SendAll(ctx, p)
	if err != nil {
		t.note(&t.sent, fmt.Sprintf("only %d of %d bytes: %v", moved(len(p), err), len(p), cause(err)))
	}
	return err
}

func (t *Tapped) SendEOF(ctx context.Context) error {
	err := t.layer.SendEOF(ctx)
	if err == nil {
		t.note(&t.sent, "end of file")
	}
	return err
}

func (t *Tapped) ReceiveSome(ctx context.Context, p []byte) (int, error) {
	if len(p) == 0 || ctx.Err() != nil {
		return t.inner.ReceiveSome(ctx, p)
	}
	if !t.received.busy.CompareAndSwap(false, true) {
		return 0, t.fail("receive", 0, trigo.ErrBusy)
	}
	defer t.received.end()
	n, err := t.inner.ReceiveSome(ctx, p)
	switch err {
	case nil:
		t.dump(&t.received, p[:n])
	case io.EOF:
		t.note(&t.received, "end of file")
	default:
		t.note(&t.received, cause(err).Error())
	}
	return n, err
}

// note writes a line that is no data.
func (t *Tapped) note(d *track, text string) {
	io.WriteString(t.w, d.mark+"["+text+"]\n")
}

func (t *Tapped) dump(d *track, p []byte) {
	var b []byte
	if t.hex {
		b = appendHex(b, d.mark, d.count, p)
	} else {
		b = appendText(b, d.mark, p)
	}
	d.count += int64(len(p))
	t.w.Write(b)
}

// appendText appends a line for each line of p. What cannot be seen, and what
// would do something to a terminal, is written as in a Go string.
func appendText(b []byte, mark string, p []byte) []byte {
	for line := range bytes.Lines(p) {
		b = append(b, mark...)
		for len(line) > 0 {
			r, size := utf8.DecodeRune(line)
			switch {
			case r == '"' || r == '\'':
				b = append(b, byte(r))
			case r == utf8.RuneError && size == 1:
				b = append(b, `\x`...)
				b = append(b, digits[line[0]>>4], digits[line[0]&15])
			default:
				quoted := strconv.AppendQuoteRune(b, r)
				b = append(b, quoted[len(b)+1:len(quoted)-1]...) // moves it over its first quote
			}
			line = line[size:]
		}
		b = append(b, '\n')
	}
	return b
}

const digits = "0123456789abcdef"

// appendHex appends 16 bytes a line, with their offset in the stream and their
// text.
func appendHex(b []byte, mark string, offset int64, p []byte) []byte {
	for row := range slices.Chunk(p, 16) {
		b = fmt.Appendf(b, "%s%08x ", mark, offset)
		for i := range 16 {
			if i == 8 {
				b = append(b, ' ')
			}
			if i < len(row) {
				b = append(b, ' ', digits[row[i]>>4], digits[row[i]&15])
			} else {
				b = append(b, "   "...)
			}
		}
		b = append(b, "  |"...)
		for _, c := range row {
			if c < ' ' || c > '~' {
				c = '.'
			}
			b = append(b, c)
		}
		b = append(b, "|\n"...)
		offset += int64(len(row))
	}
	return b
}
