package file

import (
	"bytes"
	"slices"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/transform"
)

// multibyte is an East Asian encoding of package golang.org/x/text.
//
// Its decoders write U+FFFD for what is not valid and do not say where. So what
// they made is taken as it is if there is none in it; otherwise, and for encodings
// with escape sequences, whose state nobody can ask for, bytes are given to them
// character by character.
type multibyte struct{ enc encoding.Encoding }

func (m multibyte) decoder() decoder {
	return &multibyteDecoder{
		multibyte: m, t: m.enc.NewDecoder().Transformer,
		escapes: m.enc == japanese.ISO2022JP || m.enc == simplifiedchinese.HZGB2312,
	}
}

func (m multibyte) encoder() encoder {
	return &multibyteEncoder{m.enc.NewEncoder().Transformer, m.enc == simplifiedchinese.HZGB2312}
}

type multibyteDecoder struct {
	multibyte
	t       transform.Transformer
	escapes bool
	escape  decoderState // the last escape sequence
}

// longest is the length of the longest character or escape sequence.
const longest = 4

func (d *multibyteDecoder) decode(dst, src []byte, atEOF bool) (text []byte, n, bad int, why string) {
	if !d.escapes {
		before := len(dst)
		dst, n = d.inOne(dst, src)
		if !bytes.ContainsRune(dst[before:], utf8.RuneError) && (n == len(src) || !atEOF) {
			return dst, n, 0, ""
		}
		dst, n = dst[:before], 0
	}
	for n < len(src) {
		out, took, ok := d.next(src[n:])
		switch {
		case took == 0 && !atEOF:
			return dst, n, 0, ""
		case took == 0:
			return dst, n, len(src) - n, "incomplete multibyte sequence"
		case !ok:
			return dst, n, took, "illegal multibyte sequence"
		}
		dst = append(dst, out...)
		n += took
	}
	return dst, n, 0, ""
}

// inOne decodes all of src but for a character that is cut at its end.
func (d *multibyteDecoder) inOne(dst, src []byte) ([]byte, int) {
	d.t.Reset()
	n := 0
	for {
		dst = slices.Grow(dst, 3*(len(src)-n)/2+utf8.UTFMax)
		out, took, err := d.t.Transform(dst[len(dst):cap(dst)], src[n:], false)
		dst, n = dst[:len(dst)+out], n+took
		if err != transform.ErrShortDst {
			return dst, n
		}
	}
}

// next decodes one character or escape sequence at the start of src, and returns
// how long it was. If it is not valid, ok is false and n counts the bytes to
// skip. n is 0 if it is not whole.
func (d *multibyteDecoder) next(src []byte) (text []byte, n int, ok bool) {
	var buf [2 * utf8.UTFMax]byte
	for size := 1; size <= min(longest, len(src)); size++ {
		out, took, err := d.t.Transform(buf[:], src[:size], false)
		switch {
		case err == transform.ErrShortSrc || took == 0:
			continue
		case out == 0 && src[took-1] != '\n': // in HZ, ~ and a newline are nothing at all
			d.escape = decoderState(src[:took])
		case isReplacement(buf[:out]) && !bytes.Equal(src[:took], gb18030Replacement):
			return nil, 1, false // the bytes after the first may be good
		}
		return buf[:out], took, true
	}
	if len(src) < longest {
		return nil, 0, false
	}
	return nil, 1, false
}

func isReplacement(text []byte) bool {
	r, _ := utf8.DecodeRune(text)
	return r == utf8.RuneError
}

// gb18030Replacement is U+FFFD in GB 18030, the only one of these encodings that has
// it. In no other are these bytes one character.
var gb18030Replacement = []byte{0x84, 0x31, 0xa4, 0x37}

func (d *multibyteDecoder) state() decoderState { return d.escape }

func (d *multibyteDecoder) restore(s decoderState) {
	d.t.Reset()
	if d.escape = s; s != "" {
		var none [utf8.UTFMax]byte
		d.t.Transform(none[:], []byte(s), false)
	}
}

type multibyteEncoder struct {
	t transform.Transformer
	// A newline makes the encoder leave its other character set, which it does
	// not do by itself at the end.
	endsAtNewline bool
}

// Each piece begins and ends in the first character set.
func (e *multibyteEncoder) begin(bool, decoderState) {}
func (e *multibyteEncoder) state() decoderState      { return "" }

func (e *multibyteEncoder) encode(dst []byte, s string) ([]byte, int) {
	valid := validUTF8(s)
	src := []byte(s[:valid])
	if e.endsAtNewline {
		src = append(src, '\n')
	}
	e.t.Reset()
	n := 0
	for {
		dst = slices.Grow(dst, 2*(len(src)-n)+2*longest)
		out, took, err := e.t.Transform(dst[len(dst):cap(dst)], src[n:], true)
		dst, n = dst[:len(dst)+out], n+took
		switch {
		case err == transform.ErrShortDst:
		case n > valid:
			return dst[:len(dst)-1], valid
		default:
			return dst, n
		}
	}
}
